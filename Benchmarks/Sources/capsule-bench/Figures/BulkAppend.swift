import Foundation
import GRDB
import Ledger

/// Many events with one sync at the end, against SQLite with the same bodies in one transaction.
///
/// Everything is on: schemas, commitments, tree, seal root, LZ4, checksums. Submissions are awaited one by one, so that
/// the wall clock compares one core with one core.
enum BulkAppend {
    private static let submission = 2000

    static func measure(_ options: Options, _ scratch: Scratch) async throws -> [Figure] {
        let bodies = smallBodies(options.pick(quick: 50_000, usual: 200_000))
        let blobs = bodies.map { Data($0) }
        let costs = try await bestOf(
            rounds: options.pick(quick: 3, usual: 5),
            { _ in try await append(bodies, to: scratch.file("bulk.cpsl")) },
            { _ in try await insert(blobs, into: scratch.file("bulk.sqlite")) })
        let (ours, theirs) = (costs[0], costs[1])
        let count = Double(bodies.count)
        return [
            Figure("bulk append, 300-byte events, CPU", count / ours.cpu, .perSecond, goal: .atLeast(400_000)),
            Figure("bulk append, wall clock", count / ours.wall, .perSecond),
            Figure("the same into SQLite (GRDB, one index), wall clock", count / theirs.wall, .perSecond),
            Figure("bulk append against SQLite, wall clock", theirs.wall / ours.wall, .times, goal: .atLeast(1.5)),
            Figure("bulk append against SQLite, CPU", theirs.cpu / ours.cpu, .times),
        ]
    }

    private static func append(_ bodies: [[UInt8]], to path: FilePath) async throws -> Cost {
        let recorder = try await Recorder(path)
        let taken = try await cost { try await recorder.append(bodies, by: submission) }
        await recorder.ledger.close()
        return taken
    }

    private static func insert(_ bodies: [Data], into path: FilePath) async throws -> Cost {
        let table = try EventTable(path)
        return try await cost { try table.insert(bodies) }
    }
}

/// What a ledger in SQLite would look like at its plainest: a row for each event, one index, nothing hashed or checked.
struct EventTable {
    private let queue: DatabaseQueue
    private let run = Data((0..<16).map { UInt8($0) })

    init(_ path: FilePath) throws {
        queue = try DatabaseQueue(path: path.string)
        try queue.write { db in
            try db.execute(
                sql: """
                    CREATE TABLE event (id INTEGER PRIMARY KEY, run BLOB NOT NULL, sequence INTEGER NOT NULL,
                        type INTEGER NOT NULL, time INTEGER NOT NULL, body BLOB NOT NULL);
                    CREATE INDEX event_run ON event (run, sequence);
                    """)
        }
    }

    /// Inserts all in one transaction, with one statement.
    func insert(_ bodies: [Data]) throws {
        try queue.write { db in
            let statement = try db.cachedStatement(
                sql: "INSERT INTO event (run, sequence, type, time, body) VALUES (?, ?, ?, ?, ?)")
            let type = Int64(RegisteredType.toolCall.rawValue)
            for (sequence, body) in bodies.enumerated() {
                try statement.execute(arguments: [run, sequence, type, Timestamp.now.nanoseconds, body])
            }
        }
    }
}
