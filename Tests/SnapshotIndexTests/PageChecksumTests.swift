import Capsule
import GRDB
import SnapshotIndex
import Synchronization
import Testing
import WriterQueue

@Suite("Every page of an index has a checksum")
struct PageChecksumTests {
    /// A run of every kind: ended and open ones, with names, keys, actors, a shared blob, two snapshots and checkpoints.
    private func fixture() async throws -> (Fixture, open: RunID) {
        let fixture = try await Fixture()
        for number in 0..<4 {
            let run = try await fixture.start("ended \(number)")
            try await fixture.append(to: run, count: 3, makesCheckpoint: true)
            try await fixture.end(run)
        }
        let open = try await fixture.start("open", snapshot: #"{"a":1}"#)
        for key in ["k", "l"] { _ = try await fixture.queue.submit(keyed(open, key)) }
        var blob = EventDraft(.registered(.note), body: Array(repeating: 7, count: 1 << 20))
        blob.media = .text
        blob.sharesBlob = true
        _ = try await fixture.queue.submit(Submission(.run(open, token: nil), events: [blob]))
        await fixture.queue.close()
        _ = try fixture.indexed()
        return (fixture, open)
    }

    private func keyed(_ run: RunID, _ key: String) -> Submission {
        var draft = EventDraft(.registered(.note), body: Array("{}".utf8), time: Timestamp(nanoseconds: 5))
        draft.key = key
        return Submission(.run(run, token: nil), events: [draft])
    }

    private func isSealed(_ bytes: [UInt8]) -> Bool {
        var sealed = bytes
        PageChecksums.seal(&sealed, pageSize: 4096)
        return sealed == bytes
    }

    @Test("After every transaction and checkpoint of SQLite's, and in an index made anew")
    func written() async throws {
        let fixture = try await Fixture()
        for round in 0..<5 {
            let run = try await fixture.start("run \(round)")
            for _ in 0..<20 { try await fixture.append(to: run, count: 20, makesCheckpoint: true) }
            _ = try fixture.indexed()
            let bytes = try fixture.bytes(of: fixture.indexPath)
            // Byte 20 of a database tells how much of each page is kept clear.
            #expect(bytes.count > 8 * 4096 && bytes[20] == 4 && isSealed(bytes))
        }
        try SnapshotIndex.drop(for: fixture.path)
        _ = try fixture.indexed()
        #expect(try isSealed(fixture.bytes(of: fixture.indexPath)))
    }

    @Test("A page with a bit that flipped anywhere, or of another place, cannot be read")
    func unreadable() async throws {
        let (fixture, _) = try await fixture()
        let sound = try fixture.bytes(of: fixture.indexPath)
        let pages = sound.count / 4096
        for page in 0..<pages {
            for place in [0, 1, 700, 2048, 4091, 4092, 4095] {
                // The first bytes of a file say that it is a database at all.
                guard page > 0 || place >= 700 else { continue }
                var bytes = sound
                bytes[page * 4096 + place] ^= 1 << UInt8(place % 8)
                #expect(try codeOfReading(bytes, in: fixture) == .SQLITE_IOERR_DATA, "page \(page), byte \(place)")
            }
            guard page > 0 else { continue }
            let other = page == pages - 1 ? 1 : page + 1
            var bytes = sound
            bytes.replaceSubrange(page * 4096..<(page + 1) * 4096, with: sound[other * 4096..<(other + 1) * 4096])
            #expect(try codeOfReading(bytes, in: fixture) == .SQLITE_IOERR_DATA, "page \(page) as \(other)")
        }
        #expect(try codeOfReading(sound, in: fixture) == nil)
    }

    /// What stops who reads all pages of a database of these bytes.
    private func codeOfReading(_ bytes: [UInt8], in fixture: Fixture) throws -> ResultCode? {
        let path = fixture.folder.appending("a b?#%.sqlite")
        try? fixture.remove(path)
        try fixture.make(path, bytes)
        do {
            let queue = try PageChecksums.open(path)
            defer { try? queue.close() }
            let findings = try queue.read { try String.fetchAll($0, sql: "PRAGMA integrity_check") }
            #expect(findings == ["ok"])
            return nil
        } catch let error as DatabaseError {
            return error.extendedResultCode
        }
    }

    @Test("Rows that another program changes or deletes change no answer, and nothing is written twice")
    func otherPrograms() async throws {
        let (fixture, open) = try await fixture()
        let contents = try Contents(fixture.indexed())
        let sound = try fixture.bytes(of: fixture.indexPath)
        let capsule = try fixture.bytes(of: fixture.path)
        var statements = [
            "UPDATE run SET name = 'x' || first_leaf, key = NULL", "UPDATE run SET start_time = 1, last_time = 2",
            "UPDATE run SET outcome = NULL", "UPDATE open_key SET key = zeroblob(length(key))",
            "UPDATE object SET id = zeroblob(length(id))", "UPDATE snapshot SET batch_offset = NULL",
        ]
        for table in ["run", "run_batches", "run_snapshot", "snapshot", "object", "checkpoint", "open_run", "open_key"]
        {
            statements.append("DELETE FROM \(table)")
            statements.append("DELETE FROM \(table) WHERE rowid = (SELECT max(rowid) FROM \(table))")
        }
        for statement in statements {
            try fixture.remove(fixture.indexPath)
            try fixture.make(fixture.indexPath, sound)
            guard (try? change(fixture.indexPath, statement)) != nil else { continue }
            #expect(try await fixture.answersOfAWriter(open, keyed(open, "k"), keyed(open, "l")), "\(statement)")
            #expect(try Contents(fixture.indexed()) == contents, "\(statement)")
            #expect(try fixture.bytes(of: fixture.path) == capsule, "\(statement)")
        }
    }

    @Test("Looking for evidence leaves the log of a killed process where it is, and the index as it was")
    func killed() async throws {
        let (fixture, _) = try await fixture()
        let queue = try await WriterQueue(opening: fixture.path)
        let index = try fixture.open()
        for key in 0..<20 {
            _ = try await queue.submit(keyed(#require(await queue.state().open.keys.first { !$0.isRunZero }), "\(key)"))
            try index.catchUp()
        }
        await queue.close()
        let log = FilePath(fixture.indexPath.string + "-wal")
        let left = try [fixture.indexPath, log].map { ($0, try fixture.bytes(of: $0)) }
        #expect(left[1].1.count > 4096)
        try SnapshotIndex.drop(for: fixture.path)
        for (path, bytes) in left { try fixture.make(path, bytes) }
        let reach = try #require(SnapshotIndex.reach(for: fixture.path, fixture.header))
        #expect(try reach.treeSize == index.coverage().treeSize)
        for (path, bytes) in left { #expect(try fixture.bytes(of: path) == bytes) }
        let notices = Mutex<[IndexNotice]>([])
        let again = try SnapshotIndex(for: CapsuleFile(fixture.path)) { notice in notices.withLock { $0.append(notice) }
        }
        #expect(try again.catchUp().treeSize == reach.treeSize && notices.withLock { $0 } == [])
    }

    /// As `sqlite3` would.
    private func change(_ path: FilePath, _ statement: String) throws {
        let queue = try DatabaseQueue(path: path.string)
        defer { try? queue.close() }
        try queue.write { try $0.execute(sql: statement) }
    }
}

extension Fixture {
    /// Whether a writer behind the index takes what is in the capsule for a repetition: runs by their names, events by
    /// their keys, a snapshot by its content.
    fileprivate func answersOfAWriter(_ open: RunID, _ keyed: Submission...) async throws -> Bool {
        let queue = try await WriterQueue(opening: path, options: resuming())
        var receipts: [Receipt] = []
        for submission in keyed { receipts += try await queue.submit(submission) }
        for name in ["ended 0", "ended 3", "open"] {
            let snapshot = try Self.snapshot(name == "open" ? #"{"a":1}"# : "{}")
            let body = Array("{\"name\":\"\(name)\",\"spec\":\"job.toml\"}".utf8)
            let draft = EventDraft(.registered(.runStart), body: body, time: Timestamp(nanoseconds: 1000))
            let run = Submission.Target.newRun(
                RunID(at: .now, random: SystemRandom()),
                name: name,
                snapshot: snapshot.id,
                token: nil
            )
            receipts += try await queue.submit(Submission(run, events: [draft], objects: [snapshot]))
        }
        await queue.close()
        return receipts.allSatisfy(\.isRepeat)
    }
}
