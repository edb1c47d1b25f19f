import JSONText

/// Writes canonical JSON (RFC 8785) whose keys are known here: the caller writes them in the order of their bytes.
///
/// `JSONWriter` would do the same; a decision is written before each call, and fixed keys need no look for escapes.
struct EvidenceWriter {
    private(set) var bytes: [UInt8] = []
    private var needsComma = false

    init(capacity: Int) { bytes.reserveCapacity(capacity) }

    /// What was written from a place on.
    func range(from start: Int) -> ArraySlice<UInt8> { bytes[start...] }

    private mutating func put(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// A key of lowercase letters and underscores.
    mutating func key(_ key: StaticString) {
        bytes.append(needsComma ? UInt8(ascii: ",") : UInt8(ascii: "{"))
        bytes.append(UInt8(ascii: "\""))
        put(key)
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// A key that comes from a policy or a caller.
    mutating func key(_ key: String) {
        bytes.append(needsComma ? UInt8(ascii: ",") : UInt8(ascii: "{"))
        quote(key)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// Writes an object whose members `body` writes.
    mutating func object(_ body: (inout EvidenceWriter) -> Void) {
        needsComma = false
        let start = bytes.count
        body(&self)
        if bytes.count == start { bytes.append(UInt8(ascii: "{")) }
        bytes.append(UInt8(ascii: "}"))
        needsComma = true
    }

    mutating func array<Elements: Sequence>(
        _ elements: Elements,
        _ body: (inout EvidenceWriter, Elements.Element) -> Void
    ) {
        bytes.append(UInt8(ascii: "["))
        var isFirst = true
        for element in elements {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            body(&self, element)
        }
        bytes.append(UInt8(ascii: "]"))
        needsComma = true
    }

    mutating func string(_ text: String) {
        quote(text)
        needsComma = true
    }

    /// A word that needs no escapes.
    mutating func word(_ text: some RawRepresentable<String>) { plain(text.rawValue) }

    /// Text that is known to need no escapes.
    mutating func plain(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: text.utf8)
        bytes.append(UInt8(ascii: "\""))
        needsComma = true
    }

    mutating func bool(_ value: Bool) {
        put(value ? "true" : "false")
        needsComma = true
    }

    mutating func integer(_ value: some FixedWidthInteger) {
        digits(UInt64(value.magnitude), isNegative: value < 0)
        needsComma = true
    }

    /// Dollars as `USD` describes them: at least two places, and no more than are needed.
    mutating func dollars(_ amount: USD) {
        bytes.append(UInt8(ascii: "\""))
        let (whole, rest) = amount.picodollars.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000_000)
        digits(whole, isNegative: amount.picodollars < 0)
        bytes.append(UInt8(ascii: "."))
        var places = 12
        var rest64 = rest
        while places > 2, rest64 % 10 == 0 {
            rest64 /= 10
            places -= 1
        }
        var divisor: UInt64 = 1
        for _ in 1..<places { divisor *= 10 }
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(rest64 / divisor % 10))
            divisor /= 10
        }
        bytes.append(UInt8(ascii: "\""))
        needsComma = true
    }

    private mutating func digits(_ value: UInt64, isNegative: Bool) {
        if isNegative { bytes.append(UInt8(ascii: "-")) }
        if value < 10 {
            bytes.append(UInt8(ascii: "0") + UInt8(value))
            return
        }
        let start = bytes.count
        var rest = value
        while rest > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        }
        bytes[start...].reverse()
    }

    private mutating func quote(_ text: String) {
        var text = text
        text.withUTF8 { content in
            let needsEscape = content.contains { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }
            guard needsEscape else {
                bytes.append(UInt8(ascii: "\""))
                bytes.append(contentsOf: content)
                bytes.append(UInt8(ascii: "\""))
                return
            }
            var writer = JSONWriter(appendingTo: [])
            writer.string(String(decoding: content, as: UTF8.self))
            bytes.append(contentsOf: writer.bytes)
        }
    }
}
