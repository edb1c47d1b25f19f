import Ledger
import Testing

@Suite struct DecimalTests {
    private func sum(_ numbers: String...) -> String {
        var sum = DecimalSum()
        for number in numbers {
            let isAdded = sum.add(number)
            #expect(isAdded, "\(number)")
        }
        return sum.text
    }

    @Test func sumsAreExact() {
        #expect(sum() == "0")
        #expect(sum("0.1", "0.2") == "0.3")
        #expect(sum("0.000000000000000000000000000000000001", "1") == "1.000000000000000000000000000000000001")
        #expect(sum("9.99", "0.01") == "10.00")
        #expect(sum(String(repeating: "9", count: 40), "1") == "1" + String(repeating: "0", count: 40))
    }

    @Test func whatIsNoPlainDecimalIsRefusedAndAddsNothing() {
        var sum = DecimalSum()
        let bad = ["", ".", "1.", ".5", "-1", "+1", "1e3", "1.2.3", "1,5", "٣", " 1", String(repeating: "1", count: 41)]
        for text in bad {
            let isAdded = sum.add(text)
            #expect(!isAdded, "\(text)")
        }
        #expect(sum.text == "0" && sum.count == 0)
    }

    @Test func manySumsAgreeWithIntegers() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<100 {
            var (sum, total) = (DecimalSum(), 0)
            for _ in 0..<50 {
                let cents = Int.random(in: 0...99_999_999, using: &random)
                total += cents
                let digits = String(repeating: "0", count: max(0, 5 - String(cents).count)) + String(cents)
                let isAdded = sum.add("\(digits.dropLast(4)).\(digits.suffix(4))")
                #expect(isAdded)
            }
            let digits = String(repeating: "0", count: max(0, 5 - String(total).count)) + String(total)
            #expect(sum.text == "\(digits.dropLast(4)).\(digits.suffix(4))", "\(total)")
        }
    }
}
