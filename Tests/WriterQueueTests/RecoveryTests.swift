import Support
import Testing

@testable import Capsule
@testable import WriterQueue

@Suite struct RecoveryTests {
    private static let run = CapsuleBuilder.run(1)

    /// A run of three events, each in a batch that was synced, and where the batches end.
    private func sample() throws -> (bytes: [UInt8], ends: [Int]) {
        let builder = CapsuleBuilder()
        var ends: [Int] = []
        builder.snapshot()
        builder.sync()
        ends.append(builder.bytes.count)
        for type in [RegisteredType.runStart, .note, .note] {
            builder.event(type, in: Self.run)
            builder.sync()
            ends.append(builder.bytes.count)
        }
        return (builder.bytes, ends)
    }

    private func note(_ durable: Int, generation: UInt64 = 0) -> [UInt8] {
        DurableNote(
            capsule: CapsuleBuilder.capsuleID,
            generation: generation,
            durableLength: UInt64(durable),
            holder: "{}"
        ).encoded
    }

    @Test func aTornTailIsCutAndKeptBesideTheCapsule() async throws {
        let (bytes, ends) = try sample()
        for length in stride(from: ends[2] + 1, to: bytes.count, by: 37) {
            let desk = try Desk(Array(bytes[..<length]), note: note(ends[2]))
            let queue = try await desk.open()
            #expect(try desk.bytes() == Array(bytes[..<ends[2]]), "\(length) bytes")
            let end = bytes[..<length].lastIndex { $0 != 0 } ?? 0
            #expect(try desk.bytes(of: "d/a.cpsl.torn-1") == Array(bytes[ends[2]...end]), "\(length) bytes")
            #expect(try await queue.append("x", to: Self.run).event.sequence == 2)
            _ = try desk.read()
        }
    }

    @Test func zeroesAtTheEndAreCutAndNotKept() async throws {
        let (bytes, ends) = try sample()
        for tail in [[], [1, 2, 3]] as [[UInt8]] {
            let desk = try Desk(bytes + tail + [UInt8](repeating: 0, count: 5000), note: note(ends[3]))
            _ = try await desk.open()
            #expect(try desk.bytes() == bytes)
            #expect(try desk.bytes(of: "d/a.cpsl.torn-1") == (tail.isEmpty ? nil : tail))
        }
    }

    @Test func theTailIsSafeBeforeItIsCut() async throws {
        let (bytes, ends) = try sample()
        let desk = try Desk(Array(bytes.dropLast(3)), note: note(ends[2]))
        _ = try await desk.open()
        let calls = desk.storage.calls.map { ($0.operation, $0.path.lastComponent?.string ?? "") }
        let torn = "a.cpsl.torn-1"
        let expected: [(ObservedStorage.Operation, String)] = [
            (.create, torn), (.write, torn), (.sync, torn), (.syncDirectory, "d"), (.truncate, "a.cpsl"),
            (.sync, "a.cpsl"),
            (.write, "a.cpsl.note"),
        ]
        #expect(calls.elementsEqual(expected) { $0 == $1 }, "\(calls)")
    }

    @Test(arguments: [ObservedStorage.Operation.create, .write, .sync, .syncDirectory])
    func aTailThatCannotBeKeptIsNotCut(_ operation: ObservedStorage.Operation) async throws {
        let (bytes, ends) = try sample()
        let torn = Array(bytes.dropLast(3))
        let desk = try Desk(torn, note: note(ends[2]))
        desk.storage.set { call, index in call.operation == operation && index == 0 ? .error(.noSpace) : nil }
        await #expect(throws: StorageError.self) { _ = try await desk.open() }
        #expect(try desk.bytes() == torn)
        // With room again, it opens.
        #expect(try await desk.open().append("x", to: Self.run).event.sequence == 2)
    }

