import Support
import Testing

@testable import Capsule

@Suite struct EnvelopeTests {
    private func parse(_ bytes: [UInt8]) throws(CapsuleError) -> Envelope { try Envelope(bytes.span.bytes) }

    @Test(arguments: Seed.some(4))
    func anyEnvelopeComesBackFromItsBytes(_ seed: Seed) throws {
        var random = seed.generator
        for _ in 0..<300 {
            let envelope = Envelope.any(&random)
            let bytes = envelope.bytes
            #expect(bytes.count == envelope.encodedSize)
            #expect(try parse(bytes) == envelope)
        }
    }

    @Test(arguments: Seed.some(3))
    func everyPrefixOfAnEnvelopeIsRefused(_ seed: Seed) {
        var random = seed.generator
        for _ in 0..<10 {
            let bytes = Envelope.any(&random).bytes
            for count in 0..<bytes.count {
                #expect(throws: CapsuleError(.envelopeMalformed, ""), "\(count) of \(bytes)") {
                    try parse(Array(bytes[..<count]))
                }
            }
        }
    }

    @Test(arguments: Seed.some(3))
    func bytesBehindAnEnvelopeAreRefused(_ seed: Seed) {
        var random = seed.generator
        for _ in 0..<50 {
            let bytes = Envelope.any(&random).bytes + [0]
            #expect(throws: CapsuleError(.envelopeMalformed, "")) { try parse(bytes) }
        }
    }

    /// One value has one encoding: what is read from changed bytes, if anything, encodes to those bytes.
    @Test(arguments: Seed.some(3))
    func anEnvelopeWithAByteChangedIsRefusedOrCanonical(_ seed: Seed) {
        var random = seed.generator
        for _ in 0..<4 {
            let bytes = Envelope.any(&random).bytes
            for index in bytes.indices {
                // All values where each bit means something of its own, eight elsewhere.
                for mask in index < 12 ? Array(1...UInt8.max) : (0..<8).map({ 1 << $0 }) {
                    var changed = bytes
                    changed[index] ^= mask
                    guard let envelope = try? parse(changed) else { continue }
                    #expect(envelope.bytes == changed, "byte \(index), mask \(mask) of \(bytes)")
                }
            }
        }
    }

    /// Offsets are part of the format.
    @Test func theFieldsStandWhereTheSpecificationSays() {
        var envelope = Envelope(
            type: .registered(.toolCall),
            time: Timestamp(nanoseconds: 0x0102_0304_0506_0708),
            run: CapsuleBuilder.run(9),
            snapshot: CapsuleBuilder.policyID
        )
        envelope.media = .text
        envelope.bodyKind = .inline
        envelope.sequence = 0x1112_1314
        envelope.actor = 0x2122_2324
        envelope.stage = 0x3132_3334
        let fixed: [UInt8] = [1, 0, 1, 1, 21, 0, 3, 0, 0, 0, 0, 0, 0x14, 0x13, 0x12, 0x11, 0x24, 0x23, 0x22, 0x21]
        let rest: [UInt8] = [0x34, 0x33, 0x32, 0x31, 8, 7, 6, 5, 4, 3, 2, 1]
        #expect(envelope.bytes == fixed + rest + CapsuleBuilder.run(9).bytes + CapsuleBuilder.policyID.bytes)
    }

    @Test func aTypeNameHasAtMost128Bytes() throws {
        let label = String(repeating: "a", count: 62)
        let longest = "\(label).\(label).aa"
        #expect(longest.utf8.count == 128)
        #expect(try EventType(name: longest) == .custom(longest))
        #expect(throws: CapsuleError(.limitName, "")) { try EventType(name: longest + "a") }
    }

    @Test func aTypeNameIsAReverseDomainOfAtLeastThreeLabels() throws {
        let label = String(repeating: "a", count: 63)
        for name in ["a.b.c", "com.example.x-1_y", "\(label).a.b"] {
            #expect(try EventType(name: name) == .custom(name))
        }
        for name in [
            "", "a", "a.b", "a..b", ".a.b.c", "a.b.c.", "A.b.c", "1.b.c", "a.-b.c", "a.b.c d", "a.b.ü", "a.b.c\n",
            "a.b.\(label)a",
        ] {
            #expect(throws: CapsuleError(.invalidName, ""), "'\(name)'") { try EventType(name: name) }
        }
    }

    @Test func everyRegisteredTypeIsKnownByItsName() throws {
        for type in RegisteredType.allCases {
            #expect(try EventType(name: type.name) == .registered(type))
            #expect(EventType.registered(type).code == type.rawValue)
            #expect(!EventType.isReverseDomain(type.name.utf8), "the two kinds of names never meet")
        }
        #expect(Set(RegisteredType.allCases.map(\.name)).count == RegisteredType.allCases.count)
    }

    @Test(arguments: Seed.some(2))
    func aTraceparentComesBack(_ seed: Seed) throws {
        var random = seed.generator
        for _ in 0..<50 {
            let trace = try #require(TraceContext(bytes: random.bytes(25)))
            #expect(TraceContext(traceparent: trace.traceparent) == trace)
            #expect(trace.traceparent.utf8.count == 55)
        }
    }

    @Test func aMalformedTraceparentIsRefused() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        #expect(TraceContext(traceparent: good) != nil)
        for count in 0..<good.count { #expect(TraceContext(traceparent: good.prefix(count)) == nil, "\(count)") }
        for bad in [good + "-", good + "0", "01" + good.dropFirst(2), good.replacing("b7", with: "bz")] {
            #expect(TraceContext(traceparent: bad) == nil, "\(bad)")
        }
    }
}

