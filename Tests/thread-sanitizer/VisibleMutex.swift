import Foundation

/// `Synchronization.Mutex` with a lock that the thread sanitizer sees.
///
/// On Linux, a contended `Mutex` is handed over in the kernel (`FUTEX_LOCK_PI`), behind the sanitizer's back, which
/// then takes what is inside for unlocked. `Scripts/sanitize thread` puts this in its place, so that no report need be
/// suppressed.
final class VisibleMutex<Value>: @unchecked Sendable {
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let value = UnsafeMutablePointer<Value>.allocate(capacity: 1)

    init(_ initial: sending Value) {
        pthread_mutex_init(lock, nil)
        value.initialize(to: initial)
    }

    deinit {
        pthread_mutex_destroy(lock)
        lock.deallocate()
        value.deinitialize(count: 1)
        value.deallocate()
    }

    func withLock<Result, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return try body(&value.pointee)
    }
}