    @Test func theNewest16TailsAreKept() async throws {
        let (bytes, ends) = try sample()
        let desk = try Desk(bytes, note: note(ends[3]))
        for number in 1...20 {
            let length = UInt64(try desk.bytes()?.count ?? 0)
            let tail = Array("tail \(number)".utf8)
            let file = try desk.storage.open(desk.path, for: .readingAndWriting)
            try tail.withUnsafeBytes { buffer throws in try file.writeFully(buffer, at: length) }
            await (try await desk.open()).close()
        }
        let kept = try desk.storage.names(in: "d").filter { $0.contains(".torn-") }.compactMap {
            Int($0.split(separator: "-").last ?? "")
        }
        #expect(kept.sorted() == Array(5...20))
        #expect(try desk.bytes(of: "d/a.cpsl.torn-20") == Array("tail 20".utf8))
    }

    @Test func whatWasNotKnownDurableIsWrittenAgainAndSynced() async throws {
        let (bytes, ends) = try sample()
        for (index, end) in ends.enumerated() {
            let desk = try Desk(bytes, note: note(end))
            _ = try await desk.open()
            let calls = desk.storage.calls.filter { $0.path == desk.path }
            #expect(calls.map(\.operation) == (index == 3 ? [] : [.write, .sync]), "note at \(end)")
            let written = calls.first { $0.operation == .write }
            #expect(written.map { Int($0.offset) } == (index == 3 ? nil : end))
            #expect(written.map(\.count) == (index == 3 ? nil : bytes.count - end))
            #expect(try desk.bytes() == bytes, "the same bytes in the same place")
            let note = DurableNote.read(for: desk.path, header: CapsuleBuilder.plainHeader(), storage: desk.storage)
            #expect(note?.durableLength == UInt64(bytes.count))
        }
    }

    @Test(arguments: [nil, 1])
    func withoutANoteOfThisGenerationTheHeadersSayFromWhereToWriteAgain(_ generation: UInt64?) async throws {
        let (bytes, ends) = try sample()
        let desk = try Desk(bytes, note: generation.map { note(1 << 40, generation: $0) })
        _ = try await desk.open()
        let calls = desk.storage.calls.filter { $0.path == desk.path }
        #expect(calls.map(\.operation) == [.write, .sync])
        #expect(calls.first.map { Int($0.offset) } == ends[2], "what the last header knew to be durable")
        #expect(try desk.bytes() == bytes)
    }

    @Test func aFileShorterThanItsNoteIsRefusedAndLeftAlone() async throws {
        let (bytes, _) = try sample()
        for length in stride(from: 8193, to: bytes.count, by: 53) {
            let desk = try Desk(Array(bytes[..<length]), note: note(bytes.count))
            await #expect(throws: CapsuleError(.cutShort, ""), "\(length) bytes") { _ = try await desk.open() }
            #expect(try desk.bytes()?.count == length)
            #expect(desk.storage.calls.isEmpty)
        }
    }

    @Test func damageIsRefusedAndLeftAlone() async throws {
        let (bytes, _) = try sample()
        for place in stride(from: 8192, to: bytes.count, by: 29) {
            var damaged = bytes
            damaged[place] ^= 4
            let desk = try Desk(damaged, note: note(bytes.count))
            let error = try await #require(throws: CapsuleError.self, "byte \(place)") { _ = try await desk.open() }
            #expect(error.code == .damaged, "byte \(place)")
            #expect(try desk.bytes() == damaged)
            #expect(desk.storage.calls.isEmpty)
        }
    }

    @Test func zeroesWhereDataWasDurableAreDamage() async throws {
        let (bytes, ends) = try sample()
        let zeroed = Array(bytes[..<ends[2]]) + [UInt8](repeating: 0, count: bytes.count - ends[2])
        let desk = try Desk(zeroed, note: note(bytes.count))
        await #expect(throws: CapsuleError(.damaged, "")) { _ = try await desk.open() }
        #expect(try desk.bytes() == zeroed)
    }

