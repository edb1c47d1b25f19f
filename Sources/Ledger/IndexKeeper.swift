import Synchronization

/// Keeps the side index near a capsule that is written to, so that the next writer need not read all of it.
///
/// The index is read where a large capsule is opened, and brought up to date behind the writer: in a thread of its own
/// when much was appended, and when the ledger closes. Whatever goes wrong with it is left to whoever reads the index
/// next; no append waits for it or fails with it.
final class IndexKeeper: Sendable {
    private let path: FilePath
    private let state = Mutex(State())

    private struct State {
        /// Where the index was known to end.
        var end: UInt64 = 0
        var appended: UInt64 = 0
        var isFollowing = false
    }

    /// Appended bytes after which the index follows behind the writer.
    private static let followedBytes: UInt64 = 16 << 20
    /// Bytes that the next writer may have to read: a few milliseconds.
    private static let closedBytes: UInt64 = 1 << 20

    init(_ path: FilePath) { self.path = path }

    /// Where a writer can go on in the capsule with this header.
    ///
    /// - Throws: `CapsuleError` with `cutShort` if the index knows that the capsule was longer.
    func resumePoint(for header: FileHeader) throws -> ResumePoint? {
        let (capsule, index): (CapsuleFile, SnapshotIndex)
        do {
            // A file of its own: the index locks it, and the writer's lock is not to be given up with it.
            capsule = try CapsuleFile(path)
            index = try SnapshotIndex(for: capsule, observe: LedgerLog.observe)
        } catch let error as CapsuleError where error.code == .cutShort {
            throw error
        } catch {
            return nil
        }
        guard capsule.header == header, let point = try? index.resumePoint() else { return nil }
        state.withLock { $0.end = point.position.offset }
        return point
    }

    /// A run that has this name in its first event only: in a salvaged or adopted capsule, names are hashed with the
    /// old
    /// one's ID.
    func run(named name: String) -> RunID? {
        guard let index = try? SnapshotIndex(for: CapsuleFile(path), observe: LedgerLog.observe),
            (try? index.catchUp()) != nil,
            case .one(let row)? = try? index.run(matching: name)
        else { return nil }
        return row.id
    }

    /// Says that so many bytes were appended; lets the index follow if they are many.
    func appended(_ bytes: Int) {
        let isDue = state.withLock { state in
            state.appended += UInt64(bytes)
            guard state.appended >= Self.followedBytes, !state.isFollowing else { return false }
            state.appended = 0
            state.isFollowing = true
            return true
        }
        if isDue {
            startThread { [self] in
                follow()
                state.withLock { $0.isFollowing = false }
            }
        }
    }

    /// Says that nothing more is appended to a capsule of this length.
    func close(length: UInt64) {
        let isDue = state.withLock { state in
            !state.isFollowing && length > state.end && length - state.end >= Self.closedBytes
        }
        if isDue { follow() }
    }

    private func follow() {
        guard let end = try? SnapshotIndex(for: CapsuleFile(path), observe: LedgerLog.observe).catchUp().end
        else { return }
        state.withLock { $0.end = max($0.end, end) }
    }
}
