/// Whether a gate lets pass, and which of its criteria do not hold.
public struct GateVerdict: Sendable, Hashable {
    public enum Fault: String, Sendable, CaseIterable {
        /// Nobody recorded a result.
        case absent
        /// The newest result is older than `newer_than`, or claims to be of the future.
        case stale
        /// It rests on fewer than `samples`.
        case tooFewSamples = "too-few-samples"
        /// It is beyond a bound.
        case missed
    }

    public struct Check: Sendable, Hashable {
        public var metric: String
        public var criterion: Criterion
        /// Nil where nobody recorded a result.
        public var measure: GateMeasure?
        /// Nil for a criterion that holds.
        public var fault: Fault?
    }

    public let gate: String
    public let criteria: [Check]

    /// Whether all criteria hold. A gate that the policy does not define does not pass.
    public var isPassed: Bool { !criteria.isEmpty && criteria.allSatisfy { $0.fault == nil } }

    /// - Parameter results: the newest result of each metric.
    public init(
        _ gate: String,
        _ rules: NamedList<Criterion>?,
        _ results: [String: GateMeasure],
        now: Int64
    ) {
        self.gate = gate
        criteria = (rules ?? NamedList()).map { metric, rule in
            let measure = results[metric]
            return Check(
                metric: metric,
                criterion: rule,
                measure: measure,
                fault: Self.fault(rule, measure, now)
            )
        }
    }

    private static func fault(_ rule: Criterion, _ measure: GateMeasure?, _ now: Int64) -> Fault? {
        guard let measure else { return .absent }
        guard measure.time <= now, now - measure.time <= rule.newerThanMilliseconds else { return .stale }
        guard measure.samples >= rule.samples else { return .tooFewSamples }
        if let most = rule.atMost, measure.value > most { return .missed }
        if let least = rule.atLeast, measure.value < least { return .missed }
        return nil
    }
}