    @Test func openingIsRefusedOrNotAsEachVectorSays() async throws {
        for vector in try Vectors.all() {
            let desk = try Desk(vector.bytes, note: vector.note)
            switch vector.status {
            case "ok":
                let queue = try await desk.open()
                try await queue.flush()
                #expect(try desk.read().report.findings.isEmpty, "\(vector.name)")
            case "torn-tail":
                let queue = try await desk.open()
                try await queue.start()
                #expect(try desk.read().report.end < UInt64(vector.bytes.count) + 2000, "\(vector.name)")
            default:
                await #expect(throws: (any Error).self, "\(vector.name)") { _ = try await desk.open() }
                #expect(try desk.bytes() == vector.bytes, "\(vector.name)")
                #expect(desk.storage.calls.filter { $0.path == desk.path }.isEmpty, "\(vector.name)")
            }
        }
    }

    @Test func aRuleThatIsBrokenIsNamed() async throws {
        for vector in try Vectors.all()
        where vector.status == "broken" && vector.codes.allSatisfy({ Finding.Code(rawValue: $0) != nil }) {
            // A write version that is not known is said first.
            if vector.name == "newer-write-version" { continue }
            let desk = try Desk(vector.bytes, note: vector.note)
            let error = await #expect(throws: WriteError.self, "\(vector.name)") { () async throws in
                _ = try await desk.open()
            }
            #expect(error?.code == .broken, "\(vector.name)")
        }
    }

    /// Two crashes in a row: the second tail begins where the first was cut.
    @Test func whatWasCutDoesNotComeBack() async throws {
        let (bytes, ends) = try sample()
        let desk = try Desk(Array(bytes.dropLast(3)), note: note(ends[2]))
        let queue = try await desk.open()
        try await queue.append("new", to: Self.run)
        await queue.close()
        let length = UInt64(try desk.bytes()?.count ?? 0)
        try desk.storage.open(desk.path, for: .readingAndWriting).truncate(to: length - 1)
        try desk.storage.remove(DurableNote.path(for: desk.path))
        _ = try await desk.open()
        #expect(try desk.read().bodies(of: Self.run) == ["{}", "{}"])
        #expect(try desk.bytes()?.count == ends[2])
    }

    @Test func recoveryThatFailsLeavesNothingToServe() async throws {
        let (bytes, ends) = try sample()
        let desk = try Desk(bytes, note: note(ends[1]))
        desk.storage.set { call, _ in call.operation == .sync ? .error(.ioError) : nil }
        await #expect(throws: StorageError.self) { _ = try await desk.open() }
        let note = DurableNote.read(for: desk.path, header: CapsuleBuilder.plainHeader(), storage: desk.storage)
        #expect(note?.durableLength == UInt64(ends[1]), "the note never leads")
    }

    /// The file is as long as the note says then; that the cut reached the disk, nobody knows.
    @Test func aCutWhoseSyncFailedIsSyncedBeforeAnythingIsServed() async throws {
        let (bytes, ends) = try sample()
        let desk = try Desk(Array(bytes.dropLast(3)), note: note(ends[2]))
        desk.storage.set { [path = desk.path] call, _ in
            call.operation == .sync && call.path == path ? .error(.ioError) : nil
        }
        await #expect(throws: StorageError.self) { _ = try await desk.open() }
        #expect(try desk.bytes() == Array(bytes[..<ends[2]]))
        desk.storage.set(nil)
        desk.storage.forget()
        _ = try await desk.open()
        #expect(desk.storage.calls.filter { $0.path == desk.path }.map(\.operation) == [.sync])
    }

    @Test func openingTakesNoLockWithIt() async throws {
        let (bytes, ends) = try sample()
        let desk = try Desk(bytes, note: note(ends[3]))
        let queue = try await desk.open()
        #expect(try desk.storage.open(desk.path, for: .readingAndWriting).tryLock(.exclusive))
        await queue.close()
    }
}
