import ModelPolicy

/// The objects of a capsule that recorded approvals may name. Remembers where they are, and reads them when they are
/// asked for.
struct ApprovalObjects {
    /// All objects of the batch at an offset.
    typealias Source = (UInt64) throws -> [StoredObject]

    private let source: Source
    private var places: [Digest: UInt64] = [:]
    /// Of the batch that is being read.
    private var here: [Digest] = []
    private var held: [Digest: [UInt8]] = [:]
    private var heldBytes = 0
    private let limits: ApprovalAuditLimits
    private var batchesRead = 0

    init(_ limits: ApprovalAuditLimits, _ source: @escaping Source) {
        self.limits = limits
        self.source = source
    }

    /// Statements are JSON, as are source maps, of which nothing is needed.
    private static let statement = Array(#"{"_type":"#.utf8)

    private static func mayBeNamed(_ object: StoredObject) -> Bool {
        switch object.kind {
        case .document: object.media == .text || object.bytes.starts(with: statement)
        case .chunk, .manifest: true
        default: false
        }
    }

    mutating func note(_ object: StoredObject) {
        if Self.mayBeNamed(object) { here.append(object.id) }
    }

    mutating func endBatch(at offset: UInt64) {
        for id in here where places.count < limits.objects { places[id] = offset }
        here.removeAll(keepingCapacity: true)
    }

    /// The content of an object.
    ///
    /// - Parameter name: what is said of it where it is not here.
    /// - Throws: ``ApprovalDoubt``: `notJudged`; and what reading throws.
    mutating func bytes(of id: Digest, _ name: @autoclosure () -> String) throws -> [UInt8] {
        if let bytes = held[id] { return bytes }
        guard let offset = places[id] else {
            let isFull = places.count >= limits.objects
            throw ApprovalDoubt.notJudged("\(name()) is not \(isFull ? "among the objects looked for" : "here")")
        }
        guard batchesRead < limits.batches else {
            throw ApprovalDoubt.notJudged("what it names stands in more batches than are read again")
        }
        batchesRead += 1
        var found: [UInt8]?
        for object in try source(offset) where Self.mayBeNamed(object) {
            if object.id == id { found = object.bytes }
            hold(object)
        }
        guard let found else { throw ApprovalDoubt.notJudged("\(name()) is not here") }
        return found
    }

    private mutating func hold(_ object: StoredObject) {
        guard held[object.id] == nil, object.bytes.count <= limits.heldBytes else { return }
        if heldBytes > limits.heldBytes - object.bytes.count {
            held.removeAll()
            heldBytes = 0
        }
        held[object.id] = object.bytes
        heldBytes += object.bytes.count
    }

    /// The whole content of a body that stands outside its event.
    ///
    /// - Throws: as ``bytes(of:_:)``.
    mutating func content(of blob: BlobReference) throws -> [UInt8] {
        let most = limits.bodyBytes
        guard blob.length <= most else {
            throw ApprovalDoubt.notJudged("its body has \(blob.length) bytes, and up to \(most) are read")
        }
        let manifest = try BlobManifest(reading: try bytes(of: blob.id, "its body"))
        var content: [UInt8] = []
        for chunk in manifest.chunks where content.count <= most {
            content += try bytes(of: chunk, "a part of its body").dropFirst(BlobManifest.saltBytes)
        }
        guard UInt64(content.count) == blob.length else {
            throw ApprovalDoubt.notJudged("its body is not as long as its event says")
        }
        return content
    }
}