@Suite struct EventFrameTests {
    private func view(_ frame: [UInt8], _ body: (borrowing EventView) throws -> Void) throws {
        var cursor = ByteCursor(frame.span.bytes)
        let frame = try Frame(&cursor)
        try body(EventView(frame))
    }

    private func envelope(_ kind: Envelope.BodyKind) -> [UInt8] {
        var envelope = Envelope(type: .registered(.note), time: CapsuleBuilder.start, run: .zero, snapshot: .zero)
        envelope.bodyKind = kind
        envelope.media = kind == .none ? .none : .bytes
        return envelope.bytes
    }

    @Test(arguments: [Envelope.BodyKind.none, .inline, .blob], [false, true])
    func onlyPayloadsOfTheRightLengthAreAccepted(_ kind: Envelope.BodyKind, _ isWithheld: Bool) {
        for count in 0...80 {
            let frame = eventFrame(
                envelope(kind),
                flags: isWithheld ? 1 : 0,
                payload: [UInt8](repeating: 7, count: count)
            )
            let fits =
                switch (kind, isWithheld) {
                case (.none, true): false
                case (.none, false): count == 0
                case (_, true): count == 32
                case (.inline, false): count >= 16
                case (.blob, false): count == 56
                }
            let isAccepted = (try? view(frame) { _ in }) != nil
            #expect(isAccepted == fits, "\(kind), withheld \(isWithheld), \(count) bytes")
        }
    }

    @Test func anInlineBodyHasAtMost262144Bytes() throws {
        let envelope = envelope(.inline)
        let most = [UInt8](repeating: 1, count: 16 + 262_144)
        try view(eventFrame(envelope, payload: most)) { #expect($0.storedBody?.byteCount == 262_144) }
        #expect(throws: CapsuleError(.frameMalformed, "")) {
            try view(eventFrame(envelope, payload: most + [1])) { _ in }
        }
    }

    @Test func aWithheldBodyLeavesTheLeafAsItWas() throws {
        let payload = Array(0..<60) as [UInt8]
        var whole = Digest.zero
        try view(eventFrame(envelope(.inline), payload: payload)) { whole = $0.leafHash }
        let commitment = Hashing.sha256(payload).bytes
        try view(eventFrame(envelope(.inline), flags: 1, payload: commitment)) {
            #expect($0.leafHash == whole)
            #expect($0.storedBody == nil && $0.salt == nil)
        }
    }

    @Test func theSaltIsPartOfTheCommitment() throws {
        var hashes: Set<Digest> = []
        for salt in 0..<4 as Range<UInt8> {
            let payload = [UInt8](repeating: salt, count: 16) + Array("same".utf8)
            try view(eventFrame(envelope(.inline), payload: payload)) { hashes.insert($0.leafHash) }
        }
        #expect(hashes.count == 4)
    }

    @Test func everyFlagButWithheldIsRefused() {
        for flags in 2...UInt8.max {
            let frame = eventFrame(envelope(.inline), flags: flags, payload: [UInt8](repeating: 7, count: 32))
            #expect(throws: CapsuleError(.frameMalformed, ""), "flags \(flags)") { try view(frame) { _ in } }
        }
    }

    @Test func everyLengthOfTheEnvelopeButItsOwnIsRefused() {
        let envelope = envelope(.inline)
        for length in 0...200 where length != envelope.count {
            let frame = eventFrame(envelope, payload: [UInt8](repeating: 7, count: 32), auxiliary: length)
            #expect(throws: CapsuleError.self, "length \(length)") { try view(frame) { _ in } }
        }
    }

    @Test func everyTruncationOfAFrameIsRefused() {
        let frame = eventFrame(envelope(.inline), payload: [UInt8](repeating: 7, count: 32))
        for count in 0..<frame.count {
            #expect(throws: CapsuleError(.frameMalformed, "")) { try view(Array(frame[..<count])) { _ in } }
        }
    }
}
