import Testing

@testable import JSONText

@Suite("The checker")
struct CheckTests {
    @Test("accepts and refuses each text as its verdict says", arguments: SyntaxCase.all)
    func verdicts(_ text: SyntaxCase) {
        #expect(isAccepted { try JSONText.check(text.bytes) } == text.isAccepted)
    }

    @Test("agrees with the parser and with the schema of any value on each text", arguments: SyntaxCase.all)
    func agreement(_ text: SyntaxCase) {
        let checked = JSONError.of { () throws(JSONError) in try JSONText.check(text.bytes) }
        #expect(JSONError.of { () throws(JSONError) in try JSONValue.parse(text.bytes) } == checked)
        #expect(isAccepted { try JSONSchema.any.validate(text.bytes) } == text.isAccepted)
    }

    @Test("agrees with Python's json where that is as strict", .enabled(if: !Python.isForbidden, Python.whySkipped))
    func python() throws {
        let cases = SyntaxCase.all.filter { !$0.pythonIsLaxer }
        #expect(cases.count >= 60)
        let lines = cases.map { text in
            text.bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        }
        let script = """
            import json
            def refuse(word):
                raise ValueError(word)
            for line in open("cases.txt"):
                try:
                    json.loads(bytes.fromhex(line.strip()).decode("utf-8"), parse_constant=refuse)
                    print("y", end="")
                except (ValueError, RecursionError):
                    print("n", end="")
            """
        let files = ["cases.txt": Array((lines.joined(separator: "\n") + "\n").utf8)]
        let verdicts = try Python.run(script, files: files)
        #expect(verdicts.count == cases.count)
        for (text, verdict) in zip(cases, verdicts) {
            #expect(text.isAccepted == (verdict == "y"), "\(text)")
        }
    }

