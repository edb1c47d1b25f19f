import Ledger
import ProcessRunner
import Synchronization

/// What a command writes: digests of all of it, and the first bytes of each stream handed on in pieces.
final class CapturedOutput: Sendable {
    /// Captured bytes for one event.
    struct Piece: Sendable {
        var stream: ProcessRunner.Stream
        var bytes: [UInt8]
        var time: Timestamp
    }

    struct Summary: Sendable {
        var bytes: UInt64
        var digest: Digest
    }

    private struct StreamState {
        var hasher = RunningDigest()
        var bytes: UInt64 = 0
        var pending: [UInt8] = []
        var kept = 0
    }

    private struct State {
        var output = StreamState()
        var error = StreamState()
    }

    private let state = Mutex(State())
    private let limit: Int
    private let feed: AsyncStream<Piece>.Continuation

    /// Bytes of captured output in one event.
    private static let pieceSize = 65_536

    init(limit: Int, feed: AsyncStream<Piece>.Continuation) {
        self.limit = limit
        self.feed = feed
    }

    func take(_ stream: ProcessRunner.Stream, _ bytes: UnsafeRawBufferPointer) {
        state.withLock { state in
            if stream == .standardOutput {
                take(bytes, stream, &state.output)
            } else {
                take(bytes, stream, &state.error)
            }
        }
    }

    private func take(_ bytes: UnsafeRawBufferPointer, _ stream: ProcessRunner.Stream, _ state: inout StreamState) {
        state.hasher.update(bytes)
        state.bytes += UInt64(bytes.count)
        let room = min(bytes.count, limit - state.kept)
        guard room > 0 else { return }
        state.kept += room
        state.pending.append(contentsOf: bytes[..<room])
        if state.pending.count >= Self.pieceSize { emit(stream, &state) }
    }

    private func emit(_ stream: ProcessRunner.Stream, _ state: inout StreamState) {
        guard !state.pending.isEmpty else { return }
        feed.yield(Piece(stream: stream, bytes: state.pending, time: .now))
        state.pending = []
    }

    /// Hands on what is left.
    func finish() {
        state.withLock { state in
            emit(.standardOutput, &state.output)
            emit(.standardError, &state.error)
        }
        feed.finish()
    }

    func summary(of stream: ProcessRunner.Stream) -> Summary {
        state.withLock { state in
            let of = stream == .standardOutput ? state.output : state.error
            return Summary(bytes: of.bytes, digest: of.hasher.value)
        }
    }
}
