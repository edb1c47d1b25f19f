import CrashHarness
import Foundation
import Support
import Testing
import WriterQueue

@testable import Capsule

/// What may be the matter with the files beside a capsule, and with its name.
@Suite struct SurroundingsTests {
    private func shop() throws -> (folder: TemporaryFolder, path: FilePath) {
        let folder = try TemporaryFolder()
        let builder = CapsuleBuilder()
        builder.snapshot()
        builder.event(.runStart, in: CapsuleBuilder.run(1))
        try Data(builder.bytes).write(to: folder.url("a.cpsl"))
        return (folder, folder.path("a.cpsl"))
    }

    @discardableResult
    private func append(_ queue: WriterQueue, at time: Timestamp = CapsuleBuilder.start) async throws -> UInt32 {
        let event = EventDraft(.registered(.note), body: Array("{}".utf8), time: time)
        let target = Submission.Target.run(CapsuleBuilder.run(1), token: nil)
        let receipts = try await queue.submit(Submission(target, events: [event]))
        return try #require(receipts.first).event.sequence
    }

    private func note(of path: FilePath) throws -> DurableNote? {
        let capsule = try CapsuleFile(path)
        return DurableNote.read(for: path, header: capsule.header, storage: capsule.storage)
    }

    @Test func aNoteThatIsDeletedWhileTheCapsuleIsOpenIsMadeAnew() async throws {
        let (folder, path) = try shop()
        let queue = try await WriterQueue(opening: path)
        try await append(queue)
        try FileManager.default.removeItem(at: folder.url("a.cpsl.note"))
        #expect(try await append(queue) == 2)
        #expect(try note(of: path)?.durableLength == CapsuleFile(path).length())
    }

    @Test(arguments: ["", "capsule-note-1 ", String(repeating: "x", count: 600)])
    func aNoteThatSaysNothingIsWrittenAnew(_ text: String) async throws {
        let (folder, path) = try shop()
        try Data(text.utf8).write(to: folder.url("a.cpsl.note"))
        #expect(try await append(WriterQueue(opening: path)) == 1)
        #expect(try note(of: path)?.durableLength == CapsuleFile(path).length())
    }

    /// It can make a capsule look cut short, and never have anything cut off.
    @Test func aForgedNoteThatClaimsTooMuchIsRefusedAndNothingIsChanged() async throws {
        let (folder, path) = try shop()
        let before = try Data(contentsOf: folder.url("a.cpsl"))
        let forged = DurableNote(capsule: CapsuleBuilder.capsuleID, generation: 0, durableLength: 1 << 40, holder: "")
        try Data(forged.encoded).write(to: folder.url("a.cpsl.note"))
        await #expect(throws: CapsuleError(.cutShort, "")) { _ = try await WriterQueue(opening: path) }
        #expect(try Data(contentsOf: folder.url("a.cpsl")) == before)
    }

    /// A process ID may have been given to somebody else since: only the lock says who writes.
    @Test func theHolderThatTheNoteNamesKeepsNobodyOut() async throws {
        let (folder, path) = try shop()
        let length = try CapsuleFile(path).length()
        let holder = #"{"pid":\#(ProcessInfo.processInfo.processIdentifier),"host":"elsewhere"}"#
        let claim = DurableNote(
            capsule: CapsuleBuilder.capsuleID,
            generation: 0,
            durableLength: length,
            holder: holder
        )
        try Data(claim.encoded).write(to: folder.url("a.cpsl.note"))
        #expect(try await append(WriterQueue(opening: path)) == 1)
    }

    @Test func anotherUsersNoteIsAPlaceToQueueAllTheSame() throws {
        let disk = SimulatedDisk()
        let builder = CapsuleBuilder()
        builder.snapshot()
        builder.event(.runStart, in: CapsuleBuilder.run(1))
        disk.put(builder.bytes, at: "d/a.cpsl")
        disk.put([], at: "d/a.cpsl.note")
        let process = disk.process()
        var isReading = false
        process.faultOnPath = { name, path in
            guard path == "d/a.cpsl.note" else { return nil }
            if name == "write" { return .error(.badFileDescriptor) }
            defer { isReading = true }
            return name == "open" && !isReading ? .error(.permissionDenied) : nil
        }
        let events = try OneTurn.append(to: "d/a.cpsl", on: process)
        #expect(events == 3)
    }

    @Test func whatStandsBesideALinkedCapsuleStandsBesideTheFile() async throws {
        let (folder, path) = try shop()
        let elsewhere = try TemporaryFolder()
        try FileManager.default.createSymbolicLink(
            at: elsewhere.url("link.cpsl"),
            withDestinationURL: folder.url("a.cpsl")
        )
        let queue = try await WriterQueue(opening: elsewhere.path("link.cpsl"))
        try await append(queue)
        #expect(try elsewhere.names == ["link.cpsl"])
        #expect(try folder.names.sorted() == ["a.cpsl", "a.cpsl.note"])
        #expect(try CapsuleFile(elsewhere.path("link.cpsl")).path.lastComponent?.string == "a.cpsl")
        #expect(try note(of: path)?.durableLength == CapsuleFile(path).length())
    }