    static let document = #"""
        {"tool":"swift build","args":["-c","\u00e9\n\ud83d\ude00","é€😀"],"n":[0,-1.5e+10,12345678901],"ok":true,
         "deep":{"x":[[],{},null,false,"a string that is longer than one word"]}}
        """#

    @Test("refuses every proper prefix of a document, as the parser does")
    func prefixes() {
        let bytes = Array(Self.document.utf8)
        for count in 0..<bytes.count {
            let prefix = Array(bytes[..<count])
            let checked = JSONError.of { () throws(JSONError) in try JSONText.check(prefix) }
            let parsed = JSONError.of { () throws(JSONError) in try JSONValue.parse(prefix) }
            #expect(checked != nil && checked == parsed, "prefix of \(count)")
            #expect(!isAccepted { try JSONSchema.any.validate(prefix) })
            #expect(!isAccepted { try CanonicalJSON.check(prefix) })
        }
    }

    @Test("agrees with the parser on a document with any one byte changed to any other")
    func flips() {
        var bytes = Array(Self.document.utf8)
        var accepted = 0
        for index in bytes.indices {
            let original = bytes[index]
            for replacement in UInt8.min...UInt8.max {
                bytes[index] = replacement
                let checked = JSONError.of { () throws(JSONError) in try JSONText.check(bytes) }
                let parsed = JSONError.of { () throws(JSONError) in try JSONValue.parse(bytes) }
                if parsed?.code != .duplicateKey, checked != parsed {
                    let errors = [checked, parsed].map(String.init(describing:))
                    Issue.record("byte \(index) as \(replacement): \(errors)")
                }
                if checked == nil { accepted += 1 }
                _ = isAccepted { try CanonicalJSON.check(bytes) }
            }
            bytes[index] = original
        }
        #expect(accepted > bytes.count)
    }

    @Test("survives random bytes")
    func noise() {
        var random = SplitMix(state: 1)
        let alphabet = Array(#"{}[]",:\u0d8ctrue1-.eE+ "#.utf8) + [0x80, 0xC3, 0xA9, 0xED, 0xF0, 0, 0x0A]
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...24, using: &random)).map { _ in
                alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
            }
            let checked = JSONError.of { () throws(JSONError) in try JSONText.check(bytes) }
            let parsed = JSONError.of { () throws(JSONError) in try JSONValue.parse(bytes) }
            #expect(checked == parsed || parsed?.code == .duplicateKey)
        }
    }

    @Test("finds a stop character at every position of a string")
    func stops() {
        for length in 0..<40 {
            for position in 0..<length {
                for stop in [0x00, 0x1F, 0x22, 0x5C, 0x80, 0xFF] as [UInt8] {
                    var bytes = [UInt8](repeating: 0x23, count: length)
                    bytes[position] = stop
                    #expect(!isAccepted { try JSONText.check([0x22] + bytes + [0x22]) })
                }
            }
        }
    }

    @Test("takes every Unicode scalar and no other sequence of up to three bytes")
    func utf8() {
        for scalar in (0x20...0x10FFFF).compactMap(Unicode.Scalar.init) where scalar != "\"" && scalar != "\\" {
            guard scalar.value < 0x3000 || scalar.value % 0x101 == 0 else { continue }
            #expect(isAccepted { try JSONText.check([0x22] + Array(String(scalar).utf8) + [0x22]) })
        }
        for first in UInt8(0x80)...0xFF {
            for second in stride(from: UInt8(0), to: 0xFF, by: 3) {
                for third in [0x20, 0x7F, 0x80, 0xBF, 0xC0] as [UInt8] {
                    let bytes = [first, second, third]
                    guard !bytes.contains(0x22), !bytes.contains(0x5C), second >= 0x20 else { continue }
                    let isValid = String(validating: bytes, as: UTF8.self) != nil
                    #expect(isAccepted { try JSONText.check([0x22] + bytes + [0x22]) } == isValid)
                }
            }
        }
    }

    @Test("counts the arrays and objects open at once against the depth limit")
    func depth() {
        let nested = Array("[{\"a\":[1]}]".utf8)
        #expect(isAccepted { try JSONText.check(nested, depth: 3) })
        #expect(JSONError.of { () throws(JSONError) in try JSONText.check(nested, depth: 2) }?.code == .tooDeep)
        #expect(isAccepted { try JSONText.check(Array("1".utf8), depth: -5) })
    }

    @Test("lowers a depth limit that the stack could not bear")
    func deepest() {
        let bytes = [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)
        let error = JSONError.of { () throws(JSONError) in try JSONText.check(bytes, depth: .max) }
        #expect(error?.code == .tooDeep)
        #expect(error?.offset == JSONText.Limits.deepest)
    }
}

@Suite("An error")
struct ErrorTests {
    @Test("names the line, the column and the reason", arguments: [
        ("[1,\n  \"é\", \"", "line 2, column 9: a string is not closed"),
        ("", "line 1, column 1: there is no value"),
        ("  \n", "line 2, column 1: there is no value"),
        ("{\"a\":1", "line 1, column 7: the text ends too early"),
        ("{\"a\":tru", "line 1, column 9: the text ends too early"),
        ("{\"a\" 1}", "line 1, column 6: a colon is expected after the key"),
        ("[1 2]", "line 1, column 4: a comma or a closing bracket is expected here"),
        ("{\"a\":1]", "line 1, column 7: a comma or a closing brace is expected here"),
        ("{1:2}", "line 1, column 2: a key in quotation marks is expected here"),
        ("[01]", "line 1, column 2: a number starts with a superfluous zero"),
        ("[1.x]", "line 1, column 4: a number is not valid"),
        ("[nil]", "line 1, column 2: a word is none of true, false and null"),
        ("[]\n\n x", "line 3, column 2: there is something after the end of the value"),
        ("[\"\\ud800\"]", "line 1, column 3: an escape is half of a surrogate pair"),
        ("[\"\\q\"]", "line 1, column 3: an escape is not valid"),
        ("\u{FEFF}1", "line 1, column 1: a byte order mark is not allowed"),
        ("{\"a\":1,\n\"\\u0061\":2}", "line 2, column 1: a key appears twice in one object"),
    ])
    func words(_ text: String, _ words: String) {
        let error = JSONError.of { () throws(JSONError) in try JSONValue.parse(Array(text.utf8)) }
        #expect(error?.description == words)
    }
}
