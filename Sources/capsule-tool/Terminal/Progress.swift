import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// One line on a terminal that says how far a long job is. Nothing elsewhere, and nothing for a job of under a second.
final class Progress: Sendable {
    private let label: String
    private let start = ContinuousClock.now
    private let shown = Mutex(false)

    init(_ label: String) { self.label = label }

    /// - Parameters: bytes done, and bytes to do.
    func update(_ done: UInt64, of total: UInt64) {
        guard Terminal.isError else { return }
        let elapsed = ContinuousClock.now - start
        let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
        guard seconds > 1, total > 0 else { return }
        let rate = Double(done) / seconds
        let left = rate > 0 ? Double(total - min(done, total)) / rate : 0
        let percent = done * 100 / total
        write("\r\u{1B}[K\(label) \(percent) %  \(Human.bytes(UInt64(rate)))/s  \(Int(left.rounded(.up))) s left")
        shown.withLock { $0 = true }
    }

    func finish() {
        if shown.withLock({ $0 }) { write("\r\u{1B}[K") }
    }

    private func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { writeBytes(2, $0.baseAddress, $0.count) }
    }
}

private func writeBytes(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
