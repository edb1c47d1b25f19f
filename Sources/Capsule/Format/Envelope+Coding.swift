extension Envelope {
    private enum Flag {
        static let trace: UInt8 = 1
        static let key: UInt8 = 2
        static let token: UInt8 = 4
        static let seal: UInt8 = 8
        static let all: UInt8 = 15
    }

    private var flags: UInt8 {
        (key == nil ? 0 : Flag.key) | (trace == nil ? 0 : Flag.trace) | (token == nil ? 0 : Flag.token)
            | (seal == nil ? 0 : Flag.seal)
    }

    /// Bytes that `encode` appends.
    var encodedSize: Int {
        if isPlain, case .registered = type { return Self.fixedSize }
        var size = Self.fixedSize + 20 * causes.count + (trace == nil ? 0 : 25) + (key == nil ? 0 : 16)
        size += (token == nil ? 0 : 16) + (seal == nil ? 0 : 33)
        if case .custom(let name) = type { size += name.utf8.count }
        return size
    }

    /// Appends the canonical encoding.
    func encode(into bytes: inout [UInt8]) {
        encodeFixed(into: &bytes)
        if isPlain, case .registered = type { return }
        for cause in causes {
            bytes.append(cause.run)
            bytes.append(integer: cause.sequence)
        }
        if let trace { bytes.append(contentsOf: trace.bytes) }
        if let key { bytes.append(key) }
        if let token { bytes.append(token) }
        if let seal {
            bytes.append(seal.outcomeCode)
            bytes.append(seal.root)
        }
        if case .custom(let name) = type { bytes.append(contentsOf: name.utf8) }
    }

    /// The 80 bytes in one append: field by field, the growth checks of the array cost more than the fields.
    private func encodeFixed(into bytes: inout [UInt8]) {
        var nameLength: UInt8 = 0
        if case .custom(let name) = type { nameLength = UInt8(name.utf8.count) }
        withUnsafeTemporaryAllocation(byteCount: Self.fixedSize, alignment: 8) { fixed in
            fixed[0] = 1
            fixed[1] = flags
            fixed[2] = bodyKind == .none ? 0 : 1
            fixed[3] = bodyKind.rawValue
            fixed.storeBytes(of: type.code.littleEndian, toByteOffset: 4, as: UInt16.self)
            fixed.storeBytes(of: media.rawValue.littleEndian, toByteOffset: 6, as: UInt16.self)
            fixed[8] = UInt8(causes.count)
            fixed[9] = nameLength
            fixed.storeBytes(of: 0, toByteOffset: 10, as: UInt16.self)
            fixed.storeBytes(of: sequence.littleEndian, toByteOffset: 12, as: UInt32.self)
            fixed.storeBytes(of: actor.littleEndian, toByteOffset: 16, as: UInt32.self)
            fixed.storeBytes(of: stage.littleEndian, toByteOffset: 20, as: UInt32.self)
            fixed.storeBytes(of: time.nanoseconds.littleEndian, toByteOffset: 24, as: Int64.self)
            fixed.storeBytes(of: run, toByteOffset: 32, as: RunID.self)
            fixed.storeBytes(of: snapshot, toByteOffset: 48, as: Digest.self)
            bytes.append(contentsOf: fixed)
        }
    }

    /// Reads an envelope that fills `bytes` exactly.
    ///
    /// - Throws: `envelopeMalformed`.
    init(_ bytes: RawSpan) throws(CapsuleError) {
        do throws(CapsuleError) {
            var cursor = ByteCursor(bytes)
            self = try Envelope(reading: &cursor)
            guard cursor.isAtEnd else {
                throw CapsuleError(.envelopeMalformed, "bytes follow the envelope's last part")
            }
        } catch {
            throw CapsuleError(.envelopeMalformed, "an envelope is malformed: \(error.reason)")
        }
    }

    private init(reading cursor: inout ByteCursor) throws(CapsuleError) {
        let version = try cursor.integer(UInt8.self)
        guard version == 1 else { throw CapsuleError(.envelopeMalformed, "its version is \(version)") }
        let flags = try cursor.integer(UInt8.self)
        let scheme = try cursor.integer(UInt8.self)
        let kindCode = try cursor.integer(UInt8.self)
        let typeCode = try cursor.integer(UInt16.self)
        media = MediaType(rawValue: try cursor.integer())
        let causeCount = try cursor.integer(UInt8.self)
        let nameLength = Int(try cursor.integer(UInt8.self))
        let reserved = try cursor.integer(UInt16.self)
        guard let kind = BodyKind(rawValue: kindCode), scheme == (kind == .none ? 0 : 1) else {
            throw CapsuleError(.envelopeMalformed, "body kind \(kindCode) with commitment scheme \(scheme)")
        }
        guard flags & ~Flag.all == 0, reserved == 0, (kind == .none) == (media == .none), causeCount <= Limits.causes,
            nameLength <= Limits.typeNameBytes, (typeCode == 0) == (nameLength > 0)
        else { throw CapsuleError(.envelopeMalformed, "a field is out of range or a reserved one is not zero") }
        bodyKind = kind
        sequence = try cursor.integer()
        actor = try cursor.integer()
        stage = try cursor.integer()
        time = Timestamp(nanoseconds: try cursor.integer())
        run = try cursor.value()
        snapshot = try cursor.value()
        var rare = Rare()
        for _ in 0..<causeCount {
            rare.causes.append(EventReference(run: try cursor.value(), sequence: try cursor.integer()))
        }
        if flags & Flag.trace != 0 { rare.trace = TraceContext(bytes: try cursor.take(25).array) }
        if flags & Flag.key != 0 { rare.key = try cursor.value(KeyHash.self) }
        if flags & Flag.token != 0 { rare.token = try cursor.value(KeyHash.self) }
        if flags & Flag.seal != 0 { rare.seal = Seal(outcomeCode: try cursor.integer(), root: try cursor.value()) }
        self.rare = flags == 0 && causeCount == 0 ? nil : Boxed(rare)
        type = nameLength > 0 ? .custom(try Self.typeName(cursor.take(nameLength))) : Self.type(code: typeCode)
        guard (seal != nil) == (type == .registered(.runEnd)), token == nil || type == .registered(.runStart) else {
            throw CapsuleError(.envelopeMalformed, "a seal or a token stands in an event of type \(type.name)")
        }
    }

    private static func type(code: UInt16) -> EventType {
        RegisteredType(rawValue: code).map(EventType.registered) ?? .unknown(code)
    }

    private static func typeName(_ bytes: RawSpan) throws(CapsuleError) -> String {
        let array = bytes.array
        guard EventType.isReverseDomain(array) else {
            throw CapsuleError(.envelopeMalformed, "its type name is not a reverse domain name")
        }
        return String(decoding: array, as: UTF8.self)
    }
}
