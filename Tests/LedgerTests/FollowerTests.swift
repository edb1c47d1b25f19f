import Foundation
import Support
import Testing

@testable import Ledger

/// A file that grows under a follower, byte by byte as a test says.
private final class GrowingCapsule {
    let path: FilePath
    private let folder: String

    init() throws {
        folder = FileManager.default.temporaryDirectory.path + "/follow-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        path = FilePath("\(folder)/runs.cpsl")
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Puts these bytes there, in the same file or, with `renaming`, in a new one.
    func write(_ bytes: [UInt8], renaming: Bool = false) throws {
        guard !renaming, FileManager.default.fileExists(atPath: path.string) else {
            return try Data(bytes).write(to: URL(fileURLWithPath: path.string), options: .atomic)
        }
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path.string))
        try file.write(contentsOf: Data(bytes))
        try file.truncate(atOffset: UInt64(bytes.count))
        try file.close()
    }

    func note(durable: UInt64, generation: UInt64 = 0) throws {
        let note = DurableNote(
            capsule: CapsuleBuilder.capsuleID, generation: generation, durableLength: durable, holder: "{}")
        try Data(note.encoded).write(to: URL(fileURLWithPath: DurableNote.path(for: path).string))
    }

    static func builder(generation: UInt64 = 0, notes: Int) -> CapsuleBuilder {
        let builder = CapsuleBuilder(header: CapsuleBuilder.plainHeader(generation: generation))
        builder.object(.snapshot, CapsuleBuilder.policy)
        builder.flush()
        builder.event(.runStart, in: CapsuleBuilder.run(1))
        builder.flush()
        for _ in 0..<notes {
            builder.event(.note, in: CapsuleBuilder.run(1), body: #"{"text":"x"}"#)
            if generation == 0 { builder.flush() }
        }
        builder.flush()
        return builder
    }
}

@Suite struct FollowerTests {
    private func poll(_ follower: CapsuleFollower, times: Int = 1) throws -> (CapsuleFollower.Change, [UInt64]) {
        var leaves: [UInt64] = []
        var change = CapsuleFollower.Change.none
        for _ in 0..<times {
            let now = try follower.poll { leaves.append($0.leafIndex) }
            if now != .none { change = now }
        }
        return (change, leaves)
    }

    @Test func eachEventIsHandedOverOnceInItsOrder() throws {
        let capsule = try GrowingCapsule()
        try capsule.write(GrowingCapsule.builder(notes: 0).bytes)
        let follower = try CapsuleFollower(CapsuleFile(capsule.path), from: FileHeader.size, treeSize: 0)
        var seen: [UInt64] = []
        for notes in [0, 1, 1, 5, 20] {
            let bytes = GrowingCapsule.builder(notes: notes).bytes
            try capsule.write(bytes)
            try capsule.note(durable: UInt64(bytes.count))
            seen += try poll(follower).1
            #expect(seen == Array(0..<UInt64(notes + 2)))
        }
    }

    @Test func whatIsNotDurableIsNotShownWhileAWriterIsAtWork() throws {
        let capsule = try GrowingCapsule()
        let before = GrowingCapsule.builder(notes: 1).bytes
        let after = GrowingCapsule.builder(notes: 2).bytes
        try capsule.write(after)
        try capsule.note(durable: UInt64(before.count))
        let follower = try CapsuleFollower(CapsuleFile(capsule.path), from: FileHeader.size, treeSize: 0)
        let writer = try PosixStorage().open(capsule.path, for: .readingAndWriting)
        #expect(try writer.tryLock(.exclusive))
        #expect(try poll(follower, times: 50).1 == [0, 1, 2])
        // Its sync ends, and it says so.
        try capsule.note(durable: UInt64(after.count))
        #expect(try poll(follower).1 == [3])
        writer.close()
    }

    @Test func whatADeadWriterLeftIsShownOnceItIsSynced() throws {
        let capsule = try GrowingCapsule()
        try capsule.write(GrowingCapsule.builder(notes: 2).bytes)
        try capsule.note(durable: UInt64(GrowingCapsule.builder(notes: 1).bytes.count))
        let follower = try CapsuleFollower(CapsuleFile(capsule.path), from: FileHeader.size, treeSize: 0)
        #expect(try poll(follower, times: 50).1 == [0, 1, 2, 3])
    }

    @Test func followingGoesOnInAnotherGeneration() throws {
        let capsule = try GrowingCapsule()
        let bytes = GrowingCapsule.builder(notes: 3).bytes
        try capsule.write(bytes)
        try capsule.note(durable: UInt64(bytes.count))
        let follower = try CapsuleFollower(CapsuleFile(capsule.path), from: FileHeader.size, treeSize: 0)
        #expect(try poll(follower).1 == [0, 1, 2, 3, 4])
        let rewritten = GrowingCapsule.builder(generation: 1, notes: 6).bytes
        try capsule.write(rewritten, renaming: true)
        try capsule.note(durable: UInt64(rewritten.count), generation: 1)
        #expect(try poll(follower).0 == .rewritten(generation: 1))
        #expect(try poll(follower).1 == [5, 6, 7])
    }

    @Test func anotherFileAndAShorterOneAreErrors() throws {
        let capsule = try GrowingCapsule()
        let bytes = GrowingCapsule.builder(notes: 3).bytes
        try capsule.write(bytes)
        try capsule.note(durable: UInt64(bytes.count))
        let follower = try CapsuleFollower(CapsuleFile(capsule.path), from: FileHeader.size, treeSize: 0)
        #expect(try poll(follower).1.count == 5)
        try capsule.write(GrowingCapsule.builder(notes: 1).bytes)
        #expect(throws: CapsuleError(.cutShort, at: 0, "")) { try poll(follower) }
        // The same generation under another inode is a copy that was put there, not a rewrite.
        try capsule.write(bytes, renaming: true)
        #expect(throws: LedgerError(.noCapsule, "")) { try poll(follower) }
    }

    @Test func damageThatFollowsIsAnErrorAndNotSilence() throws {
        let capsule = try GrowingCapsule()
        var bytes = GrowingCapsule.builder(notes: 3).bytes
        bytes[bytes.count - 5] ^= 1
        try capsule.write(bytes)
        try capsule.note(durable: UInt64(bytes.count))
        let follower = try CapsuleFollower(CapsuleFile(capsule.path), from: FileHeader.size, treeSize: 0)
        #expect(throws: CapsuleError(.damaged, at: 0, "")) { try poll(follower) }
    }
}
