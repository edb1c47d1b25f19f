import Synchronization

/// Keeps the side index near a capsule that is written to, so that the next writer need not read all of it.
///
/// The index is read where a large capsule is opened, and brought up to date behind the writer: in a thread of its own
/// when much was appended, and when the ledger closes. It is told by the writer what it wrote (`IndexFeed`), and reads
/// only what others did. Whatever goes wrong with it is left to whoever reads the index
/// next; no append waits for it or fails with it.
final class IndexKeeper: Sendable {
    private let path: FilePath
    private let state = Mutex(State())

    private struct State {
        /// Where the index was known to end.
        var end: UInt64 = 0
        /// What was written up to here was told to whoever brings the index up to date; 0 before the first word.
        var told: UInt64 = 0
        var chunks: [WrittenChunk] = []
        /// Whether the oldest chunk was not known to be durable when it was tried last.
        var isBehind = false
        var isFollowing = false
    }

    /// Appended bytes after which the index follows behind the writer.
    private static let followedBytes: UInt64 = 16 << 20
    /// Chunks that wait to become durable at most.
    private static let waitingChunks = 8
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

    /// Who gathers rows of what is written from a place on.
    func feed(_ header: FileHeader, from place: BatchPosition) -> any BatchFollower {
        state.withLock { state in if state.told == 0 { state.told = place.offset } }
        return IndexFeed(self, header, from: place)
    }

    /// Whether much was appended since the index followed last. Where several processes write in turns, no feed ever
    /// gathers much itself.
    func isDue(from start: UInt64, to end: UInt64) -> Bool {
        state.withLock { end > $0.told && start > $0.told && end - $0.told >= Self.followedBytes }
    }

    /// Takes rows of what was written.
    func take(_ chunk: WrittenChunk) {
        state.withLock { state in
            state.told = max(state.told, chunk.end.offset)
            // What is not durable for long is read when it is.
            if state.chunks.count >= Self.waitingChunks { state.chunks.removeAll() }
            state.chunks.append(chunk)
        }
    }

    /// Lets the index follow in a thread of its own, if it does not.
    func startFollowing() {
        let isDue = state.withLock { state in
            guard !state.isFollowing else { return false }
            state.isFollowing = true
            return true
        }
        guard isDue else { return }
        startThread { [self] in
            repeat {
                follow()
            } while !state.withLock { state in
                state.isFollowing = !state.chunks.isEmpty && !state.isBehind
                return !state.isFollowing
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

    /// Takes in what waits, as far as it is durable.
    private func follow() {
        let chunks = state.withLock { state in
            defer { state.chunks = [] }
            return state.chunks
        }
        guard let index = try? SnapshotIndex(for: CapsuleFile(path), observe: LedgerLog.observe) else { return }
        guard !chunks.isEmpty else { return note(end: try? index.catchUp().end) }
        for (place, chunk) in chunks.enumerated() {
            guard let end = try? index.catchUp(with: chunk).end else { return }
            note(end: end)
            guard end >= chunk.end.offset else {
                return state.withLock { state in
                    state.chunks.insert(contentsOf: chunks[place...], at: 0)
                    state.isBehind = true
                }
            }
        }
    }

    private func note(end: UInt64?) {
        state.withLock { state in
            state.end = max(state.end, end ?? 0)
            state.isBehind = false
        }
    }
}
