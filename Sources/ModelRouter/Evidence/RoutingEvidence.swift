import Crypto
import JSONText

/// The body of a `routing.decision` event: everything from which the decision can be derived again.
public enum RoutingEvidence {
    /// Writes a decision with its inputs as canonical JSON. The schema is `spec/schemas/routing.decision.json`.
    ///
    /// A member that is not there is as good as null. The same decision always gives the same bytes.
    public static func encode(
        _ decision: RoutingDecision,
        request: RoutingRequest,
        derived: DerivedInputs,
        under program: RouterProgram
    ) -> [UInt8] {
        EvidenceWriter.write(capacity: 2048) { writer in
            encode(decision, request.recorded, derived, program, &writer)
        }
    }

    private static func encode(
        _ decision: RoutingDecision,
        _ request: RoutingRequest,
        _ derived: DerivedInputs,
        _ program: RouterProgram,
        _ writer: inout EvidenceWriter
    ) {
        writer.object { writer in
            writer.key("asserted")
            let asserted = writer.count
            write(request, &writer)
            let assertedEnd = writer.count
            writer.key("budget")
            write(decision.budget, &writer)
            writer.key("candidates")
            writer.array(decision.candidates) { write($1, &$0) }
            writer.key("causes")
            writer.array(decision.causes) { $0.word($1) }
            writer.key("derived")
            let start = writer.count
            write(derived, &writer)
            let digest = inputsDigest(
                writer.bytes(from: asserted, to: assertedEnd),
                writer.bytes(from: start, to: writer.count)
            )
            write(decision, digest, &writer)
            writer.key("role")
            writer.string(request.role)
            writer.key("rule")
            writer.string(decision.rule)
            writer.key("semantics")
            writer.integer(ModelRouter.semantics)
            writer.key("snapshot")
            writer.plain(program.snapshotText)
        }
    }

    /// The members from `endpoint` to `risk`.
    private static func write(_ decision: RoutingDecision, _ digest: String, _ writer: inout EvidenceWriter) {
        let choice = decision.choice
        func optional(_ key: StaticString, _ text: String?, _ writer: inout EvidenceWriter) {
            guard let text else { return }
            writer.key(key)
            writer.string(text)
        }
        optional("endpoint", choice?.endpoint, &writer)
        if let escalation = decision.escalation {
            writer.key("escalation")
            write(escalation, &writer)
        }
        writer.key("evidence")
        writer.word(decision.evidence)
        if !decision.exceptions.isEmpty {
            writer.key("exceptions")
            writer.array(decision.exceptions) { write($1, &$0) }
        }
        writer.key("inputs")
        writer.plain(digest)
        if let choice {
            writer.key("max_output_tokens")
            writer.integer(choice.maxOutputTokens)
        }
        optional("mode", decision.mode, &writer)
        optional("model", choice?.model, &writer)
        optional("model_id", choice?.modelID, &writer)
        writer.key("now_ms")
        writer.integer(decision.now)
        optional("provider", choice?.provider, &writer)
        optional("reason", decision.refusal?.rawValue, &writer)
        if let choice {
            writer.key("reserved")
            write(choice.reserved, &writer)
        }
        writer.key("result")
        writer.plain(decision.resultWord)
        writer.key("risk")
        writer.word(decision.risk)
    }

