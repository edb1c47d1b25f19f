import Ledger

/// A new capsule and a run in it to append to.
struct Recorder: Sendable {
    let path: FilePath
    let ledger: CapsuleLedger
    let run: RunHandle

    init(_ path: FilePath, followsIndex: Bool = true) async throws {
        self.path = path
        try CapsuleLedger.create(path)
        ledger = try await CapsuleLedger(appendingTo: path, followsIndex: followsIndex)
        run = try await ledger.start(RunStart(.snapshot(try Self.policy))).handle
    }

    static var policy: PolicySnapshot {
        get throws {
            try PolicySnapshot(canonicalJSON: Array(#"{"policy":{"name":"benchmark","version":"1"}}"#.utf8))
        }
    }

    /// Appends bodies in submissions of `size`, each awaited before the next, and syncs once at the end.
    func append(_ bodies: [[UInt8]], as type: RegisteredType = .toolCall, by size: Int) async throws {
        for start in stride(from: 0, to: bodies.count, by: size) {
            let drafts = bodies[start..<min(bodies.count, start + size)].map { body in
                EventDraft(.registered(type), body: body)
            }
            _ = try await ledger.append(drafts, to: run, durability: .written)
        }
        try await ledger.flush()
    }

    /// Appends one durable event.
    func append(_ body: [UInt8]) async throws {
        _ = try await ledger.append([EventDraft(.registered(.toolCall), body: body)], to: run, durability: .durable)
    }

    /// Seals the run and closes the capsule.
    func finish() async throws {
        _ = try await ledger.end(run, outcome: .completed, details: RunEnd())
        await ledger.close()
    }
}

/// `count` tool calls of 300 bytes.
func smallBodies(_ count: Int) -> [[UInt8]] {
    var generator = Generator(seed: 300)
    return (0..<count).map { _ in generator.toolCall(bytes: 300) }
}
