import Testing

@testable import JSONText

/// Doubles of every kind: random bits, what people write, and the places where printing goes wrong.
private struct DoubleSample {
    private(set) var values: [Double] = []

    init(random: Int) {
        var generator = SplitMix(state: 8785)
        for exponent in 0..<UInt64(2047) { addAround(Double(bitPattern: exponent << 52)) }
        for exponent in -323...308 { addAround(Double("1e\(exponent)") ?? 0) }
        for shift in 0...60 { addAround(Double(UInt64(1) << shift)) }
        for _ in 0..<random {
            // A quarter each: any bits, subnormal numbers, decimals of few digits, whole numbers about 2^53.
            add(Double(bitPattern: generator.next()))
            add(Double(bitPattern: generator.next() & 0x800F_FFFF_FFFF_FFFF))
            let digits = generator.next() % 1_000_000
            add(Double("\(digits)e\(Int(generator.next() % 40) - 25)") ?? 0)
            add(Double(generator.next() >> (generator.next() % 24)))
        }
    }

    private mutating func addAround(_ value: Double) {
        for near in [value.nextDown, value, value.nextUp] { add(near) }
        add(-value)
    }

    private mutating func add(_ value: Double) { if value.isFinite { values.append(value) } }

    /// The bits of each in 16 hexadecimal digits, a line each.
    var bits: [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(values.count * 17)
        let digits = Array("0123456789abcdef".utf8)
        for value in values {
            for shift in stride(from: 60, through: 0, by: -4) {
                text.append(digits[Int(value.bitPattern >> UInt64(shift) & 15)])
            }
            text.append(0x0A)
        }
        return text
    }

    /// Where another's texts are not ours; the first few.
    func differences(from other: String) -> [String] {
        let others = other.split(separator: "\n", omittingEmptySubsequences: true)
        guard others.count == values.count else { return ["\(others.count) texts for \(values.count) numbers"] }
        var found: [String] = []
        for (value, theirs) in zip(values, others) where found.count < 5 {
            guard let ours = JSONNumber(value)?.text, ours.utf8.elementsEqual(theirs.utf8) else {
                found.append(
                    "0x\(String(value.bitPattern, radix: 16)): \(JSONNumber(value)?.text ?? "nil"), not \(theirs)"
                )
                continue
            }
        }
        return found
    }
}

@Suite("Numbers of RFC 8785, and others that print them")
struct NumberOpinionTests {
    private static let sample = DoubleSample(random: 30_000)

    /// ECMAScript's own: RFC 8785 defines its numbers by `JSON.stringify`.
    private static let ecmaScript = """
        const bits = new DataView(new ArrayBuffer(8));
        const lines = require("fs").readFileSync("bits.txt", "latin1").trim().split("\\n");
        const texts = lines.map((line) => {
            bits.setBigUint64(0, BigInt("0x" + line));
            return JSON.stringify(bits.getFloat64(0));
        });
        process.stdout.write(texts.join("\\n") + "\\n");
        """

    /// Python's shortest digits, set in the form of ECMA-262, Number::toString.
    private static let python = """
        import decimal, struct
        def text(value):
            if value == 0:
                return "0"
            sign, digits, exponent = decimal.Decimal(repr(value)).as_tuple()
            digits = "".join(map(str, digits))
            bare = digits.rstrip("0")
            exponent += len(digits) - len(bare)
            point = len(bare) + exponent
            if len(bare) <= point <= 21:
                body = bare + "0" * (point - len(bare))
            elif 0 < point <= 21:
                body = bare[:point] + "." + bare[point:]
            elif -6 < point <= 0:
                body = "0." + "0" * -point + bare
            else:
                fraction = "." + bare[1:] if len(bare) > 1 else ""
                body = bare[0] + fraction + "e" + format(point - 1, "+d")
            return "-" * sign + body
        with open("bits.txt") as lines:
            print("\\n".join(text(struct.unpack(">d", bytes.fromhex(line))[0]) for line in lines))
        """

    @Test("the sample has more than 100,000 numbers of all sizes")
    func sample() {
        let values = Self.sample.values
        #expect(values.count >= 100_000)
        #expect(values.count { $0.isSubnormal } > 20_000)
        #expect(values.count { $0.magnitude >= 1e21 } > 10_000)
        #expect(values.count { $0.magnitude < 1e-6 } > 10_000)
        #expect(values.count { $0.magnitude >= 1e-6 && $0.magnitude < 1e21 } > 30_000)
    }

    @Test("node prints each as the canonical form does", .enabled(if: Node.isThere, Node.whySkipped))
    func node() throws {
        let texts = try Node.run(Self.ecmaScript, files: ["bits.txt": Self.sample.bits])
        #expect(Self.sample.differences(from: texts) == [])
    }

    @Test("Python's digits give each as the canonical form does", .enabled(if: !Python.isForbidden, Python.whySkipped))
    func pythonsDigits() throws {
        let texts = try Python.run(Self.python, files: ["bits.txt": Self.sample.bits])
        #expect(Self.sample.differences(from: texts) == [])
    }

    @Test("one digit that differs would be noticed")
    func aBlindComparisonWouldBeNoticed() {
        var texts = Self.sample.values.map { JSONNumber($0)?.text ?? "" }
        #expect(Self.sample.differences(from: texts.joined(separator: "\n")) == [])
        texts[777] += "1"
        #expect(Self.sample.differences(from: texts.joined(separator: "\n")).count == 1)
        texts.removeLast()
        #expect(Self.sample.differences(from: texts.joined(separator: "\n")).count == 1)
    }
}
