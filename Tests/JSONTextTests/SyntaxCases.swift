/// Texts with a verdict, in the manner of JSONTestSuite: `y` must be accepted, `n` refused.
struct SyntaxCase: Sendable, CustomStringConvertible {
    let bytes: [UInt8]
    let isAccepted: Bool
    /// Python's `json` is laxer here on purpose: it reads lone surrogates and knows no depth limit.
    let pythonIsLaxer: Bool
    var description: String { String(decoding: bytes.prefix(40), as: UTF8.self) }

    static func y(_ text: String) -> SyntaxCase {
        SyntaxCase(bytes: Array(text.utf8), isAccepted: true, pythonIsLaxer: false)
    }

    static func n(_ text: String, laxPython: Bool = false) -> SyntaxCase {
        SyntaxCase(bytes: Array(text.utf8), isAccepted: false, pythonIsLaxer: laxPython)
    }

    static func n(_ bytes: [UInt8]) -> SyntaxCase {
        SyntaxCase(bytes: [0x22] + bytes + [0x22], isAccepted: false, pythonIsLaxer: false)
    }

    static let all: [SyntaxCase] = structure + numbers + strings + encodings

    static let structure: [SyntaxCase] = [
        y("[]"), y("{}"), y(" [ ] "), y("\t\r\n{ }\n"), y("null"), y("true"), y("false"), y("[1,[2,[3]]]"),
        y(#"{"a":{"b":[{"c":null}]}}"#), y(#"{"":0}"#), y("[null , true , false]"), y(#"{"a" : 1 , "b" : 2}"#),
        y(String(repeating: "[", count: 64) + String(repeating: "]", count: 64)),
        n(String(repeating: "[", count: 65) + String(repeating: "]", count: 65), laxPython: true),
        n(String(repeating: "[", count: 100_000)), n(String(repeating: #"{"a":"#, count: 100_000)),
        n(""), n(" "), n("[1,]"), n("[,1]"), n("[1,,2]"), n("["), n("]"), n("[1"), n("[1 2]"), n("[1}"), n("{]"),
        n("{"), n("}"), n(#"{"a"}"#), n(#"{"a":}"#), n(#"{"a":1,}"#), n(#"{,"a":1}"#), n(#"{a:1}"#), n("{1:1}"),
        n(#"{'a':1}"#), n(#"{"a" 1}"#), n(#"{"a"::1}"#), n(#"{"a":1 "b":2}"#), n(#"{"a":1]"#), n("[] []"), n("1 2"),
        n("[]x"), n("[] //"), n("/**/[]"), n("nul"), n("nulll"), n("True"), n("NULL"), n("tru"), n("truf"),
        n("fals"), n("falsy"), n("undefined"), n("[\u{0C}]"), n("[\u{A0}]"), n("[\u{0B}1]"), n("1\u{0}"), n("\u{0}"),
        n("[true false]"), n("*"), n(":"), n(","), n("[:]"),
    ]

    static let numbers: [SyntaxCase] = [
        y("0"), y("-0"), y("1"), y("-1"), y("123456789012345678901234567890"), y("0.5"), y("-0.5"), y("1e5"), y("1E5"),
        y("1e+5"), y("1e-5"), y("0e0"), y("1.0e-0"), y("[1.25E+02]"), y("0.0000000000000000000000000001"),
        n("01"), n("[01]"), n("-01"), n("00"), n("1."), n("[1.]"), n(".5"), n("[.5]"), n("1e"), n("[1e]"), n("1e+"),
        n("1.e5"), n("1.5e"), n("+1"), n("-"), n("--1"), n("-a"), n("-.5"), n("0x1F"), n("1_000"), n("1.2.3"),
        n("1e5.5"), n("NaN"), n("-NaN"), n("Infinity"), n("-Infinity"), n("1a"), n("0-1"), n("1\u{FF11}"),
    ]

    static let strings: [SyntaxCase] = [
        y(#""""#), y(#""a""#), y(#""\"\\\/\b\f\n\r\t""#), y(#""\u0041""#), y(#""\u00e9\u00E9""#), y(#""\u0000""#),
        y(#""\uD834\uDD1E""#), y(#""\ud83d\ude00x""#), y("\"\u{E9}\u{20AC}\u{1F600}\""), y("\"\u{7F}\u{80}\""),
        y("\"\u{2028}\u{2029}\""), y("\"\u{FEFF}\""), y("\"\u{10FFFF}\u{FFFF}\u{D7FF}\u{E000}\""),
        y("\"abcdefgh\""), y("\"abcdefg\u{E9}hijklmnop\""), y(#""12345678\n12345678""#),
        n("\""), n("\"a"), n("\"abcdefghijk"), n(#""\""#), n(#""\"#), n(#""\x41""#), n(#""\a""#), n(#""\u""#),
        n(#""\u12""#), n(#""\u123"#), n(#""\u12G4""#), n(#""\U0041""#), n(#""\u 041""#), n(#""\u+041""#),
        n(#""\ud800""#, laxPython: true), n(#""\udc00""#, laxPython: true), n(#""\ud800\ud800""#, laxPython: true),
        n(#""\ud800x""#, laxPython: true), n(#""\udc00\ud800""#, laxPython: true),
        n(#""\ud800\u0041""#, laxPython: true), n(#""\ud800\n""#, laxPython: true), n(#""\ud800\u""#),
        n("\"\u{0}\""), n("\"\u{1F}\""), n("\"\n\""), n("\"\t\""), n("\"1234567\u{1}\""), n("'a'"), n("\"a\"b"),
        n("\u{201C}a\u{201D}"),
    ]

    static let encodings: [SyntaxCase] = [
        n("\u{FEFF}[]"), n("\u{FEFF}"),
        n([0x80]), n([0xBF]), n([0xC0, 0x80]), n([0xC0, 0xAF]), n([0xC1, 0xBF]), n([0xC2]), n([0xC2, 0x41]),
        n([0xE0, 0x80, 0x80]), n([0xE0, 0x9F, 0xBF]), n([0xE2, 0x82]), n([0xE2, 0x82, 0x41]), n([0xED, 0xA0, 0x80]),
        n([0xED, 0xBF, 0xBF]), n([0xF0, 0x80, 0x80, 0x80]), n([0xF0, 0x8F, 0xBF, 0xBF]), n([0xF0, 0x9F, 0x98]),
        n([0xF4, 0x90, 0x80, 0x80]), n([0xF5, 0x80, 0x80, 0x80]), n([0xFE]), n([0xFF]), n([0xE9]),
        SyntaxCase(bytes: [0xFF, 0xFE, 0x5B, 0, 0x5D, 0], isAccepted: false, pythonIsLaxer: false),
        SyntaxCase(bytes: [0xEF], isAccepted: false, pythonIsLaxer: false),
        SyntaxCase(bytes: [0x22, 0xF0, 0x9F], isAccepted: false, pythonIsLaxer: false),
        SyntaxCase(bytes: [0x5B, 0xE9, 0x5D], isAccepted: false, pythonIsLaxer: false),
    ]
}
