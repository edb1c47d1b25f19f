/// An event taken out of a batch, with everything that its leaf and its body need.
public struct CopiedEvent: Sendable {
    public let envelope: Envelope
    let leafHash: Digest
    let content: Content

    enum Content: Sendable {
        case none
        case present(salt: [UInt8], body: [UInt8])
        case withheld(commitment: Digest)
    }

    /// The body as it stands in the frame; nil if there is none or it is withheld.
    public var body: [UInt8]? {
        if case .present(_, let body) = content { return body }
        return nil
    }

    init(_ event: borrowing EventView, _ hash: Digest) {
        envelope = event.envelope
        leafHash = hash
        content =
            if event.envelope.bodyKind == .none {
                .none
            } else if event.isWithheld {
                .withheld(commitment: event.commitment)
            } else {
                .present(salt: event.salt ?? [], body: event.storedBody?.array ?? [])
            }
    }
}

/// What one batch holds, taken out of it.
final class CopiedBatch {
    var events: [CopiedEvent] = []
    var objects: [StoredObject] = []

    func add(_ event: borrowing EventView, _ hash: Digest) { events.append(CopiedEvent(event, hash)) }
}

/// Writes a new capsule, batch by batch.
final class CopyOutput {
    private let file: any StorageFile
    private let encoder: BatchEncoder
    private(set) var tree = MerkleFrontier()

    /// A capsule that begins with what is copied.
    init(_ file: any StorageFile, _ header: FileHeader) throws {
        self.file = file
        encoder = BatchEncoder(header: header, position: BatchPosition(startOf: header))
        let bytes = header.encoded()
        try bytes.withUnsafeBytes { buffer throws in try file.writeFully(buffer, at: 0) }
    }

    /// A capsule that begins with a `capsule.create` of its own.
    convenience init(
        _ file: any StorageFile,
        _ header: FileHeader,
        createBody: [UInt8],
        random: some RandomSource
    ) throws {
        try self.init(file, header)
        var envelope = Envelope(
            type: .registered(.capsuleCreate),
            time: header.created,
            run: .zero,
            snapshot: header.digest
        )
        envelope.sequence = 0
        try append(envelope, body: createBody, random: random)
    }

    /// Writes what a batch held: the same frames, compressed anew, behind a header of this capsule.
    func write(_ batch: CopiedBatch) throws {
        if !batch.objects.isEmpty { try write(batch.objects) }
        guard !batch.events.isEmpty else { return }
        var body = BatchBody(.timeline)
        for event in batch.events {
            let bytes = BatchBody.contentBytes(of: event.envelope, bodyBytes: event.body?.count ?? 0)
            if !body.hasRoom(forContent: bytes) {
                try append(body)
                body = BatchBody(.timeline)
            }
            let hash = add(event, to: &body)
            guard hash == event.leafHash else {
                throw CapsuleError(.rootMismatch, "a leaf changed while it was copied: \(event.envelope.reference)")
            }
            tree.append(hash)
        }
        try append(body)
    }

    private func add(_ event: CopiedEvent, to body: inout BatchBody) -> Digest {
        switch event.content {
        case .none:
            body.addEvent(event.envelope, salt: UnsafeRawBufferPointer(start: nil, count: 0), body: [])
        case .present(let salt, let bytes):
            salt.withUnsafeBytes { body.addEvent(event.envelope, salt: $0, body: bytes) }
        case .withheld(let commitment): body.addWithheldEvent(event.envelope, commitment: commitment)
        }
    }

    /// Writes the last event and makes everything durable.
    func close(_ objects: [StoredObject], _ envelope: Envelope, body: [UInt8], random: some RandomSource) throws {
        if !objects.isEmpty { try write(objects) }
        try append(envelope, body: body, random: random)
        try file.sync()
    }

    private func write(_ objects: [StoredObject]) throws {
        var body = BatchBody(.objects)
        for object in objects {
            if !body.hasRoom(forContent: object.bytes.count + 64) {
                try append(body)
                body = BatchBody(.objects)
            }
            body.addObject(object)
        }
        try append(body)
    }

    private func append(_ envelope: Envelope, body: [UInt8], random: some RandomSource) throws {
        guard body.count <= Limits.inlineBodyBytes else {
            throw CapsuleError(.limitBody, "an event of run zero has at most \(Limits.inlineBodyBytes) bytes")
        }
        var envelope = envelope
        envelope.media = .json
        envelope.bodyKind = .inline
        var salt = [UInt8](repeating: 0, count: EventView.saltSize)
        salt.withUnsafeMutableBytes { random.fill($0) }
        var batch = BatchBody(.timeline)
        tree.append(salt.withUnsafeBytes { batch.addEvent(envelope, salt: $0, body: body) })
        try append(batch)
    }

