import Testing

@testable import JSONText

/// A schema that uses everything a schema can say.
let eventSchema = JSONSchema.object([
    .required("tool", .string(minLength: 1, maxLength: 8).titled("Tool", description: "What was run.")),
    .required("arguments", .array(of: .string(maxLength: 5), minItems: 1, maxItems: 3)),
    .required("exit_status", .integer(in: -1...255).described("The status.")),
    .optional("output", .string(format: .hex(digits: 8, prefix: "sha256:"))),
    .optional("name", .string(format: .name(maxLength: 6))),
    .optional("at", .string(format: .timestamp)),
    .optional("kind", .string(oneOf: ["read", "write", "", "a\"b", "é"])),
    .optional("count", .integer()),
    .optional("ratio", .number),
    .optional("ok", .boolean),
    .optional("nothing", .null),
    .optional("anything", .any),
    .optional("labels", .map(of: .string(maxLength: 3))),
    .optional("open", .object([.required("a", .integer(in: 0...9))], additional: .allowed)),
    .optional("nested", .array(of: .object([.optional("x/y", .array(of: .boolean))]))),
])

/// The least document that follows `eventSchema`, with more members put in.
func event(_ more: String = "") -> [UInt8] {
    Array(#"{"tool":"x","arguments":["a"],"exit_status":0\#(more.isEmpty ? "" : ",")\#(more)}"#.utf8)
}

@Suite("A schema")
struct SchemaTests {
    @Test("accepts what follows it", arguments: [
        "", #""output":"sha256:0123abcd""#, #""name":"a.b_-9""#, #""at":"2026-12-31T23:59:59Z""#, #""kind":"write""#,
        #""kind":"""#, #""kind":"a\"b""#, #""kind":"\u0072ead""#, #""kind":"é""#, #""kind":"\u00e9""#, #""count":1e2"#,
        #""count":-9007199254740991"#, #""count":9007199254740991.0"#, #""ratio":1.5e-3"#, #""ok":false"#,
        #""nothing":null"#, #""anything":{"a":[1,{}]}"#, #""labels":{"a":"😀😀😀","b":""}"#,
        #""open":{"a":9,"z":[1]}"#, #""nested":[{"x/y":[true]},{}]"#, #""\u006fk":true"#,
        #""output":"\u0073ha256:0123abc\u0064""#, #" "ok" : true "#, #""labels":{"a":"\u00e9\ud83d\ude00\n"}"#,
    ])
    func accepts(_ more: String) throws {
        try eventSchema.validate(event(more))
        try eventSchema.validate(JSONValue.parse(event(more)).encoded(.pretty))
    }

    @Test("says where and why it refuses a document", arguments: [
        (#""output":"sha256:0123abcX""#, "/output: expected \"sha256:\" and 8 lower-case hexadecimal digits"),
        (#""output":"sha256:0123abcde""#, "/output: expected \"sha256:\" and 8 lower-case hexadecimal digits"),
        (#""output":"sha255:0123abcd""#, "/output: expected \"sha256:\" and 8 lower-case hexadecimal digits"),
        (#""at":"2026-13-31T23:59:59Z""#, "/at: expected a time like 2026-01-31T23:59:59Z"),
        (#""kind":"reads""#, #"/kind: expected one of "read", "write", "", "a"b", "é""#),
        (#""count":1.5"#, "/count: expected an integer, found a number"),
        (#""count":9007199254740992"#, "/count: expected an integer of at most 9007199254740991"),
        (#""count":-1e400"#, "/count: expected an integer of at least -9007199254740991"),
        (#""count":"1""#, "/count: expected an integer, found a string"),
        (#""ok":null"#, "/ok: expected true or false, found null"),
        (#""nothing":false"#, "/nothing: expected null, found false"),
        (#""labels":{"a":"","b":"1234"}"#, "/labels/b: expected at most 3 characters"),
        (#""labels":{"a~/":1}"#, "/labels/a~0~1: expected a string, found a number"),
        (#""open":{"b":1}"#, "/open: the property \"a\" is missing"),
        (#""open":{"a":1,"a":1}"#, "/open/a: the property appears twice"),
        (#""open":{"a":1,"\u0061":1}"#, "/open/a: the property appears twice"),
        (#""nested":[{},{"x/y":[true,1]}]"#, "/nested/1/x~1y/1: expected true or false, found a number"),
        (#""nested":[{"q":[]}]"#, "/nested/0/q: the property is not known here"),
        (#""nested":[5]"#, "/nested/0: expected an object, found a number"),
        (#""extra":1"#, "/extra: the property is not known here"),
        (#""tool":"y""#, "/tool: the property appears twice"),
        (#""ok":tru"#, "/ok: a word is none of true, false and null"),
        (#""ok":01"#, "/ok: a number starts with a superfluous zero"),
        (#""anything":[1,2"#, "/anything/1: a comma or a closing bracket is expected here"),
    ])
    func refuses(_ more: String, _ words: String) {
        #expect(violation(event(more))?.description == words)
    }

    @Test("says where and why it refuses the required part", arguments: [
        ("[]", "the document: expected an object, found an array"),
        ("", "the document: there is no value"),
        ("{}", "the document: the property \"tool\" is missing"),
        (#"{"tool":"x","exit_status":0}"#, "the document: the property \"arguments\" is missing"),
        (#"{"tool":""}"#, "/tool: expected at least 1 character"),
        (#"{"tool":"123456789"}"#, "/tool: expected at most 8 characters"),
        (#"{"arguments":[]}"#, "/arguments: expected at least 1 element"),
        (#"{"arguments":["","","",""]}"#, "/arguments: expected at most 3 elements"),
        (#"{"arguments":["","123456"]}"#, "/arguments/1: expected at most 5 characters"),
        (#"{"exit_status":256}"#, "/exit_status: expected an integer of at most 255"),
        (#"{"exit_status":-2}"#, "/exit_status: expected an integer of at least -1"),
    ])
    func refusesRequired(_ text: String, _ words: String) {
        #expect(violation(Array(text.utf8))?.description == words)
    }

    @Test("refuses bytes after the document, and depth beyond the limit")
    func ends() {
        #expect(violation(event() + [0x5D])?.rule == .wellFormed(.trailingBytes))
        let deep = String(repeating: "[", count: 100_000)
        #expect(violation(event(#""anything":\#(deep)"#))?.rule == .wellFormed(.tooDeep))
        #expect(!isAccepted { try eventSchema.validate(event(), depth: 1) })
        #expect(isAccepted { try eventSchema.validate(event(), depth: 2) })
    }

    @Test("gives the offset of the value at fault")
    func offsets() {
        let bytes = Array(#"{"tool": 7}"#.utf8)
        #expect(violation(bytes)?.offset == 9)
        #expect(violation(bytes)?.path == "/tool")
    }

    @Test("never accepts text that is not JSON, whichever byte is changed")
    func flips() {
        var bytes = event(#""kind":"\u0072ead","labels":{"é":"\n"},"count":1e2,"output":"sha256:0123abcd""#)
        for index in bytes.indices {
            let original = bytes[index]
            for replacement in UInt8.min...UInt8.max {
                bytes[index] = replacement
                let checked = JSONError.of { () throws(JSONError) in try JSONText.check(bytes) }
                if let checked {
                    guard let violation = violation(bytes) else {
                        Issue.record("byte \(index) as \(replacement) is accepted")
                        continue
                    }
                    #expect(violation.offset <= checked.offset)
                }
            }
            bytes[index] = original
        }
    }

    @Test("refuses every proper prefix of a document")
    func prefixes() {
        let bytes = event(#""kind":"\u0072ead","labels":{"é":"\n"},"nested":[{"x/y":[true]}],"anything":[{"a":null}]"#)
        for count in 0..<bytes.count {
            #expect(violation(Array(bytes[..<count])) != nil)
        }
    }

    @Test("tells hexadecimal digits from every other byte at every place")
    func hex() {
        let schema = JSONSchema.string(format: .hex(digits: 19))
        for position in 0..<19 {
            for byte in UInt8(0x20)..<0x7F where byte != 0x22 && byte != 0x5C {
                var digits = [UInt8](repeating: UInt8(ascii: "a"), count: 19)
                digits[position] = byte
                let isHex = "0123456789abcdef".utf8.contains(byte)
                #expect(isAccepted { try schema.validate([0x22] + digits + [0x22]) } == isHex)
            }
        }
    }

    @Test("matches declared keys in any order and however they are escaped")
    func keyOrder() throws {
        let names = (0..<64).map { "property_\($0)" }
        let schema = JSONSchema.object(names.map { .required($0, .boolean) })
        var random = SplitMix(state: 6)
        for _ in 0..<50 {
            let members = names.shuffled(using: &random).map { name in
                Bool.random(using: &random) ? "\"\(name)\":true" : "\"\\u0070\(name.dropFirst())\":true"
            }
            try schema.validate(Array("{\(members.joined(separator: ","))}".utf8))
            #expect(!isAccepted { try schema.validate(Array("{\(members.dropLast().joined(separator: ","))}".utf8)) })
        }
    }

    @Test("is published as a document that says the same")
    func document() {
        let schema = JSONSchema.object([
            .required("id", .string(format: .hex(digits: 64, prefix: "sha256:")).titled("Id", description: "A hash.")),
            .optional("n", .integer(in: 0...5)),
            .optional("tags", .array(of: .string(minLength: 1, maxLength: 9), maxItems: 4)),
            .optional("kind", .string(oneOf: ["a", "b"])),
            .optional("map", .map(of: .any)),
        ]).titled("Thing")
        #expect(schema.document(id: "https://example.org/thing").description == #"""
            {"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"https://example.org/thing",\#
            "title":"Thing","type":"object","properties":{"id":{"title":"Id","description":"A hash.",\#
            "type":"string","pattern":"^sha256:[0-9a-f]{64}$"},"n":{"type":"integer","minimum":0,"maximum":5},\#
            "tags":{"type":"array","items":{"type":"string","minLength":1,"maxLength":9},"maxItems":4},\#
            "kind":{"type":"string","enum":["a","b"]},"map":{"type":"object","additionalProperties":{}}},\#
            "required":["id"],"additionalProperties":false}
            """#)
    }

    private func violation(_ bytes: [UInt8]) -> SchemaViolation? {
        do {
            try eventSchema.validate(bytes)
            return nil
        } catch {
            return error
        }
    }
}
