import JSONText
import Testing

@testable import ModelPolicy
@testable import ModelRouter

@Suite struct EvidenceTests {
    @Test(arguments: [1, 7, 64, 4096])
    func whatDoesNotFitIsWrittenAgainIntoEnough(_ capacity: Int) throws {
        let bytes = EvidenceWriter.write(capacity: capacity) { writer in
            writer.object { writer in
                writer.key("a")
                writer.string("line\nbreak \"quoted\" é")
                writer.key("b")
                writer.array([Int64.min, -1, 0, 9, 10, 99, 100, Int64.max]) { $0.integer($1) }
                writer.key("c")
                writer.object { _ in }
                writer.key("d")
                writer.bool(true)
            }
        }
        let text = #"{"a":"line\nbreak \"quoted\" é","b":[-9223372036854775808,-1,0,9,10,99,100,9223372036854775807],"c":{},"d":true}"#
        #expect(String(decoding: bytes, as: UTF8.self) == text)
    }

    @Test(arguments: [0, 1, 10, 999_999_999_999, 1_000_000_000_000, 46_875_000_000, -70_000_000_000, .max, .min + 1])
    func dollarsAreWrittenAsTheyAreDescribedAndReadBack(_ picodollars: Int64) {
        let amount = USD(picodollars: picodollars)
        let bytes = EvidenceWriter.write(capacity: 64) { $0.dollars(amount) }
        #expect(String(decoding: bytes, as: UTF8.self) == "\"\(amount)\"")
        if picodollars >= 0 { #expect(USD(decimal: amount.description) == amount) }
    }

    @Test(arguments: ["", ".", "1.", ".5", "1.2345678901234", "1e3", "-1", "+1", "9999999999", "1,5", "0x1", "9223373.0"])
    func whatIsNoAmountIsNotRead(_ text: String) { #expect(USD(decimal: text) == nil) }
}