    @Test func aClockThatGoesBackIsWrittenDownAsItIs() async throws {
        let (folder, path) = try shop()
        defer { withExtendedLifetime(folder) {} }
        let queue = try await WriterQueue(opening: path)
        for seconds in [0, 100, -100_000, 5] as [Int64] {
            let time = CapsuleBuilder.start.nanoseconds + seconds * 1_000_000_000
            try await append(queue, at: Timestamp(nanoseconds: time))
        }
        await queue.close()
        let report = try Verifier(CapsuleFile(path)).run()
        #expect(report.verdict == .intact && report.treeSize == 6)
    }

    @Test func oldTailsThatCannotBeDroppedAreNoReasonToRefuse() async throws {
        let (folder, path) = try shop()
        try FileManager.default.createDirectory(at: folder.url("a.cpsl.torn-1"), withIntermediateDirectories: false)
        try Data([1]).write(to: folder.url("a.cpsl.torn-30"))
        let whole = try Data(contentsOf: folder.url("a.cpsl"))
        try (whole + Data([1, 2, 3])).write(to: folder.url("a.cpsl"))
        #expect(try await append(WriterQueue(opening: path)) == 1)
        #expect(try Data(contentsOf: folder.url("a.cpsl.torn-31")) == Data([1, 2, 3]))
    }

    @Test(arguments: [OutsideEvidence(durableLength: 1 << 20), OutsideEvidence(treeSize: 100)])
    func aCapsuleThatFallsShortOfWhatIsKnownElsewhereIsNotWrittenTo(_ evidence: OutsideEvidence) async throws {
        let (folder, path) = try shop()
        let before = try Data(contentsOf: folder.url("a.cpsl"))
        var options = WriterQueue.Options()
        options.evidence = { _ in evidence }
        await #expect(throws: CapsuleError(.cutShort, "")) {
            _ = try await WriterQueue(opening: path, options: options)
        }
        #expect(try Data(contentsOf: folder.url("a.cpsl")) == before)
    }

    @Test func aReaderThatMeetsHalfABatchReadsAgainOnceTheWriterIsDone() throws {
        let builder = CapsuleBuilder()
        builder.snapshot()
        builder.plainRun()
        let whole = builder.bytes
        let disk = SimulatedDisk()
        disk.put(Array(whole.dropLast(20)), at: "d/a.cpsl")
        let file = try disk.process().open("d/a.cpsl", for: .readingAndWriting)
        disk.beforeSharedLock = {
            _ = try? whole.withUnsafeBytes { try file.writeFully($0, at: 0) }
        }
        let report = try Verifier(CapsuleFile("d/a.cpsl", storage: disk.process())).run()
        #expect(report.verdict == .intact && report.end == UInt64(whole.count))
    }

    /// A capsule on a simulated disk, whoever appended to it, and how long it is durable.
    private func writtenCapsule() throws -> (disk: SimulatedDisk, writer: SimulatedProcess, known: UInt64) {
        let builder = CapsuleBuilder()
        builder.snapshot()
        builder.event(.runStart, in: CapsuleBuilder.run(1))
        let disk = SimulatedDisk()
        disk.put(builder.bytes, at: "d/a.cpsl")
        let writer = disk.process()
        try OneTurn.append(to: "d/a.cpsl", on: writer)
        let known = UInt64(disk.contents("d/a.cpsl")?.count ?? 0)
        return (disk, writer, known)
    }

    @Test func noReaderTrustsASyncOfItsOwnAfterAWritersFailed() throws {
        let (disk, writer, known) = try writtenCapsule()
        writer.faultOnPath = { name, _ in name == "sync" ? .error(.ioError) : nil }
        #expect(throws: (any Error).self) { try OneTurn.append(to: "d/a.cpsl", on: writer) }
        let reach = try DurableReach(of: CapsuleFile("d/a.cpsl", storage: disk.process()), from: 0)
        #expect(reach.limit == known && reach.isBeingWritten)
        #expect(UInt64(disk.contents("d/a.cpsl")?.count ?? 0) > known)
        // A writer that recovers lifts it.
        try OneTurn.append(to: "d/a.cpsl", on: disk.process())
        let after = try DurableReach(of: CapsuleFile("d/a.cpsl", storage: disk.process()), from: 0)
        #expect(!after.isBeingWritten && after.limit == UInt64(disk.contents("d/a.cpsl")?.count ?? 0))
    }

    /// It opened the capsule between the failure and the writer's note of it: no sync of its own would be told.
    @Test func noReaderTrustsASyncOfItsOwnWhereAWritersFailureIsNotedMeanwhile() throws {
        let (disk, writer, known) = try writtenCapsule()
        let notePath = DurableNote.path(for: "d/a.cpsl")
        writer.faultOnPath = { name, path in
            if name == "sync" { return .error(.ioError) }
            return name == "write" && path == notePath ? .error(.noSpace) : nil
        }
        #expect(throws: (any Error).self) { try OneTurn.append(to: "d/a.cpsl", on: writer) }
        let capsule = try CapsuleFile("d/a.cpsl", storage: disk.process())
        var note = try #require(DurableNote.read(for: "d/a.cpsl", header: capsule.header, storage: disk.process()))
        #expect(!note.syncFailed && note.durableLength == known)
        note.syncFailed = true
        disk.beforeSharedLock = { [note] in
            let file = try? disk.process().open(notePath, for: .readingAndWriting)
            _ = note.encoded.withUnsafeBytes { bytes in try? file?.writeFully(bytes, at: 0) }
        }
        let reach = try DurableReach(of: capsule, from: 0)
        #expect(reach.limit == known && reach.isBeingWritten)
    }
}
