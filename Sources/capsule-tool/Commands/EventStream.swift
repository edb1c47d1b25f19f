import Ledger

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Events from standard input, one a line, appended as fast as they come.
///
/// What one read gives is one submission: a slow stream is written line by line, a fast one in large pieces. Each
/// receipt is printed as soon as there is one, so that who pipes events in one by one need not wait for the end.
struct EventStream {
    let ledger: CapsuleLedger
    let run: RunHandle
    let wholeAs: EventType?
    let actor: String?
    let durability: Durability
    /// Print receipts as JSON.
    let json: Bool
    /// Print no receipts, only what it came to.
    let quiet: Bool

    /// A line may hold the largest body, escaped, and the fields around it.
    private static let lineLimit = 2 * Limits.bodyBytes
    private static let readSize = 1 << 20

    func run() async throws {
        var tally = Tally()
        var failure: (any Error)?
        do {
            try await readAll(&tally)
        } catch {
            failure = error
        }
        do { try await ledger.flush() } catch { failure = failure ?? error }
        report(tally, failed: failure != nil)
        if let failure { throw failure }
    }

    struct Tally {
        var line = 0
        var appended = 0
        var repeated = 0
        var last: Receipt?

        mutating func add(_ receipts: [Receipt]) {
            appended += receipts.count { !$0.isRepeat }
            repeated += receipts.count { $0.isRepeat }
            last = receipts.last ?? last
        }
    }

    private func readAll(_ tally: inout Tally) async throws {
        var buffer: [UInt8] = []
        // Bytes of the buffer that hold no end of a line.
        var searched = 0
        var chunk = [UInt8](repeating: 0, count: Self.readSize)
        while true {
            let count = read(0, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw StorageError("read", "standard input", Errno(rawValue: errno)) }
            if count == 0 { break }
            buffer.append(contentsOf: chunk[..<count])
            // A pipe gives 64 KiB at once. What waits behind it goes into the same write, and compresses better there.
            if buffer.count < Self.readSize, Self.isMoreWaiting() { continue }
            guard let end = buffer[searched...].lastIndex(of: UInt8(ascii: "\n")) else {
                searched = buffer.count
                guard buffer.count <= Self.lineLimit else {
                    throw Failure(.malformedInput, "line \(tally.line + 1): a line has at most \(Self.lineLimit) bytes")
                }
                continue
            }
            try await append(Array(buffer[...end]), &tally)
            buffer.removeFirst(end + 1)
            searched = 0
        }
        if !buffer.isEmpty { try await append(buffer, &tally) }
    }

    /// Whether the error is about one event, and not about the file or the disk.
    private static func isAboutOne(_ error: any Error) -> Bool {
        [.refused, .malformedInput].contains(ExitStatus.status(for: error))
    }

    private static func isMoreWaiting() -> Bool {
        var descriptor = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
        return poll(&descriptor, 1, 0) == 1 && descriptor.revents & Int16(POLLIN) != 0
    }

    /// Appends whole lines. Of those before a bad one, none is lost.
    private func append(_ bytes: [UInt8], _ tally: inout Tally) async throws {
        var drafts: [EventDraft] = []
        var numbers: [Int] = []
        var failure: (any Error)?
        bytes.withUnsafeBytes { all in
            for line in all.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast(
                all.last == 10 ? 1 : 0
            ) {
                tally.line += 1
                let line = Self.trimmed(UnsafeRawBufferPointer(rebasing: line))
                if line.isEmpty { continue }
                do {
                    drafts.append(try EventLine.parse(line, run: run.id, wholeAs: wholeAs, actor: actor))
                    numbers.append(tally.line)
                } catch {
                    failure = Self.located(error, line: tally.line)
                    break
                }
            }
        }
        try await submit(drafts, numbers, &tally)
        if let failure { throw failure }
    }

    private func submit(_ drafts: [EventDraft], _ numbers: [Int], _ tally: inout Tally) async throws {
        // A boundary is a submission of its own: what stands before it must not be written again where it is refused.
        if drafts.count > 1, let boundary = drafts.firstIndex(where: \.isBoundary) {
            try await submit(Array(drafts[..<boundary]), Array(numbers[..<boundary]), &tally)
            try await submit([drafts[boundary]], [numbers[boundary]], &tally)
            let rest = boundary + 1
            return try await submit(Array(drafts[rest...]), Array(numbers[rest...]), &tally)
        }
        guard !drafts.isEmpty else { return }
        do {
            let receipts = try await ledger.append(drafts, to: run, durability: durability)
            tally.add(receipts)
            tell(receipts, numbers)
        } catch let error where drafts.count > 1 && Self.isAboutOne(error) {
            // One of them was refused, and a submission is all or nothing: find out which, keeping those before it.
            for (draft, number) in zip(drafts, numbers) { try await submit([draft], [number], &tally) }
        } catch {
            throw Self.located(error, line: numbers[0])
        }
    }

    private static func trimmed(_ line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        let blanks: Set<UInt8> = [0x20, 0x09, 0x0D]
        let start = line.firstIndex { !blanks.contains($0) } ?? line.endIndex
        let end = line.lastIndex { !blanks.contains($0) }.map { $0 + 1 } ?? start
        return UnsafeRawBufferPointer(rebasing: line[start..<end])
    }

    private static func located(_ error: any Error, line: Int) -> any Error {
        guard let status = ExitStatus.status(for: error) else { return error }
        return Failure(status, "line \(line): \(error)")
    }

    private func tell(_ receipts: [Receipt], _ numbers: [Int]) {
        guard !quiet else { return }
        for (receipt, number) in zip(receipts, numbers) {
            if json {
                var members = JSONValue.Members()
                members["line"] = .number(JSONNumber(number))
                for member in ReceiptOutput.value(receipt).object ?? .init() { members[member.key] = member.value }
                Output.bytes(JSONValue.object(members).encoded(.compact) + [UInt8(ascii: "\n")])
            } else {
                Output.line("\(receipt.event)")
            }
        }
        Output.flush()
    }

    private func report(_ tally: Tally, failed: Bool) {
        if json {
            let value: JSONValue = [
                "run": .string("\(run.id)"), "appended": .number(JSONNumber(tally.appended)),
                "repeated": .number(JSONNumber(tally.repeated)), "lines": .number(JSONNumber(tally.line)),
                "last": tally.last.map { ReceiptOutput.value($0) } ?? .null, "complete": .bool(!failed),
            ]
            Output.bytes(value.encoded(.compact) + [UInt8(ascii: "\n")])
        } else {
            let repeated = tally.repeated > 0 ? ", \(Human.count(tally.repeated)) there already" : ""
            let last = tally.last.map { ", last \($0.event)" } ?? ""
            let text = "\(Human.count(tally.appended, "event")) appended\(repeated)\(last)"
            if quiet { Output.line(text) } else { talk(text) }
        }
    }
}
