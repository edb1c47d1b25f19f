import Capsule
import GRDB

/// One connection to the database of an index, which is ready for use: the schema is ours, and the mark of our capsule.
final class IndexStore: Sendable {
    private let queue: DatabaseQueue
    private let header: FileHeader
    let isTemporary: Bool

    /// Seconds to wait for another process that writes to the index; a transaction takes some hundredths of one.
    private static let patience = 10.0

    /// Opens the index beside `capsule`, made anew if need be, or else one in memory.
    ///
    /// - Parameter replacing: why the one that is there is thrown away unread; nil looks at it.
    static func open(
        for capsule: CapsuleFile,
        replacing: IndexNotice.Reason? = nil,
        observe: SnapshotIndex.Observer? = nil
    ) throws -> IndexStore {
        let files = IndexFiles(of: capsule.path)
        var replacing = replacing
        var trouble = "it is damaged again as soon as it is made"
        for _ in 0..<2 {
            do {
                return try IndexStore(files, for: capsule, replacing: replacing, observe)
            } catch {
                // Files that cannot be deleted either are a fault of the place.
                if replacing != nil, let error = error as? StorageError {
                    trouble = "\(error)"
                    break
                }
                guard let fault = IndexFault(error) else { throw error }
                if fault.isOfPlace {
                    trouble = fault.words
                    break
                }
                let mark = evidence(in: files, capsule.header).mark
                let isOfAnother = mark.map { $0.schema != IndexSchema.version } ?? false
                replacing = isOfAnother ? .anotherSchema : .damaged(fault.words)
            }
        }
        observe?(.inMemory(trouble))
        return try IndexStore(inMemoryFor: capsule)
    }

    init(inMemoryFor capsule: CapsuleFile) throws {
        queue = try DatabaseQueue(configuration: Self.configuration(isTemporary: true))
        header = capsule.header
        isTemporary = true
        try prepare(for: capsule)
    }

