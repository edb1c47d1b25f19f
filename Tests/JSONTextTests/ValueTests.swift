import Testing

@testable import JSONText

extension JSONValue {
    /// A random tree.
    static func random(_ random: inout SplitMix, depth: Int = 4) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &random) {
        case 0: return .null
        case 1: return .bool(.random(using: &random))
        case 2: return .number(JSONNumber(Int.random(in: .min ... .max, using: &random)))
        case 3:
            let value = Double(bitPattern: random.next())
            return JSONNumber(value).map(JSONValue.number) ?? .null
        case 4, 5: return .string(randomString(&random))
        case 6:
            let count = Int.random(in: 0..<5, using: &random)
            return .array((0..<count).map { _ in Self.random(&random, depth: depth - 1) })
        default:
            var members = Members()
            for _ in 0..<Int.random(in: 0..<(depth == 4 ? 30 : 5), using: &random) {
                members.append(randomString(&random), Self.random(&random, depth: depth - 1))
            }
            return .object(members)
        }
    }

    static func randomString(_ random: inout SplitMix) -> String {
        let ranges: [ClosedRange<UInt32>] = [
            0...0x1F, 0x20...0x7E, 0x20...0x7E, 0x7F...0x7FF, 0xE000...0xFFFF, 0x10000...0x10FFFF, 0x22...0x22,
            0x5C...0x5C,
        ]
        var string = ""
        for _ in 0..<Int.random(in: 0..<12, using: &random) {
            let range = ranges[Int.random(in: 0..<ranges.count, using: &random)]
            if let scalar = Unicode.Scalar(UInt32.random(in: range, using: &random)) {
                string.unicodeScalars.append(scalar)
            }
        }
        return string
    }
}

@Suite("A value")
struct ValueTests {
    @Test("is the same after being written and read, in both layouts")
    func roundTrip() throws {
        var random = SplitMix(state: 2)
        for _ in 0..<1500 {
            let value = JSONValue.random(&random)
            for layout in [JSONWriter.Layout.compact, .pretty] {
                let text = value.encoded(layout)
                try JSONText.check(text)
                let read = try JSONValue.parse(text)
                #expect(read == value)
                #expect(read.encoded(layout) == text)
            }
        }
    }

