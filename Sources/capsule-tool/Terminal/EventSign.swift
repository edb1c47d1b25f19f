import Ledger

/// One character for a kind of event, so that the eye finds it.
enum EventSign {
    static func of(_ event: ReadEvent) -> String {
        if event.isFailure { return event.registered == .runEnd ? "■" : "✗" }
        return switch event.registered {
        case .runStart: "▶"
        case .runEnd: "■"
        case .actor: "@"
        case .stage: "»"
        case .snapshot, .policyKept: "§"
        case .policyFailure: "✗"
        case .checkpoint: "◆"
        case .routingDecision, .routingSettlement: "→"
        case .modelCall: "*"
        case .retrievalRequest: "?"
        case .retrievalResponse: "="
        case .toolCall: ">"
        case .toolResult: "<"
        case .patchApplied: "±"
        case .gateDecision, .gateResult: "✓"
        case .humanAnswer: "&"
        case .error: "✗"
        case .budgetAlert: "$"
        case .override: "!"
        case .note: "·"
        case nil, .capsuleCreate, .capsuleErase, .capsuleSalvage, .capsuleClose, .capsuleAdopt: "•"
        }
    }

    static func style(_ event: ReadEvent) -> Terminal.Style? {
        if event.isFailure { return .red }
        return switch event.registered {
        case .runStart, .runEnd, .stage, .checkpoint, .snapshot: .bold
        case .override, .budgetAlert, .humanAnswer, .policyKept, .policyFailure: .yellow
        case .gateDecision: .green
        default: nil
        }
    }
}
