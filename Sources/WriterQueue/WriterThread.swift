import Capsule
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A thread of its own on which an actor runs, so that waiting for a slow disk or a lock never blocks the shared pool.
///
/// While the thread has nothing to do, a caller may do one short job in its place (`runHere`): waking a thread and
/// being woken by it costs as much as a sync of a fast disk. The thread ends when the executor is let go.
package final class WriterThread: SerialExecutor {
    private let jobs: JobList

    package init() {
        let jobs = JobList()
        self.jobs = jobs
        startThread { jobs.runUntilClosed() }
    }

    deinit { jobs.close() }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedSerialExecutor()
        // The closure keeps this executor alive until the job has run.
        jobs.add { [self] in
            withExtendedLifetime(self) { job.runSynchronously(on: executor) }
        }
    }

    /// Runs `work` on the thread at once: a task would first wait for a thread of the shared pool, only to leave it
    /// again.
    package func run(_ work: @escaping @Sendable () -> Void) {
        jobs.add { [self] in
            withExtendedLifetime(self) { work() }
        }
    }

    /// Does `work` here and now, as if this were the thread, unless the thread has something to do.
    ///
    /// - Returns: false if `work` was not done.
    func runHere(_ work: () -> Void) -> Bool {
        guard borrow() else { return false }
        defer { giveBack() }
        work()
        return true
    }

    func borrow() -> Bool { jobs.borrow() }
    func giveBack() { jobs.giveBack() }

    /// Whether this is called by whoever does the thread's work at this moment.
    var isHeldHere: Bool { jobs.isHeldHere }

    package func checkIsolated() { precondition(jobs.isHeldHere, "this is not the writer's thread") }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }
}

/// Jobs and the condition that says there are some.
private final class JobList: @unchecked Sendable {
    // A condition variable needs its mutex, which `Synchronization.Mutex` does not show: these are used under `lock`
    // only.
    private var jobs: [() -> Void] = []
    private var isClosed = false
    /// Who does the jobs at this moment: the thread, a caller in its place, or nobody.
    private var holder: pthread_t?
    private var isThreadWaiting = false
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        pthread_mutex_init(lock, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(lock)
        condition.deallocate()
        lock.deallocate()
    }

    func add(_ job: @escaping () -> Void) {
        pthread_mutex_lock(lock)
        jobs.append(job)
        wakeThread()
        pthread_mutex_unlock(lock)
    }

    func close() {
        pthread_mutex_lock(lock)
        isClosed = true
        wakeThread()
        pthread_mutex_unlock(lock)
    }

    /// Under `lock`.
    private func wakeThread() {
        if isThreadWaiting, holder == nil { pthread_cond_signal(condition) }
    }

    /// Whether this is called by whoever does the jobs.
    var isHeldHere: Bool {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return holder.map { pthread_equal($0, pthread_self()) != 0 } ?? false
    }

    /// Takes the thread's place. False if it is taken or there are jobs, which go first.
    func borrow() -> Bool {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        guard holder == nil, jobs.isEmpty, !isClosed else { return false }
        holder = pthread_self()
        return true
    }

    func giveBack() {
        pthread_mutex_lock(lock)
        holder = nil
        if !jobs.isEmpty || isClosed { wakeThread() }
        pthread_mutex_unlock(lock)
    }

    func runUntilClosed() {
        while let ready = next() {
            for job in ready { job() }
        }
    }

    private func next() -> [() -> Void]? {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        if let holder, pthread_equal(holder, pthread_self()) != 0 { self.holder = nil }
        isThreadWaiting = true
        while holder != nil || jobs.isEmpty && !isClosed { pthread_cond_wait(condition, lock) }
        isThreadWaiting = false
        guard !jobs.isEmpty else { return nil }
        holder = pthread_self()
        defer { jobs.removeAll() }
        return jobs
    }
}