    @Test("gives what it holds and nil for everything else")
    func access() throws {
        let value = try JSONValue.parse(Array(#"{"a":[1,2.5,"x",true,null],"o":{"k":"v"}}"#.utf8))
        #expect(value["a"]?[0]?.int == 1)
        #expect(value["a"]?[1]?.int == nil)
        #expect(value["a"]?[1]?.double == 2.5)
        #expect(value["a"]?[2]?.string == "x")
        #expect(value["a"]?[3]?.bool == true)
        #expect(value["a"]?[4]?.isNull == true)
        #expect(value["a"]?[5] == nil)
        #expect(value["a"]?[-1] == nil)
        #expect(value["o"]?["k"]?.string == "v")
        #expect(value["o"]?.object?.map(\.key) == ["k"])
        #expect(value["missing"] == nil)
        #expect(value["o"]?[0] == nil)
    }

    @Test("decodes every escape")
    func escapes() throws {
        let value = try JSONValue.parse(Array(#""\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\ude00\u0000""#.utf8))
        #expect(value.string == "\"\\/\u{8}\u{C}\n\r\tA\u{E9}\u{20AC}\u{1F600}\u{0}")
    }

    @Test("reads integers by their value and not their spelling", arguments: [
        ("0", 0), ("-0", 0), ("9223372036854775807", Int.max), ("-9223372036854775808", Int.min),
        ("9223372036854775808", nil), ("-9223372036854775809", nil), ("1.0", 1), ("1.5", nil), ("1e3", 1000),
        ("1.25e2", 125), ("1.25e1", nil), ("1200e-2", 12), ("1201e-2", nil), ("0e999999999999999999999", 0),
        ("0.000e-99999999999999999999", 0), ("1e99999999999999999999999", nil), ("1e-9999999999999999999", nil),
        ("922337203685477580.7e1", Int.max), ("0.00000000000000000000012e23", 12), ("1e18", 1_000_000_000_000_000_000),
        ("1e19", nil), ("123456789012345678901234567890", nil), ("10000000000000000000000e-20", 100),
    ] as [(String, Int?)])
    func integers(_ text: String, _ value: Int?) {
        #expect(JSONNumber(text)?.int == value)
    }

    @Test("keeps the text of a number and takes no text that is none")
    func numbers() throws {
        #expect(try JSONValue.parse(Array("[1.50e+02]".utf8)).description == "[1.50e+02]")
        for text in ["", "abc", "1 ", " 1", "01", "1.", "-", "+1", "NaN", "1,2"] {
            #expect(JSONNumber(text) == nil)
        }
        #expect(JSONNumber("1e400")?.double == nil)
        #expect(JSONNumber(Double.nan) == nil)
    }

    @Test("tells keys apart that String takes for the same")
    func canonicalEquivalence() throws {
        let value = try JSONValue.parse(Array("{\"\u{E9}\":1,\"e\u{301}\":2}".utf8))
        #expect(value["\u{E9}"]?.int == 1)
        #expect(value["e\u{301}"]?.int == 2)
        #expect(JSONValue.string("\u{E9}") != .string("e\u{301}"))
    }

    @Test("finds and refuses duplicates among many keys, in time proportional to their number")
    func manyKeys() throws {
        let members = (0..<100_000).map { "\"k\($0)\":\($0)" }.joined(separator: ",")
        #expect(try JSONValue.parse(Array("{\(members)}".utf8))["k99999"]?.int == 99_999)
        let error = JSONError.of { () throws(JSONError) in try JSONValue.parse(Array("{\(members),\"k7\":0}".utf8)) }
        #expect(error?.code == .duplicateKey)
    }

    @Test("can have its members replaced, appended and removed")
    func members() {
        var members = JSONValue.Members()
        for index in 0..<40 { members["k\(index)"] = .number(JSONNumber(index)) }
        members["k3"] = "three"
        members["k5"] = nil
        let isAppended = members.append("k7", 0)
        #expect(!isAppended)
        #expect(members.count == 39)
        #expect(members["k3"]?.string == "three")
        #expect(members["k5"] == nil)
        #expect(members["k39"]?.int == 39)
        for index in 0..<38 { members["k\(index)"] = nil }
        #expect(members.map(\.key) == ["k38", "k39"])
        #expect(members.containsKey("k39"))
    }

    @Test("is not built from a text that is longer than allowed")
    func tooLong() {
        let error = JSONError.of { () throws(JSONError) in try JSONValue.parse(Array("[1,2]".utf8), maximumBytes: 4) }
        #expect(error?.code == .tooLong)
    }
}

@Suite("The writer")
struct WriterTests {
    @Test("puts commas and quotation marks where they belong")
    func compact() {
        var writer = JSONWriter()
        writer.object {
            $0.member("a", "x\"y")
            $0.member("b", -5)
            $0.member("c", true)
            $0.key("d")
            $0.array {
                $0.integer(UInt64.max)
                $0.null()
                $0.string("")
                $0.object { _ in }
                $0.number(JSONNumber(checked: "1.50"))
            }
            $0.key("e")
            $0.array { _ in }
        }
        let text = String(decoding: writer.bytes, as: UTF8.self)
        #expect(text == #"{"a":"x\"y","b":-5,"c":true,"d":[18446744073709551615,null,"",{},1.50],"e":[]}"#)
    }

    @Test("takes strings, integers and truth values that are variables")
    func variables() {
        let (name, count, isOK): (String, Int32, Bool) = ("n", 3, false)
        var writer = JSONWriter(appendingTo: Array(">".utf8))
        writer.object {
            $0.member("name", name)
            $0.member("count", count)
            $0.member("ok", isOK)
        }
        #expect(String(decoding: writer.bytes, as: UTF8.self) == #">{"name":"n","count":3,"ok":false}"#)
    }

    @Test("indents by two spaces and keeps empty brackets together")
    func pretty() {
        let value: JSONValue = ["a": 1, "b": [true, [:]], "c": [], "d": ["e": "f"]]
        #expect(String(decoding: value.encoded(.pretty), as: UTF8.self) == """
            {
              "a": 1,
              "b": [
                true,
                {}
              ],
              "c": [],
              "d": {
                "e": "f"
              }
            }
            """)
    }

    @Test("escapes only what must be escaped")
    func escapes() {
        let value = JSONValue.string("\u{0}\u{1F}\u{8}\t\n\u{C}\r\"\\/\u{7F}\u{2028}é😀")
        #expect(value.description == "\"\\u0000\\u001f\\b\\t\\n\\f\\r\\\"\\\\/\u{7F}\u{2028}é😀\"")
    }
}
