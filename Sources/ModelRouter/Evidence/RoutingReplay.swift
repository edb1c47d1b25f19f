import JSONText

/// Derives a recorded decision again and compares the bytes.
public enum RoutingReplay {
    public enum Verdict: Sendable, Equatable {
        /// The same bytes.
        case agrees
        /// Nothing can be said, and why: another version of the semantics, an erased body, a snapshot that is missing.
        case cannotReplay(String)
        /// The members that differ.
        case differs([Difference])
    }

    /// A replay that gave the same bytes, and what the decision changes; nil where nothing can be said so quickly, and
    /// ``check(_:after:under:enforcement:)`` is to be asked.
    public static func agreeing(
        _ recorded: [UInt8],
        after state: RoutingState,
        under program: RouterProgram,
        enforcement: Enforcement
    ) -> (effect: DecisionEffect, permitsCall: Bool, modelID: String?)? {
        guard let request = RoutingEvidence.request(atBeginningOf: recorded) else { return nil }
        let (decision, body) = RoutingEvidence.decide(request, after: state, under: program, enforcement: enforcement)
        guard body.isSame(as: recorded) else { return nil }
        return (DecisionEffect(decision, for: request, under: program), decision.permitsCall, decision.choice?.modelID)
    }

    /// A member of the decision that is not what it should be.
    public struct Difference: Sendable, Equatable {
        /// Where, such as `derived.task.attempts`.
        public var path: String
        /// Nil where the recorded decision does not have the member.
        public var recorded: JSONValue?
        /// Nil where the decision that was derived does not have it.
        public var derived: JSONValue?

        /// For machines.
        public var json: JSONValue {
            ["path": .string(path), "recorded": recorded ?? .null, "derived": derived ?? .null]
        }
    }

    /// - Parameters:
    ///   - recorded: the body of the `routing.decision` event.
    ///   - state: the run's events before it.
    ///   - program: the snapshot in force at the event.
    ///   - enforcement: that of the snapshot that the run began under.
    public static func check(
        _ recorded: [UInt8],
        after state: RoutingState,
        under program: RouterProgram,
        enforcement: Enforcement
    ) -> Verdict {
        let body: JSONValue
        guard let read = RoutingEvidence.read(recorded, of: .decision) else {
            return .differs([differing("", nil, nil)])
        }
        body = read
        return check(body, recorded, after: state, under: program, enforcement: enforcement)
    }

    /// The same, of a body that was read already.
    public static func check(
        _ body: JSONValue,
        _ recorded: [UInt8],
        after state: RoutingState,
        under program: RouterProgram,
        enforcement: Enforcement
    ) -> Verdict {
        guard let semantics = body["semantics"]?.int else {
            return .differs([differing("semantics", body["semantics"], .number(JSONNumber(ModelRouter.semantics)))])
        }
        guard semantics == ModelRouter.semantics else {
            return .cannotReplay(
                "the decision was made by version \(semantics) of the router's semantics, and this is version "
                    + "\(ModelRouter.semantics)"
            )
        }
        guard let asserted = body["asserted"], let request = RoutingRequest(recorded: asserted) else {
            return .differs([differing("asserted", body["asserted"], nil)])
        }
        let again = RoutingEvidence.decide(request, after: state, under: program, enforcement: enforcement).body
        if again.isSame(as: recorded) { return .agrees }
        var differences: [Difference] = []
        compare(try? JSONValue.parse(recorded), try? JSONValue.parse(again), "", &differences)
        if differences.isEmpty { differences.append(differing("", nil, nil)) }
        return .differs(differences)
    }

    private static func differing(_ path: String, _ recorded: JSONValue?, _ derived: JSONValue?) -> Difference {
        Difference(path: path, recorded: recorded, derived: derived)
    }

    /// So many differences are told of one decision.
    private static let mostDifferences = 50

    private static func compare(
        _ left: JSONValue?,
        _ right: JSONValue?,
        _ path: String,
        _ differences: inout [Difference]
    ) {
        guard left != right, differences.count < mostDifferences else { return }
        guard let one = left?.object, let other = right?.object else {
            if let one = left?.array, let other = right?.array, one.count == other.count {
                for index in one.indices { compare(one[index], other[index], "\(path)[\(index)]", &differences) }
                return
            }
            differences.append(differing(path, left, right))
            return
        }
        let keys = one.map(\.key) + other.map(\.key).filter { !one.containsKey($0) }
        for key in keys {
            compare(one[key], other[key], path.isEmpty ? key : "\(path).\(key)", &differences)
        }
    }
}

extension RoutingEvidence {
    /// Derives, decides and writes the evidence: what is recorded, and what a replay compares with.
    public static func decide(
        _ request: RoutingRequest,
        after state: RoutingState,
        under program: RouterProgram,
        enforcement: Enforcement
    ) -> (decision: RoutingDecision, body: [UInt8]) {
        // What is decided on is what is recorded, however long or large it was.
        let request = request.recorded
        let derived = state.derive(for: request, under: program, enforcement: enforcement)
        let decision = program.decide(request, derived)
        return (decision, encode(decision, request: request, derived: derived, under: program))
    }

    /// The same as though the run had begun under another policy: by that policy's enforcement.
    public static func decideAnew(
        _ request: RoutingRequest,
        after state: RoutingState,
        under program: RouterProgram
    ) -> (decision: RoutingDecision, body: [UInt8]) {
        let request = request.recorded
        let enforcement = program.policy.enforcement
        var derived = state.derive(for: request, under: program, enforcement: enforcement)
        derived.enforcement = enforcement
        let decision = program.decide(request, derived)
        return (decision, encode(decision, request: request, derived: derived, under: program))
    }
}

extension RoutingRequest {
    /// Reads the member `asserted` of a decision back; nil if it is not as it is written.
    public init?(recorded asserted: JSONValue) {
        guard let role = asserted["role"]?.string, let task = asserted["task"]?.string,
            let now = asserted["now_ms"]?.int
        else { return nil }
        self.init(role: role, task: task, now: Int64(now))
        by = asserted["by"]?.string
        mode = asserted["mode"]?.string
        model = asserted["model"]?.string
        risk = asserted["risk"]?.string
        stage = asserted["stage"]?.string
        confidence = asserted["confidence_ppm"]?.int.map { Ratio(millionths: Int64($0)) }
        inputTokens = asserted["input_tokens"]?.int
        maxOutputTokens = asserted["max_output_tokens"]?.int
    }
}

extension BudgetAlert {
    /// The body of the `budget.alert` event.
    public var body: JSONValue {
        let text = { (amount: Int64) in isMoney ? USD(picodollars: amount).description : String(amount) }
        return [
            "budget": .string(kind.budget), "level": .string(kind.level.rawValue), "limit": .string(text(limit)),
            "used": .string(text(used)),
        ]
    }
}

extension [UInt8] {
    /// The same bytes, compared eight at a time: `==` of arrays looks at each.
    package func isSame(as other: [UInt8]) -> Bool {
        guard count == other.count else { return false }
        return withUnsafeBytes { left in
            other.withUnsafeBytes { right in
                var place = 0
                while place + 8 <= left.count {
                    let words = (
                        left.loadUnaligned(fromByteOffset: place, as: UInt64.self),
                        right.loadUnaligned(fromByteOffset: place, as: UInt64.self)
                    )
                    if words.0 != words.1 { return false }
                    place += 8
                }
                return left[place...].elementsEqual(right[place...])
            }
        }
    }
}