    private init(
        _ files: IndexFiles,
        for capsule: CapsuleFile,
        replacing: IndexNotice.Reason?,
        _ observe: SnapshotIndex.Observer?
    ) throws {
        let isNew = replacing != nil || !files.exist
        let lock = try FolderLock(files.folder, isNew ? .exclusive : .shared)
        defer { lock.release() }
        let evidence = replacing != nil ? Self.evidence(in: files, capsule.header).kept : Evidence()
        if replacing != nil { try files.remove() }
        try files.create()
        queue = try PageChecksums.open(files.main, configuration: Self.configuration(isTemporary: false))
        header = capsule.header
        isTemporary = false
        if isNew { try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA journal_mode = WAL") } }
        try prepare(for: capsule, evidence: evidence, replacing: replacing, observe)
    }

    /// What an index says of its capsule that outlives the index.
    struct Evidence {
        /// A length up to which the capsule is known to have been durable.
        var durable: UInt64 = 0
        var other: OtherHistory?
    }

    /// What can still be read of an index, damaged or of another version, if it is whole and of this capsule and
    /// generation.
    ///
    /// Mark and other history have seals of their own: what becomes of the rest of their pages takes their evidence
    /// away from nobody.
    static func evidence(
        in files: IndexFiles,
        _ header: FileHeader
    ) -> (mark: IndexMark?, kept: Evidence) {
        guard files.exist, (try? files.create()) != nil,
            let queue = try? PageChecksums.openUnchecked(files.main, configuration: configuration(isTemporary: false))
        else { return (nil, Evidence()) }
        defer { try? queue.close() }
        let found = try? queue.read { db in try IndexMark.read(db) }
        let mark = found.flatMap { $0.isOf(header) ? $0 : nil }
        let other = try? queue.read { db in try OtherHistory.read(db, of: header) }
        return (mark, Evidence(durable: mark?.durable ?? 0, other: other))
    }

    func close() { try? queue.close() }

    private static func configuration(isTemporary: Bool) -> Configuration {
        var configuration = Configuration()
        configuration.label = "capsule.index"
        configuration.busyMode = .timeout(patience)
        configuration.foreignKeysEnabled = false
        configuration.prepareDatabase { db in
            // cell_size_check notices damaged pages sooner; secure_delete leaves no names behind in free pages;
            // synchronous NORMAL keeps a power loss from leaving half a checkpoint behind, and costs nothing per
            // transaction.
            try db.execute(
                sql: """
                    PRAGMA synchronous = \(isTemporary ? "OFF" : "NORMAL"); PRAGMA cell_size_check = ON;
                    PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -16384;
                    PRAGMA wal_autocheckpoint = 4000
                    """
            )
        }
        return configuration
    }

    // MARK: Getting ready

    /// - Parameters:
    ///   - evidence: what an index that was thrown away knew of the capsule.
    ///   - replacing: why it was thrown away.
    private func prepare(
        for capsule: CapsuleFile,
        evidence: Evidence = Evidence(),
        replacing: IndexNotice.Reason? = nil,
        _ observe: SnapshotIndex.Observer? = nil
    ) throws {
        let found = try queue.read { db in try Finding(db, header) }
        if let mark = found.mark, found.isOurs {
            if try mark.agrees(with: capsule) { return }
        } else if found.knownDurable > FileHeader.size {
            try found.mark?.checkLength(of: capsule)
        }
        // Ours, and the capsule goes on otherwise: of the two one was replaced.
        let other = found.isOurs ? found.mark.flatMap(OtherHistory.init) : nil
        var isReset = false
        try transaction { db in
            // Another process may have made it anew since.
            let now = try Finding(db, header)
            isReset = !now.isOurs || now.mark == found.mark
            guard isReset else { return }
            let durable = max(now.knownDurable, evidence.durable)
            try IndexSchema.reset(
                db,
                header: header,
                Evidence(durable: durable, other: other ?? now.other ?? evidence.other)
            )
        }
        if isReset { observe?((replacing ?? found.whyUseless(for: header)).map(IndexNotice.remade) ?? .created) }
        try IndexMark(startOf: header, durable: evidence.durable).checkLength(of: capsule)
    }

    /// What an existing database turned out to be.
    private struct Finding {
        let mark: IndexMark?
        let isOurs: Bool
        /// What an index of this capsule and generation says of it, in whatever version of the schema.
        let knownDurable: UInt64
        let other: OtherHistory?

        init(_ db: Database, _ header: FileHeader) throws {
            other = try OtherHistory.read(db, of: header)
            mark = try IndexMark.read(db)
            let isOfCapsule = mark?.isOf(header) ?? false
            isOurs = try isOfCapsule && mark?.schema == IndexSchema.version && IndexSchema.isIntact(db)
            knownDurable = isOfCapsule ? mark?.durable ?? 0 : 0
        }

        /// Why what was found is made anew; nil if nothing was.
        func whyUseless(for header: FileHeader) -> IndexNotice.Reason? {
            guard let mark else { return nil }
            if !mark.isOf(header) { return .ofAnotherCapsule }
            return isOurs ? .disagrees : .anotherSchema
        }
    }

    // MARK: Using it

    /// Reads one state of the index.
    ///
    /// - Throws: `IndexFault.foreign` if it is not of our capsule and generation any more.
    func read<Result>(_ work: (IndexView) throws -> Result) throws -> Result {
        try queue.read { db in try work(IndexView(db: db, mark: try ownMark(db))) }
    }

    /// Runs `work` in a write transaction, alone among all processes, if the mark still is `expected`.
    ///
    /// - Returns: whether it was.
    func write(upon expected: IndexMark, _ work: (Database) throws -> Void) throws -> Bool {
        var isCurrent = false
        try transaction { db in
            isCurrent = try ownMark(db) == expected
            if isCurrent { try work(db) }
        }
        return isCurrent
    }

    private func transaction(_ work: (Database) throws -> Void) throws {
        try queue.inTransaction(.immediate) { db in
            try work(db)
            return .commit
        }
    }

    private func ownMark(_ db: Database) throws -> IndexMark {
        guard let mark = try IndexMark.read(db), mark.isOf(header), mark.schema == IndexSchema.version else {
            throw IndexFault.foreign
        }
        return mark
    }
}

/// One state of the index, inside a transaction that reads.
struct IndexView {
    let db: Database
    let mark: IndexMark

    /// The rows of a query, taken apart.
    func rows<Result>(
        _ sql: String,
        _ arguments: StatementArguments = [],
        _ transform: (Fields) throws -> Result
    ) throws -> [Result] {
        let cursor = try Row.fetchCursor(db.cachedStatement(sql: sql), arguments: arguments)
        var results: [Result] = []
        while let row = try cursor.next() { results.append(try transform(Fields(row))) }
        return results
    }
}
