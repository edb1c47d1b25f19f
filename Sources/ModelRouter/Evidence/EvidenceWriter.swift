import JSONText

/// Writes canonical JSON (RFC 8785) whose keys are known here: the caller writes them in the order of their bytes.
///
/// `JSONWriter` would do the same. A decision is written before each call, so this one stores into memory of a size
/// that nearly always suffices; what does not fit is counted, and written again into as much as it needs.
struct EvidenceWriter {
    private let base: UnsafeMutablePointer<UInt8>
    private let capacity: Int
    /// Bytes so far, those that did not fit among them.
    private(set) var count = 0
    private var needsComma = false

    private init(_ buffer: UnsafeMutableBufferPointer<UInt8>, _ base: UnsafeMutablePointer<UInt8>) {
        self.base = base
        capacity = buffer.count
    }

    /// What `body` writes; it is called again if that does not fit.
    static func write(capacity: Int, _ body: (inout EvidenceWriter) -> Void) -> [UInt8] {
        var needed = max(capacity, 1)
        while true {
            let room = needed
            let bytes = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
                guard let base = buffer.baseAddress else { return }
                var writer = EvidenceWriter(UnsafeMutableBufferPointer(rebasing: buffer[..<room]), base)
                body(&writer)
                needed = writer.count
                count = min(writer.count, room)
            }
            if needed <= room { return bytes }
        }
    }

    /// What was written between two places; empty if not all of it fitted.
    func bytes(from start: Int, to end: Int) -> UnsafeRawBufferPointer {
        end <= capacity
            ? UnsafeRawBufferPointer(start: base + start, count: end - start)
            : UnsafeRawBufferPointer(start: nil, count: 0)
    }

    @inline(__always)
    private mutating func put(_ byte: UInt8) {
        if count < capacity { base[count] = byte }
        count += 1
    }

    @inline(__always)
    private mutating func put(_ source: UnsafePointer<UInt8>?, _ length: Int) {
        if let source, length <= capacity - min(count, capacity) {
            (base + count).update(from: source, count: length)
        }
        count += length
    }

    private mutating func put(_ text: StaticString) { put(text.utf8Start, text.utf8CodeUnitCount) }

    @inline(__always)
    private mutating func separate() { put(needsComma ? UInt8(ascii: ",") : UInt8(ascii: "{")) }

    /// A key of lowercase letters and underscores.
    mutating func key(_ key: StaticString) {
        separate()
        put(UInt8(ascii: "\""))
        put(key)
        put(UInt8(ascii: "\""))
        put(UInt8(ascii: ":"))
        needsComma = false
    }

    /// A key that comes from a policy or a caller.
    mutating func key(_ key: String) {
        separate()
        quote(key)
        put(UInt8(ascii: ":"))
        needsComma = false
    }

    /// Writes an object whose members `body` writes.
    mutating func object(_ body: (inout EvidenceWriter) -> Void) {
        needsComma = false
        let start = count
        body(&self)
        if count == start { put(UInt8(ascii: "{")) }
        put(UInt8(ascii: "}"))
        needsComma = true
    }

    mutating func array<Elements: Sequence>(
        _ elements: Elements,
        _ body: (inout EvidenceWriter, Elements.Element) -> Void
    ) {
        put(UInt8(ascii: "["))
        var isFirst = true
        for element in elements {
            if !isFirst { put(UInt8(ascii: ",")) }
            isFirst = false
            body(&self, element)
        }
        put(UInt8(ascii: "]"))
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
        put(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { put($0.baseAddress, $0.count) }
        put(UInt8(ascii: "\""))
        needsComma = true
    }

    mutating func bool(_ value: Bool) {
        put(value ? "true" : "false")
        needsComma = true
    }

    mutating func integer(_ value: some FixedWidthInteger) {
        if value < 0 { put(UInt8(ascii: "-")) }
        let magnitude = UInt64(value.magnitude)
        digits(magnitude, Self.width(of: magnitude))
        needsComma = true
    }

    /// Dollars as `USD` describes them: at least two places, and no more than are needed.
    mutating func dollars(_ amount: USD) {
        put(UInt8(ascii: "\""))
        if amount.picodollars < 0 { put(UInt8(ascii: "-")) }
        let (whole, rest) = amount.picodollars.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000_000)
        digits(whole, Self.width(of: whole))
        put(UInt8(ascii: "."))
        var (fraction, places) = (rest, 12)
        while places > 2, fraction % 10 == 0 {
            fraction /= 10
            places -= 1
        }
        digits(fraction, places)
        put(UInt8(ascii: "\""))
        needsComma = true
    }

    private static func width(of value: UInt64) -> Int {
        var (width, bound) = (1, UInt64(10))
        while width < 20, value >= bound {
            width += 1
            bound = bound &* 10
        }
        return width
    }

    /// So many decimal digits, from the last to the first.
    private mutating func digits(_ value: UInt64, _ width: Int) {
        var rest = value
        var place = count + width
        count = place
        guard place <= capacity else { return }
        for _ in 0..<width {
            place -= 1
            base[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }

    private mutating func quote(_ text: String) {
        var text = text
        text.withUTF8 { content in
            guard Self.needsEscape(content) else {
                put(UInt8(ascii: "\""))
                put(content.baseAddress, content.count)
                put(UInt8(ascii: "\""))
                return
            }
            var writer = JSONWriter(appendingTo: [])
            writer.string(String(decoding: content, as: UTF8.self))
            writer.bytes.withUnsafeBufferPointer { put($0.baseAddress, $0.count) }
        }
    }

    @inline(__always)
    private static func needsEscape(_ content: UnsafeBufferPointer<UInt8>) -> Bool {
        var index = 0
        while index < content.count {
            let byte = content[index]
            if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return true }
            index += 1
        }
        return false
    }
}
