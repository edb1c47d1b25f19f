import Foundation
import JSONText
import Testing

@testable import ModelPolicy
@testable import ModelRouter

func exampleText() throws -> [UInt8] {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Examples/policy/model_policy.toml")
    return Array(try Data(contentsOf: path))
}

/// The workspace's example policy, compiled.
func examplePolicy() throws -> CompiledPolicy {
    let source = SourceFile(name: "model_policy.toml", bytes: try exampleText())
    return try #require(PolicyCompiler.compile(workspace: source).snapshot).policy
}

/// A run in which calls are routed and settled, with a clock that only the test moves.
struct Scene {
    var policy: CompiledPolicy { didSet { program = Self.program(policy) } }
    private(set) var program: RouterProgram
    var state = RoutingState()
    var now: Int64 = 1_800_000_000_000
    private(set) var sequence: UInt32 = 0
    /// What was recorded, in order.
    private(set) var events: [RoutingEvent] = []
    /// Bodies of decisions by their sequence.
    private(set) var bodies: [UInt32: [UInt8]] = [:]

    init(_ policy: CompiledPolicy, risk: String = "low", stage: String? = "implement") {
        self.policy = policy
        program = Self.program(policy)
        record(.start, ["risk": .string(risk)])
        if let stage { enter(stage) }
    }

    /// Under an ID that costs nothing to work out.
    private static func program(_ policy: CompiledPolicy) -> RouterProgram {
        guard BuiltinPolicy(rawValue: policy.name) == nil else { return RouterProgram(policy) }
        return RouterProgram(policy, id: SnapshotID(ofSnapshot: []))
    }

    mutating func enter(_ stage: String) { record(.stage, ["name": .string(stage)]) }

    @discardableResult
    mutating func record(_ kind: RoutingEvent.Kind, _ body: JSONValue, causes: [UInt32] = []) -> UInt32 {
        let event = RoutingEvent(kind, sequence: sequence, time: now, causes: causes, body: body)
        state.take(event)
        events.append(event)
        sequence += 1
        return sequence - 1
    }

    func request(_ role: String, _ adjust: (inout RoutingRequest) -> Void = { _ in }) -> RoutingRequest {
        var request = RoutingRequest(role: role, task: "t", now: now)
        (request.inputTokens, request.maxOutputTokens, request.confidence) = (100, 100, Ratio(millionths: 900_000))
        adjust(&request)
        return request
    }

    func derive(_ request: RoutingRequest) -> DerivedInputs {
        state.derive(for: request, under: program, enforcement: policy.enforcement)
    }

    /// Decides without recording.
    func look(_ role: String, _ adjust: (inout RoutingRequest) -> Void = { _ in }) -> RoutingDecision {
        let request = request(role, adjust)
        return program.decide(request, derive(request))
    }

    /// Decides and records, with the alerts; answers the decision and its sequence.
    @discardableResult
    mutating func route(
        _ role: String,
        _ adjust: (inout RoutingRequest) -> Void = { _ in }
    ) throws -> (decision: RoutingDecision, at: UInt32) {
        let request = request(role, adjust)
        let derived = derive(request)
        let decision = program.decide(request, derived)
        let body = RoutingEvidence.encode(decision, request: request, derived: derived, under: program)
        let place = record(.decision, try JSONValue.parse(body))
        bodies[place] = body
        for alert in decision.alerts { record(.alert, alert.body) }
        return (decision, place)
    }

    mutating func settle(_ decision: UInt32, _ outcome: CallOutcome, usd: String? = nil, tokens: Int? = nil) {
        var body = JSONValue.Members()
        body["decision"] = .number(JSONNumber(decision))
        body["outcome"] = .string(outcome.rawValue)
        if let usd { body["cost_usd"] = .string(usd) }
        if let tokens { body["input_tokens"] = .number(JSONNumber(tokens)) }
        record(.settlement, .object(body), causes: [decision])
    }

    mutating func wait(_ milliseconds: Int64) { now += milliseconds }
}

extension RoutingDecision {
    var model: String? { choice?.model }
    func verdict(of model: String) -> Candidate.Verdict? { candidates.first { $0.model == model }?.verdict }
}
