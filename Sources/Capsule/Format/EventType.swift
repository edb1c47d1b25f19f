/// What an event records: a registered code, or a name of the caller's own under a reverse domain name.
public enum EventType: Hashable, Sendable {
    case registered(RegisteredType)
    /// A code that this version has no name for, from a file that a newer one wrote.
    case unknown(UInt16)
    /// At least three labels: `com.example.deploy`. Checked by `init(name:)`.
    case custom(String)

    /// Reads a name as people write it: a registered one, or a reverse domain name of at least three labels.
    ///
    /// - Throws: `limitName`, `invalidName`.
    public init(name: String) throws(CapsuleError) {
        if let type = RegisteredType(name: name) {
            self = .registered(type)
            return
        }
        guard name.utf8.count <= Limits.typeNameBytes else {
            throw CapsuleError(.limitName, "a type name has at most \(Limits.typeNameBytes) bytes")
        }
        guard Self.isReverseDomain(name.utf8) else {
            throw CapsuleError(
                .invalidName,
                "'\(name)' is neither a registered event type nor a reverse domain name like com.example.deploy; "
                    + "registered are: " + RegisteredType.allCases.map(\.name).joined(separator: ", ")
            )
        }
        self = .custom(name)
    }

    /// The registered name, the caller's name, or `#` and the code.
    public var name: String {
        switch self {
        case .registered(let type): type.name
        case .unknown(let code): "#\(code)"
        case .custom(let name): name
        }
    }

    var code: UInt16 {
        switch self {
        case .registered(let type): type.rawValue
        case .unknown(let code): code
        case .custom: 0
        }
    }

    static func isReverseDomain(_ name: some Collection<UInt8>) -> Bool {
        let labels = name.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return labels.count >= 3
            && labels.allSatisfy { label in
                guard let first = label.first, label.count <= 63 else { return false }
                return isLetter(first)
                    && label.allSatisfy {
                        isLetter($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                            || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
                    }
            }
    }

    private static func isLetter(_ character: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(character)
    }
}

/// The event types of `spec/registry.md`.
public enum RegisteredType: UInt16, Sendable, CaseIterable {
    case runStart = 1
    case runEnd = 2
    case actor = 3
    case stage = 4
    case snapshot = 5
    case checkpoint = 6
    case policyFailure = 7
    case policyKept = 8
    case routingDecision = 16
    case routingSettlement = 17
    case modelCall = 18
    case retrievalRequest = 19
    case retrievalResponse = 20
    case toolCall = 21
    case toolResult = 22
    case patchApplied = 23
    case gateDecision = 24
    case gateResult = 25
    case humanAnswer = 26
    case error = 27
    case budgetAlert = 28
    case override = 29
    case note = 30
    case capsuleCreate = 64
    case capsuleErase = 65
    case capsuleSalvage = 66
    case capsuleClose = 67
    case capsuleAdopt = 68

    private static let names: [RegisteredType: String] = [
        .runStart: "run.start", .runEnd: "run.end", .actor: "actor", .stage: "stage", .snapshot: "snapshot",
        .checkpoint: "checkpoint", .policyFailure: "policy.failure", .policyKept: "policy.kept",
        .routingDecision: "routing.decision", .routingSettlement: "routing.settlement",
        .modelCall: "model.call", .retrievalRequest: "retrieval.request", .retrievalResponse: "retrieval.response",
        .toolCall: "tool.call", .toolResult: "tool.result", .patchApplied: "patch.applied",
        .gateDecision: "gate.decision", .gateResult: "gate.result", .humanAnswer: "human.answer", .error: "error",
        .budgetAlert: "budget.alert", .override: "override", .note: "note", .capsuleCreate: "capsule.create",
        .capsuleErase: "capsule.erase", .capsuleSalvage: "capsule.salvage", .capsuleClose: "capsule.close",
        .capsuleAdopt: "capsule.adopt",
    ]
    private static let byName = Dictionary(uniqueKeysWithValues: names.map { ($1, $0) })

    public init?(name: String) {
        guard let type = Self.byName[name] else { return nil }
        self = type
    }

    public var name: String { Self.names[self] ?? "#\(rawValue)" }

    /// Whether the type belongs to run zero, the capsule's own.
    public var isOfRunZero: Bool { rawValue >= 64 }
}

/// How a run ended (`spec/registry.md`).
public enum Outcome: UInt8, Sendable, CaseIterable {
    case completed = 1
    case failed = 2
    case cancelled = 3
    case abandoned = 4
    case refused = 5

    public var name: String { "\(self)" }

    public init?(name: String) {
        guard let outcome = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = outcome
    }
}

/// The media type of a body, by its registered code.
public struct MediaType: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static let none = MediaType(rawValue: 0)
    public static let json = MediaType(rawValue: 1)
    public static let bytes = MediaType(rawValue: 2)
    public static let text = MediaType(rawValue: 3)

    private static let names: [String] = [
        "none", "application/json", "application/octet-stream", "text/plain; charset=utf-8",
        "text/markdown; charset=utf-8", "application/x-ndjson", "application/cbor", "text/x-diff; charset=utf-8",
        "application/toml", "application/yaml", "image/png", "application/vnd.in-toto+json",
    ]

    /// Names that may be given; those after the first are without `none`.
    public static var registeredNames: [String] { Array(names.dropFirst()) }

    /// Reads a registered name, with or without its parameter.
    public init?(name: String) {
        let index = Self.names.firstIndex { $0 == name || $0.split(separator: ";").first.map(String.init) == name }
        guard let index, index > 0 else { return nil }
        self.init(rawValue: UInt16(index))
    }

    /// The registered name, or `#` and the code.
    public var name: String { Self.names.indices.contains(Int(rawValue)) ? Self.names[Int(rawValue)] : "#\(rawValue)" }

    /// Whether people can read the bytes as they are.
    public var isText: Bool { [1, 3, 4, 5, 7, 8, 9, 11].contains(rawValue) }
}