    private func append(_ body: BatchBody) throws {
        encoder.restart(at: encoder.position)
        let start = encoder.position.offset
        tree.settle()
        encoder.append(body, treeSize: tree.size, root: tree.root, durableLength: FileHeader.size)
        try encoder.output.withUnsafeBytes { bytes throws in try file.writeFully(bytes, at: start) }
    }
}

/// Looks through what stands behind the last proved batch, to say what is lost with it.
struct UnprovedSurvey {
    private let old: CapsuleFile
    private let length: UInt64
    private var offset: UInt64
    private var reason: String
    private var losses: [CopyLoss] = []

    /// Losses that are told apart; the last one stands for the rest.
    private static let maximumLosses = 100

    init(_ old: CapsuleFile, from offset: UInt64, length: UInt64, reason: String) {
        self.old = old
        self.offset = offset
        self.length = length
        self.reason = reason
    }

    mutating func run() throws -> [CopyLoss] {
        while offset < length {
            let next = try nextHeader(from: losses.isEmpty ? offset + 1 : offset) ?? length
            if next > offset { losses.append(CopyLoss(.unreadable, at: offset, bytes: next - offset, reason)) }
            reason = "no batch can be read here"
            offset = next
            guard offset < length, losses.count < Self.maximumLosses else { break }
            if let batches = try readableBatches() { losses.append(batches) } else { offset += 1 }
        }
        if offset < length { losses.append(CopyLoss(.unreadable, at: offset, bytes: length - offset, "not looked at")) }
        return merged()
    }

    /// Unreadable pieces beside each other are one.
    private func merged() -> [CopyLoss] {
        var result: [CopyLoss] = []
        for loss in losses {
            if let last = result.last, last.kind == .unreadable, loss.kind == .unreadable {
                result[result.count - 1].bytes += loss.bytes
            } else {
                result.append(loss)
            }
        }
        return result
    }

    /// Where the next header begins whose checksum is right.
    private func nextHeader(from first: UInt64) throws -> UInt64? {
        var start = first
        while start < length, length - start >= UInt64(BatchHeader.size) {
            let bytes = try old.file.bytes(at: start, count: Int(min(UInt64(BatchReader.windowSize), length - start)))
            guard bytes.count >= BatchHeader.size else { return nil }
            let magic = UInt8(truncatingIfNeeded: BatchHeader.magic)
            for index in 0...(bytes.count - BatchHeader.size) where bytes[index] == magic {
                let candidate = bytes.span.bytes.extracting(index..<(index + BatchHeader.size))
                let place = start + UInt64(index)
                if case .intact = BatchHeader.parse(candidate, file: old.header, offset: place) { return place }
            }
            start += UInt64(bytes.count - BatchHeader.size + 1)
        }
        return nil
    }

    /// Batches that can be read from `offset` on, one behind the other; nil if none can.
    private mutating func readableBatches() throws -> CopyLoss? {
        var loss = CopyLoss(.unproved, at: offset, bytes: 0, "its checksums are right, and nothing proves it")
        var ranges: [RunID: (first: UInt32, last: UInt32)] = [:]
        let reader = BatchReader(file: old.file, header: old.header, limit: length)
        while offset < length {
            reader.jump(to: offset)
            do {
                let step = try reader.next { batch throws in
                    loss.events += UInt64(batch.header.events)
                    try batch.forEachEvent { event throws(CapsuleError) in
                        let (run, sequence) = (event.envelope.run, event.envelope.sequence)
                        let known = ranges[run] ?? (sequence, sequence)
                        ranges[run] = (min(known.first, sequence), max(known.last, sequence))
                    }
                }
                guard step == .batch else { break }
            } catch is CapsuleError { break }
            loss.batches += 1
            offset = reader.position.offset
        }
        guard loss.batches > 0, let start = loss.offset else { return nil }
        loss.bytes = offset - start
        let sorted = ranges.sorted { $0.key.hex < $1.key.hex }.prefix(CopyLoss.maximumRuns)
        loss.runs = sorted.map { CopyLoss.Range(run: $0.key, first: $0.value.first, last: $0.value.last) }
        return loss
    }
}
