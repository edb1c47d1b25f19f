import Support
import Testing

@testable import Capsule

@Suite struct Base64Tests {
    private func decode(_ text: String) -> [UInt8]? { Base64.decode(Array(text.utf8)) }

    @Test func theTextsAreThoseOfTheRFC() {
        let known = [
            "": "", "f": "Zg==", "fo": "Zm8=", "foo": "Zm9v", "foob": "Zm9vYg==", "fooba": "Zm9vYmE=",
            "foobar": "Zm9vYmFy",
        ]
        for (plain, text) in known {
            #expect(Base64.encode(Array(plain.utf8)) == text)
            #expect(decode(text) == Array(plain.utf8))
        }
    }

    @Test(arguments: Seed.some(3))
    func anyBytesComeBack(_ seed: Seed) {
        var random = seed.generator
        for count in 0..<100 {
            let bytes = random.bytes(count)
            #expect(decode(Base64.encode(bytes)) == bytes)
        }
    }

    /// All texts of four characters out of a few: each is refused or is what its bytes encode to.
    @Test func noTwoTextsGiveTheSameBytes() {
        let letters = Array("AQgwZ/9+=".utf8)
        var seen: [[UInt8]: [UInt8]] = [:]
        for a in letters {
            for b in letters {
                for c in letters {
                    for d in letters {
                        let text = [a, b, c, d]
                        guard let bytes = Base64.decode(text) else { continue }
                        #expect(seen.updateValue(text, forKey: bytes) == nil, "\(text)")
                        #expect(Array(Base64.encode(bytes).utf8) == text)
                    }
                }
            }
        }
        #expect(seen.count > 1000)
    }

    @Test(arguments: [
        "Zg", "Zg=", "Zh==", "Zm9=", "Zg==\n", "Zg== ", " Zg==", "Z===", "====", "Zg==Zg==", "Zm9_", "Zm9-", "Zm.v",
        "Zm9v=",
    ])
    func laxTextIsRefused(_ text: String) { #expect(decode(text) == nil) }
}

@Suite struct CheckpointNoteTests {
    private let root = Hashing.sha256([1])
    private func read(_ text: String) -> CheckpointNote? { CheckpointNote(Array(text.utf8)) }

    @Test(arguments: [0, 1, 9, 10, UInt64(Int64.max) + 1, .max])
    func aNoteComesBackFromItsBytes(_ size: UInt64) {
        let note = CheckpointNote(origin: "example.com/ledger", size: size, root: root)
        #expect(CheckpointNote(note.bytes) == note)
        #expect(note.bytes == Array("example.com/ledger\n\(size)\n\(Base64.encode(root.bytes))\n".utf8))
    }

    @Test func everyPrefixOfANoteIsRefused() {
        let bytes = CheckpointNote(origin: "a", size: 12, root: root).bytes
        for count in bytes.indices { #expect(CheckpointNote(Array(bytes[..<count])) == nil, "\(count) bytes") }
    }

    @Test func extensionsAndSignaturesAreKept() throws {
        let bytes = CheckpointNote(origin: "a", size: 12, root: root).bytes + Array("more\n\n— a UwJDkMfy\n".utf8)
        let note = try #require(CheckpointNote(bytes))
        #expect(note.size == 12 && note.root == root && note.bytes == bytes)
    }

    @Test func aSizeHasOneForm() {
        let text = Base64.encode(root.bytes)
        for size in ["", "01", "+1", "-1", " 1", "1 ", "1\r", "0x1", "1_0", "18446744073709551616", "١"] {
            #expect(read("a\n\(size)\n\(text)\n") == nil, "'\(size)'")
        }
    }

    @Test func aRootHas32BytesInPaddedBase64() {
        let text = Base64.encode(root.bytes)
        for bad in [
            Base64.encode(Array(root.bytes.dropLast())), Base64.encode(root.bytes + [0]), String(text.dropLast()),
            text + " ", text + "\r",
        ] {
            #expect(read("a\n1\n\(bad)\n") == nil, "'\(bad)'")
        }
        #expect(read("\n1\n\(text)\n") == nil, "no origin")
        #expect(CheckpointNote([0xFF, 10] + Array("1\n\(text)\n".utf8)) == nil, "not UTF-8")
    }
}

@Suite struct DurableNoteTests {
    private func note(_ holder: String = #"{"pid":7}"#) -> DurableNote {
        DurableNote(capsule: CapsuleBuilder.capsuleID, generation: 0x1F, durableLength: 0xABCDE, holder: holder)
    }

