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
                let mark = mark(in: files, capsule.header)
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
        let evidence = replacing != nil ? Self.evidence(in: files, capsule.header) : 0
        if replacing != nil { try files.remove() }
        try files.create()
        queue = try PageChecksums.open(files.main, configuration: Self.configuration(isTemporary: false))
        header = capsule.header
        isTemporary = false
        if isNew { try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA journal_mode = WAL") } }
        try prepare(for: capsule, evidence: evidence, replacing: replacing, observe)
    }

    /// What a damaged index still says of the capsule's durable length, if its mark is whole; else 0.
    static func evidence(in files: IndexFiles, _ header: FileHeader) -> UInt64 { mark(in: files, header)?.durable ?? 0 }

    /// The mark of an index, if it is whole and of this capsule and generation.
    ///
    /// It has a seal of its own: what becomes of the rest of its page takes its evidence away from nobody.
    static func mark(in files: IndexFiles, _ header: FileHeader) -> IndexMark? {
        guard files.exist, (try? files.create()) != nil,
            let queue = try? DatabaseQueue(path: files.main.string, configuration: configuration(isTemporary: false))
        else { return nil }
        defer { try? queue.close() }
        let mark = try? queue.read { db in try IndexMark.read(db) }
        return mark.flatMap { $0.isOf(header) ? $0 : nil }
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
    ///   - evidence: what an index that was thrown away knew of the capsule's durable length.
    ///   - replacing: why it was thrown away.
    private func prepare(
        for capsule: CapsuleFile,
        evidence: UInt64 = 0,
        replacing: IndexNotice.Reason? = nil,
        _ observe: SnapshotIndex.Observer? = nil
    ) throws {
        let found = try queue.read { db in try Finding(db, header) }
        if let mark = found.mark, found.isOurs {
            if try mark.agrees(with: capsule) { return }
        } else if found.knownDurable > FileHeader.size {
            try found.mark?.checkLength(of: capsule)
        }
        var isReset = false
        try transaction { db in
            // Another process may have made it anew since.
            let now = try Finding(db, header)
            isReset = !now.isOurs || now.mark == found.mark
            guard isReset else { return }
            try IndexSchema.reset(db, header: header, durable: max(now.knownDurable, evidence))
        }
        if isReset { observe?((replacing ?? found.whyUseless(for: header)).map(IndexNotice.remade) ?? .created) }
        try IndexMark(startOf: header, durable: evidence).checkLength(of: capsule)
    }

    /// What an existing database turned out to be.
    private struct Finding {
        let mark: IndexMark?
        let isOurs: Bool
        /// What an index of this capsule and generation says of it, in whatever version of the schema.
        let knownDurable: UInt64

        init(_ db: Database, _ header: FileHeader) throws {
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