    static let beforeAsserted = Array(#"{"asserted":"#.utf8)
    private static let beforeDerived = Array(#","derived":"#.utf8)

    /// `sha256:` and the hex of the digest over the canonical JSON `{"asserted":…,"derived":…}`.
    private static func inputsDigest(_ asserted: UnsafeRawBufferPointer, _ derived: UnsafeRawBufferPointer) -> String {
        var hash = SHA256()
        // One piece: each call of the hash costs as much as a hundred bytes.
        var inputs: [UInt8] = []
        inputs.reserveCapacity(asserted.count + derived.count + 32)
        inputs.append(contentsOf: beforeAsserted)
        inputs.append(contentsOf: asserted)
        inputs.append(contentsOf: beforeDerived)
        inputs.append(contentsOf: derived)
        inputs.append(UInt8(ascii: "}"))
        inputs.withUnsafeBytes { hash.update(bufferPointer: $0) }
        let digest = hash.finalize()
        return String(unsafeUninitializedCapacity: 71) { text in
            var place = 0
            for byte in "sha256:".utf8 {
                text[place] = byte
                place += 1
            }
            digest.withUnsafeBytes { digest in
                for byte in digest {
                    text[place] = hexDigit(byte >> 4)
                    text[place + 1] = hexDigit(byte & 15)
                    place += 2
                }
            }
            return place
        }
    }

    @inline(__always)
    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    private static func write(_ request: RoutingRequest, _ writer: inout EvidenceWriter) {
        func optional(_ key: StaticString, _ text: String?, _ writer: inout EvidenceWriter) {
            guard let text else { return }
            writer.key(key)
            writer.string(text)
        }
        func optional(_ key: StaticString, _ count: Int?, _ writer: inout EvidenceWriter) {
            guard let count else { return }
            writer.key(key)
            writer.integer(count)
        }
        writer.object { writer in
            optional("by", request.by, &writer)
            optional("confidence_ppm", request.confidence.map { Int($0.millionths) }, &writer)
            optional("input_tokens", request.inputTokens, &writer)
            optional("max_output_tokens", request.maxOutputTokens, &writer)
            optional("mode", request.mode, &writer)
            optional("model", request.model, &writer)
            writer.key("now_ms")
            writer.integer(request.now)
            optional("risk", request.risk, &writer)
            optional("role", request.role, &writer)
            optional("stage", request.stage, &writer)
            optional("task", request.task, &writer)
        }
    }

    private static func write(_ budget: RoutingDecision.BudgetView, _ writer: inout EvidenceWriter) {
        writer.object { writer in
            writer.key("after")
            write(budget.after, &writer)
            writer.key("before")
            write(budget.before, &writer)
            if let limit = budget.limitTokens {
                writer.key("limit_tokens")
                writer.integer(limit)
            }
            if let limit = budget.limitUSD {
                writer.key("limit_usd")
                writer.dollars(limit)
            }
            if let stage = budget.stage {
                writer.key("stage")
                writer.string(stage)
            }
        }
    }

    private static func write(_ amount: RoutingDecision.Amount, _ writer: inout EvidenceWriter) {
        writer.object { writer in
            writer.key("tokens")
            writer.integer(amount.tokens)
            writer.key("usd")
            writer.dollars(amount.usd)
        }
    }

    private static func write(_ candidate: RoutingDecision.Candidate, _ writer: inout EvidenceWriter) {
        writer.object { writer in
            if let cost = candidate.cost {
                writer.key("cost")
                write(cost, &writer)
            }
            writer.key("model")
            writer.string(candidate.model)
            writer.key("verdict")
            writer.word(candidate.verdict)
        }
    }

    private static func write(_ escalation: RoutingDecision.FiredEscalation, _ writer: inout EvidenceWriter) {
        writer.object { writer in
            writer.key("id")
            writer.string(escalation.id)
            if let mode = escalation.mode {
                writer.key("mode")
                writer.string(mode)
            }
            if let tier = escalation.tierAtLeast {
                writer.key("tier_at_least")
                writer.integer(tier)
            }
        }
    }

    private static func write(_ exception: RoutingDecision.Exception, _ writer: inout EvidenceWriter) {
        writer.object { writer in
            writer.key("mode")
            writer.word(exception.mode)
            writer.key("part")
            writer.word(exception.part)
            writer.key("reason")
            writer.plain(exception.reason)
        }
    }
}

extension RoutingRequest {
    /// The request as it is written down.
    var recorded: RoutingRequest {
        guard invalidMember != nil else { return self }
        var request = self
        request.role = Self.recorded(role)
        request.task = Self.recorded(task)
        request.mode = mode.map { Self.recorded($0) }
        request.stage = stage.map { Self.recorded($0) }
        request.risk = risk.map { Self.recorded($0) }
        request.model = model.map { Self.recorded($0) }
        request.by = by.map { Self.recorded($0) }
        request.confidence = confidence.map { Ratio(millionths: Self.recorded($0.millionths)) }
        request.inputTokens = inputTokens.map { Int(Self.recorded(Int64($0))) }
        request.maxOutputTokens = maxOutputTokens.map { Int(Self.recorded(Int64($0))) }
        request.now = Self.recorded(now)
        return request
    }

    /// What is out of bounds stays so when it is written down, and never takes more room than this.
    static func recorded(_ text: String) -> String {
        guard text.utf8.count > RoutingLimits.nameBytes else { return text }
        // Cut between scalars, and still too long to be valid.
        var cut = String.UnicodeScalarView()
        var bytes = 0
        for scalar in text.unicodeScalars where bytes <= RoutingLimits.nameBytes {
            cut.append(scalar)
            bytes += String(scalar).utf8.count
        }
        return String(cut)
    }

    /// Canonical JSON has no integer beyond 2⁵³ − 1.
    static func recorded(_ number: Int64) -> Int64 {
        min(max(number, -9_007_199_254_740_991), 9_007_199_254_740_991)
    }
}

extension RoutingDecision {
    /// `model`, `refused` or `human`.
    public var resultWord: String {
        switch result {
        case .model: "model"
        case .refused: "refused"
        case .human: "human"
        }
    }
}
