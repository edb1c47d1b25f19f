/// The way from the root of a document to the value at an offset.
///
/// Made only to explain an error, from text that is known to be good up to the offset.
struct JSONPath {
    private var steps: [Step] = []

    /// An array or object that is open.
    private enum Step {
        case element(Int)
        case member(String)
        /// An object in which the next string is a key.
        case object
    }

    /// Reads `bytes` up to `offset`, or up to the first byte that is not JSON.
    init(to offset: Int, in bytes: UnsafeRawBufferPointer) {
        guard var cursor = try? JSONCursor(bytes) else { return }
        cursor.skipSpace()
        while cursor.offset < offset, cursor.offset < cursor.count, advance(&cursor, to: offset) {
            cursor.skipSpace()
        }
    }

    /// Moves past one token; answers false when it does not end before `offset`.
    private mutating func advance(_ cursor: inout JSONCursor, to offset: Int) -> Bool {
        switch cursor.current {
        case UInt8(ascii: "{"): steps.append(.object)
        case UInt8(ascii: "["): steps.append(.element(0))
        case UInt8(ascii: "}"), UInt8(ascii: "]"): _ = steps.popLast()
        case UInt8(ascii: ","): nextStep()
        case UInt8(ascii: "\""): return advanceString(&cursor)
        case UInt8(ascii: ":"): break
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return (try? cursor.scanNumber()) != nil
        default:
            return (try? cursor.scanLiteral()) != nil
        }
        cursor.offset += 1
        return true
    }

    private mutating func nextStep() {
        switch steps.popLast() {
        case .element(let index)?: steps.append(.element(index + 1))
        case .some: steps.append(.object)
        case nil: break
        }
    }

    private mutating func advanceString(_ cursor: inout JSONCursor) -> Bool {
        guard let token = try? cursor.scanString() else { return false }
        if case .object? = steps.last { steps[steps.count - 1] = .member(cursor.string(token)) }
        return true
    }

    /// Goes on to the member whose key starts at `offset`.
    mutating func appendKey(at offset: Int, in bytes: UnsafeRawBufferPointer) {
        guard var cursor = try? JSONCursor(bytes) else { return }
        cursor.offset = offset
        guard cursor.current == UInt8(ascii: "\""), let token = try? cursor.scanString() else { return }
        if case .object? = steps.last { steps.removeLast() }
        steps.append(.member(cursor.string(token)))
    }

    /// The path as a JSON Pointer (RFC 6901).
    var pointer: String {
        var pointer = ""
        for step in steps {
            switch step {
            case .object: break
            case .element(let index): pointer += "/\(index)"
            case .member(let key):
                pointer += "/"
                for scalar in key.unicodeScalars {
                    switch scalar {
                    case "~": pointer += "~0"
                    case "/": pointer += "~1"
                    default: pointer.unicodeScalars.append(scalar)
                    }
                }
            }
        }
        return pointer
    }
}
