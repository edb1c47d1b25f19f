import Testing

@testable import JSONText

@Suite("Canonical JSON")
struct CanonicalTests {
    @Test("writes numbers as appendix B of RFC 8785 does", arguments: [
        (0x0000000000000000, "0"), (0x8000000000000000, "0"), (0x0000000000000001, "5e-324"),
        (0x8000000000000001, "-5e-324"), (0x7fefffffffffffff, "1.7976931348623157e+308"),
        (0xffefffffffffffff, "-1.7976931348623157e+308"), (0x4340000000000000, "9007199254740992"),
        (0xc340000000000000, "-9007199254740992"), (0x4430000000000000, "295147905179352830000"),
        (0x44b52d02c7e14af5, "9.999999999999997e+22"), (0x44b52d02c7e14af6, "1e+23"),
        (0x44b52d02c7e14af7, "1.0000000000000001e+23"), (0x444b1ae4d6e2ef4e, "999999999999999700000"),
        (0x444b1ae4d6e2ef4f, "999999999999999900000"), (0x444b1ae4d6e2ef50, "1e+21"),
        (0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"), (0x3eb0c6f7a0b5ed8d, "0.000001"),
        (0x41b3de4355555553, "333333333.3333332"), (0x41b3de4355555554, "333333333.33333325"),
        (0x41b3de4355555555, "333333333.3333333"), (0x41b3de4355555556, "333333333.3333334"),
        (0x41b3de4355555557, "333333333.33333343"), (0xbecbf647612f3696, "-0.0000033333333333333333"),
        (0x43143ff3c1cb0959, "1424953923781206.2"),
    ] as [(UInt64, String)])
    func numbers(_ bits: UInt64, _ text: String) throws {
        let number = try #require(JSONNumber(Double(bitPattern: bits)))
        #expect(number.text == text)
        #expect(try CanonicalJSON.encode(.number(number)) == Array(text.utf8))
        try CanonicalJSON.check(Array(text.utf8))
    }

    @Test("writes no number that is not finite", arguments: [0x7fffffffffffffff, 0x7ff0000000000000] as [UInt64])
    func notFinite(_ bits: UInt64) {
        #expect(JSONNumber(Double(bitPattern: bits)) == nil)
        for text in ["1e400", "-1e400"] {
            let checked = JSONError.of { () throws(JSONError) in try CanonicalJSON.check(Array(text.utf8)) }
            #expect(checked?.code == .numberOutOfRange)
            let value = JSONValue.number(JSONNumber(checked: text))
            let encoded = JSONError.of { () throws(JSONError) in try CanonicalJSON.encode([value]) }
            #expect(encoded?.code == .numberOutOfRange)
            #expect(encoded?.offset == 1)
        }
    }

    @Test("writes doubles that read back as themselves")
    func doubles() throws {
        var random = SplitMix(state: 3)
        for _ in 0..<5000 {
            let value = Double(bitPattern: random.next())
            guard let number = JSONNumber(value) else { continue }
            #expect(number.double == value)
            try CanonicalJSON.check(Array(number.text.utf8))
        }
    }

    @Test("sorts the example of RFC 8785 section 3.2.3 as the RFC does")
    func sorting() throws {
        let text = #"""
            {"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",
             "\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}
            """#
        let canonical = try CanonicalJSON.encode(JSONValue.parse(Array(text.utf8)))
        let names = try JSONValue.parse(canonical).object?.compactMap(\.value.string)
        #expect(names == [
            "Carriage Return", "One", "Control", "Latin Small Letter O With Diaeresis", "Euro Sign",
            "Emoji: Grinning Face", "Hebrew Letter Dalet With Dagesh",
        ])
        try CanonicalJSON.check(canonical)
    }

    @Test("encodes the example of RFC 8785 section 3.2.2 as the RFC does")
    func example() throws {
        let text = #"""
            {"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
             "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}
            """#
        let expected = #"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"#
            + "\"string\":\"\u{20AC}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"
        #expect(try CanonicalJSON.encode(JSONValue.parse(Array(text.utf8))) == Array(expected.utf8))
    }

    @Test("orders keys as UTF-16 does")
    func order() throws {
        var random = SplitMix(state: 4)
        for _ in 0..<300 {
            var members = JSONValue.Members()
            for _ in 0..<20 { members.append(JSONValue.randomString(&random), 0) }
            let keys = members.map(\.key)
            let encoded = try JSONValue.parse(CanonicalJSON.encode(.object(members)))
            let sorted = keys.sorted { $0.utf16.lexicographicallyPrecedes($1.utf16) }
            #expect(encoded.object?.map { Array($0.key.utf8) } == sorted.map { Array($0.utf8) })
        }
    }

    @Test("is its own canonical form, and the checker accepts nothing else")
    func idempotent() throws {
        var random = SplitMix(state: 5)
        for _ in 0..<1000 {
            let value = JSONValue.random(&random)
            let canonical = try CanonicalJSON.encode(value)
            try CanonicalJSON.check(canonical)
            #expect(try CanonicalJSON.encode(JSONValue.parse(canonical)) == canonical)
            for layout in [JSONWriter.Layout.compact, .pretty] {
                let text = value.encoded(layout)
                let error = JSONError.of { () throws(JSONError) in try CanonicalJSON.check(text) }
                #expect((error == nil) == (text == canonical))
                guard let error else { continue }
                #expect(error.offset == firstDifference(text, canonical))
            }
        }
    }

    @Test("is refused for the first byte that differs", arguments: [
        (#"{"b":1,"a":2}"#, 2, .notCanonicalKeyOrder), (#"{"ab":1,"a":2}"#, 3, .notCanonicalKeyOrder),
        (#"{"b": 1,"a":2}"#, 2, .notCanonicalKeyOrder), (#"{"a": 1}"#, 5, .notCanonicalSpace),
        (" 1", 0, .notCanonicalSpace), ("1\n", 1, .notCanonicalSpace), ("[ ]", 1, .notCanonicalSpace),
        ("{ }", 1, .notCanonicalSpace), ("[1 ]", 2, .notCanonicalSpace), (#"{"a" :1}"#, 4, .notCanonicalSpace),
        (#"{"a":1 }"#, 6, .notCanonicalSpace), (#"{"a":1, "b":1}"#, 7, .notCanonicalSpace),
        ("1.0", 1, .notCanonicalNumber), ("[1e3]", 2, .notCanonicalNumber), ("-0", 0, .notCanonicalNumber),
        ("9007199254740993", 15, .notCanonicalNumber), ("1E+30", 1, .notCanonicalNumber),
        ("[-0.0]", 1, .notCanonicalNumber), (#""\u0041""#, 1, .notCanonicalEscape), (#""\/""#, 1, .notCanonicalEscape),
        (#""\u000a""#, 2, .notCanonicalEscape), (#""\u001F""#, 6, .notCanonicalEscape),
        (#""\u005C""#, 2, .notCanonicalEscape), (#""\ud83d\ude00""#, 1, .notCanonicalEscape),
        (#"{"a":1,"a":2}"#, 7, .duplicateKey), (#"{"a":1,"b":1,"a":2}"#, 13, .duplicateKey),
        ("[1, 2", 5, .unexpectedEnd),
        ("", 0, .empty), ("  ", 2, .empty), ("[1]x", 3, .trailingBytes), ("[1]]", 3, .trailingBytes),
    ] as [(String, Int, JSONError.Code)])
    func differences(_ text: String, _ offset: Int, _ code: JSONError.Code) {
        let error = JSONError.of { () throws(JSONError) in try CanonicalJSON.check(Array(text.utf8)) }
        #expect(error?.code == code)
        #expect(error?.offset == offset)
    }

    @Test("agrees with the canonical encoder on a document with any one bit flipped")
    func flips() throws {
        let value = try JSONValue.parse(Array(CheckTests.document.utf8))
        var bytes = try CanonicalJSON.encode(value)
        for index in bytes.indices {
            let original = bytes[index]
            for replacement in (0..<8).map({ original ^ 1 << $0 }) + [0x20, 0x22, 0x2C, 0x30, 0x5C, 0x7D] {
                bytes[index] = replacement
                let encoded = try? CanonicalJSON.encode(JSONValue.parse(bytes))
                let error = JSONError.of { () throws(JSONError) in try CanonicalJSON.check(bytes) }
                if (error == nil) != (encoded == bytes) {
                    Issue.record("byte \(index) as \(replacement): \(String(describing: error))")
                }
                if let error, let encoded, error.offset != firstDifference(bytes, encoded) {
                    Issue.record("byte \(index) as \(replacement): offset \(error.offset)")
                }
            }
            bytes[index] = original
        }
    }

    @Test("is not written for a tree deeper than any text may be")
    func depth() {
        var value: JSONValue = 1
        for _ in 0...JSONText.Limits.deepest { value = [value] }
        let error = JSONError.of { () throws(JSONError) in try CanonicalJSON.encode(value) }
        #expect(error?.code == .tooDeep)
    }
}
