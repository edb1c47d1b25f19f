import Capsule
import Dispatch
import Synchronization
import WriterQueue

/// Opens a capsule on a simulated disk, appends one event to the first run that is open, and closes it.
public enum OneTurn {
    /// - Returns: how many events there are then.
    @discardableResult
    public static func append(to path: FilePath, on process: SimulatedProcess) throws -> UInt64 {
        let outcome = Mutex<Result<UInt64, any Error>>(.success(0))
        let done = DispatchSemaphore(value: 0)
        let thread = WriterThread()
        thread.run {
            outcome.withLock { $0 = Result { try turn(path, process, thread) } }
            done.signal()
        }
        done.wait()
        return try outcome.withLock { try $0.get() }
    }

    private static func turn(_ path: FilePath, _ process: SimulatedProcess, _ thread: WriterThread) throws -> UInt64 {
        let door = try TurnDoor(path, storage: process, random: FixedRandom(), on: thread)
        defer { door.close() }
        guard let run = door.state.open.keys.first(where: { !$0.isRunZero }) else { return 0 }
        let event = EventDraft(.registered(.note), body: Array("{}".utf8), time: Machine.start)
        _ = try door.take([Submission(.run(run, token: nil), events: [event])])[0].get()
        return door.state.tree.size
    }
}