    @Test(arguments: [0, 1, 8192, 1 << 40, .max] as [UInt64])
    func aNoteComesBackFromItsBytes(_ number: UInt64) {
        var written = note()
        written.durableLength = number
        written.generation = .max - number
        #expect(written.encoded.count == 512)
        #expect(DurableNote(written.encoded) == written)
    }

    /// The layout is part of the format.
    @Test func theFirstLineIsAsTheSpecificationSays() {
        let line = String(decoding: note().encoded[..<82], as: UTF8.self)
        #expect(line == "capsule-note-1 00112233445566778899aabbccddeeff 000000000000001f 00000000000abcde ")
        #expect(note().encoded[90] == UInt8(ascii: "\n") && note().encoded[511] == UInt8(ascii: "\n"))
    }

    @Test func aNoteWithAnyByteOfItsFirstLineChangedIsNone() {
        let bytes = note().encoded
        for index in 0..<91 {
            for mask in 1...UInt8.max {
                var changed = bytes
                changed[index] ^= mask
                #expect(DurableNote(changed) == nil, "byte \(index), mask \(mask)")
            }
        }
    }

    @Test func aNoteCutInItsFirstLineIsNone() {
        let bytes = note().encoded
        for count in 0..<91 { #expect(DurableNote(Array(bytes[..<count])) == nil, "\(count) bytes") }
        for count in 91...512 {
            #expect(DurableNote(Array(bytes[..<count]))?.durableLength == 0xABCDE, "\(count) bytes")
        }
    }

    @Test func whatStandsInTheSecondLineChangesNothing() {
        let bytes = note().encoded
        for index in 91..<512 {
            var changed = bytes
            changed[index] = 0xFF
            #expect(DurableNote(changed)?.durableLength == 0xABCDE, "byte \(index)")
        }
    }

    @Test func aHolderThatDoesNotFitIsLeftOut() {
        for count in [0, 1, 419, 420, 421, 1000] {
            let holder = String(repeating: "x", count: count)
            let bytes = note(holder).encoded
            #expect(bytes.count == 512)
            #expect(DurableNote(bytes)?.holder == (count <= 419 ? holder : ""), "\(count) bytes")
        }
    }

    @Test func aHolderCannotBeginANewLine() {
        let bytes = note("{\n\r\t\0}").encoded
        #expect(bytes.filter { $0 < 0x20 }.count == 2)
        #expect(DurableNote(bytes)?.holder == "{}")
    }

    @Test func aNoteOfAnotherCapsuleOrGenerationDoesNotCount() {
        let storage = MemoryStorage()
        func durable(_ header: FileHeader) -> UInt64? {
            DurableNote.read(for: "a.cpsl", header: header, storage: storage)?.durableLength
        }
        let header = CapsuleBuilder.plainHeader(generation: 0x1F)
        #expect(durable(header) == nil, "none there")
        storage.put(note().encoded, at: "a.cpsl.note")
        #expect(durable(header) == 0xABCDE)
        #expect(durable(CapsuleBuilder.plainHeader(generation: 0x1E)) == nil)
        var other = header
        other.capsule = .zero
        #expect(durable(other) == nil)
    }

    @Test func theNoteStandsBesideTheCapsule() {
        #expect(DurableNote.path(for: "/a/b.cpsl") == "/a/b.cpsl.note")
        #expect(DurableNote.path(for: "b.cpsl") == "b.cpsl.note")
    }
}
