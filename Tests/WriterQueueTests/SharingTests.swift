import Foundation
import Support
import Testing

@testable import Capsule
@testable import WriterQueue

/// Several queues on one real file: each opens it for itself, as processes do.
@Suite struct SharingTests {
    @Test(arguments: [2, 8])
    func everythingAcknowledgedToManyWritersIsThereExactlyOnce(_ count: Int) async throws {
        let desk = try Desk(onDisk: ())
        var queues: [WriterQueue] = []
        for _ in 0..<count { queues.append(try await desk.open()) }
        let shared = try await queues[0].newRun()
        let acknowledged = try await withThrowingTaskGroup(of: [(String, Receipt)].self) { [queues] group in
            for (number, queue) in queues.enumerated() {
                group.addTask { try await Self.work(queue, number, shared) }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        for queue in queues { await queue.close() }
        let contents = try desk.read()
        for (body, receipt) in acknowledged {
            #expect(contents.event(receipt)?.body == Array(body.utf8), "\(body)")
        }
        let bodies = contents.events.map { String(decoding: $0.body ?? [], as: UTF8.self) }.filter {
            $0.hasPrefix("writer")
        }
        #expect(bodies.sorted() == acknowledged.map(\.0).sorted())
        for run in Set(contents.events.map(\.envelope.run)) {
            let sequences = contents.events(of: run).map(\.envelope.sequence)
            #expect(sequences == Array(0..<UInt32(sequences.count)), "run \(run)")
        }
    }

    /// Appends to a shared run and to one of its own, some tasks at a time.
    private static func work(
        _ queue: WriterQueue,
        _ number: Int,
        _ shared: RunID
    ) async throws -> [(String, Receipt)] {
        let own = try await queue.newRun()
        let receipts = try await withThrowingTaskGroup(of: [(String, Receipt)].self) { group in
            for task in 0..<4 {
                group.addTask {
                    var receipts: [(String, Receipt)] = []
                    for event in 0..<5 {
                        let body = "writer \(number), task \(task), event \(event)"
                        let durability = event % 2 == 0 ? Durability.durable : .written
                        receipts.append(
                            (body, try await queue.append(body, to: task % 2 == 0 ? shared : own, durability))
                        )
                    }
                    return receipts
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        try await queue.end(own)
        return receipts
    }

    @Test func anActorIsIntroducedOnceThoughTwoWritersRace() async throws {
        let desk = try Desk(onDisk: ())
        let queues = [try await desk.open(), try await desk.open()]
        let run = try await queues[0].newRun()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<40 {
                group.addTask {
                    try await queues[number % 2].append(.note("\(number)", actor: "actor \(number / 2 % 5)"), to: run)
                }
            }
            try await group.waitForAll()
        }
        let events = try desk.read().events(of: run)
        #expect(events.filter { $0.envelope.type == .registered(.actor) }.count == 5)
        #expect(events.count == 46)
    }

    @Test func aSnapshotIsStoredOnceThoughTwoWritersRace() async throws {
        let desk = try Desk(onDisk: ())
        let queues = [try await desk.open(), try await desk.open()]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<20 { group.addTask { try await queues[number % 2].start() } }
            try await group.waitForAll()
        }
        #expect(try desk.read().objects.count == 1)
    }

    @Test func aNamedRunIsStartedOnceThoughTwoWritersRace() async throws {
        let desk = try Desk(onDisk: ())
        let queues = [try await desk.open(), try await desk.open()]
        let runs = try await withThrowingTaskGroup(of: RunID.self) { group in
            for number in 0..<20 { group.addTask { try await queues[number % 2].start(name: "nightly").event.run } }
            return try await group.reduce(into: Set<RunID>()) { $0.insert($1) }
        }
        #expect(runs.count == 1)
        #expect(try desk.read().report.treeSize == 2)
    }

    @Test func noWriterAppendsToARunThatAnotherOneEnded() async throws {
        let desk = try Desk(onDisk: ())
        let (queue, other) = (try await desk.open(), try await desk.open())
        let run = try await queue.newRun()
        try await other.append("x", to: run)
        try await other.end(run)
        await expectRefusal(.runEnded) { try await queue.append("y", to: run) }
        _ = try desk.read()
    }

    @Test func aLockHeldForLifeKeepsOthersOutAndSaysWhoHasIt() async throws {
        let desk = try Desk(onDisk: ())
        let queue = try await desk.open { $0.holdsLock = true }
        let run = try await queue.newRun()
        let error = try await #require(throws: WriteError.self) { _ = try await desk.open { $0.lockTimeout = 0.02 } }
        #expect(error.code == .locked)
        #expect(error.reason.contains("\"pid\":\(ProcessInfo.processInfo.processIdentifier)"), "\(error)")
        try await queue.append("x", to: run)
        await queue.close()
        #expect(try await desk.open().append("y", to: run).event.sequence == 2)
    }

    @Test func aLockHeldForLifeKeepsOutAWriterThatWasThereBefore() async throws {
        let desk = try Desk(onDisk: ())
        let before = try await desk.open { $0.lockTimeout = 0.02 }
        let run = try await before.newRun()
        let queue = try await desk.open { $0.holdsLock = true }
        await expectRefusal(.locked) { try await before.append("x", to: run) }
        await queue.close()
        #expect(try await before.append("y", to: run).event.sequence == 1)
    }

    @Test func theHolderIsTheOneWhoHasTheLockNotTheOneWhoWroteLast() async throws {
        let desk = try Desk(onDisk: ())
        let before = try await desk.open { $0.purpose = "the writer before" }
        try await before.start()
        await before.close()
        let queue = try await desk.open {
            $0.purpose = "the holder now"
            $0.holdsLock = true
        }
        let error = try await #require(throws: WriteError.self) { _ = try await desk.open { $0.lockTimeout = 0.02 } }
        #expect(error.reason.contains("the holder now"), "\(error)")
        await queue.close()
    }

    @Test func whoHoldsTheLockIsSaidWhateverTheRunIsCalled() async throws {
        let desk = try Desk(onDisk: ())
        let queue = try await desk.open {
            $0.purpose = String(repeating: "🗂", count: 200) + "\"\\\n"
            $0.holdsLock = true
        }
        let error = try await #require(throws: WriteError.self) { _ = try await desk.open { $0.lockTimeout = 0.02 } }
        #expect(error.reason.contains("\"pid\":\(ProcessInfo.processInfo.processIdentifier)"), "\(error)")
        await queue.close()
    }

    @Test func aReaderFollowsWhileAWriterHasTheLock() async throws {
        let desk = try Desk(onDisk: ())
        let queue = try await desk.open { $0.holdsLock = true }
        let run = try await queue.newRun()
        for number in 1...5 {
            try await queue.append("\(number)", to: run)
            #expect(try desk.read().events(of: run).count == number + 1)
        }
        await queue.close()
    }
}

/// Another file under the name while the queue is open.
@Suite struct ReplacementTests {
    private func capsule(generation: UInt64) -> [UInt8] {
        let builder = CapsuleBuilder(header: CapsuleBuilder.plainHeader(generation: generation))
        builder.snapshot()
        builder.event(.runStart, in: CapsuleBuilder.run(1))
        builder.sync()
        return builder.bytes
    }

    @Test(arguments: [false, true])
    func aCapsuleThatWasRewrittenIsNoticedAndTheOldFileLeftAlone(_ holdsLock: Bool) async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("a.cpsl")
        try Data(capsule(generation: 0)).write(to: folder.url("a.cpsl"))
        var options = WriterQueue.Options()
        options.holdsLock = holdsLock
        let queue = try await WriterQueue(opening: path, options: options)
        try await queue.append("old", to: CapsuleBuilder.run(1))
        try FileManager.default.linkItem(at: folder.url("a.cpsl"), to: folder.url("old.cpsl"))
        let old = try Data(contentsOf: folder.url("old.cpsl"))
        try Data(capsule(generation: 1)).write(to: folder.url("new.cpsl"))
        try PosixStorage().rename(folder.path("new.cpsl"), to: path)
        // The rewritten file lacks the event that the old one got: its next sequence tells which file was read.
        #expect(try await queue.append("new", to: CapsuleBuilder.run(1)).event.sequence == 1)
        #expect(try Data(contentsOf: folder.url("old.cpsl")) == old)
        let contents = try Contents(path, PosixStorage())
        #expect(contents.report.verdict == .intact && contents.bodies(of: CapsuleBuilder.run(1)) == ["{}", "new"])
    }

    @Test func aCapsuleThatIsGoneIsNotMadeAnew() async throws {
        let folder = try TemporaryFolder()
        try Data(capsule(generation: 0)).write(to: folder.url("a.cpsl"))
        let queue = try await WriterQueue(opening: folder.path("a.cpsl"))
        try FileManager.default.removeItem(at: folder.url("a.cpsl"))
        await #expect(throws: StorageError.self) { try await queue.append("x", to: CapsuleBuilder.run(1)) }
        #expect(try folder.names == ["a.cpsl.note"])
    }

    @Test func anotherCapsuleUnderTheNameIsNotWrittenTo() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        try await queue.start()
        let header = try FileHeader(capsule: CapsuleID(words: (1, 2)), created: CapsuleBuilder.start)
        let other = try CapsuleFile.create(
            "d/other.cpsl",
            header: header,
            body: Array("{}".utf8),
            storage: desk.storage
        )
        let before = try desk.bytes(of: other.path)
        try desk.storage.remove(DurableNote.path(for: desk.path))
        try desk.storage.rename(other.path, to: desk.path)
        await expectRefusal(.replaced) { try await queue.start() }
        #expect(try desk.bytes() == before)
    }

    /// Without its note the file is opened again, and only the queue knows how long it was.
    @Test(arguments: [true, false])
    func aFileThatBecameShorterIsRefused(_ hasNote: Bool) async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        let length = UInt64(try desk.bytes()?.count ?? 0)
        try await queue.append("x", to: run)
        try desk.storage.open(desk.path, for: .readingAndWriting).truncate(to: length)
        if !hasNote { try desk.storage.remove(DurableNote.path(for: desk.path)) }
        let before = try desk.bytes()
        for _ in 0..<2 {
            await #expect(throws: CapsuleError(.cutShort, "")) { try await queue.append("y", to: run) }
        }
        #expect(try desk.bytes() == before)
    }

    @Test func aNewerWriteVersionRefusesAppendsAndAllowsReading() async throws {
        var header = CapsuleBuilder.plainHeader()
        header.writeVersion = 2
        let desk = try Desk(CapsuleBuilder(header: header).bytes)
        await expectRefusal(.newerFormat) { _ = try await desk.open() }
        #expect(try desk.read().report.treeSize == 1)
        #expect(desk.storage.calls.isEmpty)
    }
}
