/// A schema laid out flat for the validator: tables of plain numbers that refer to each other by index.
///
/// Walking the tree of ``JSONSchema/Shape`` itself would retain and release a reference at every step, which costs
/// more than looking at the bytes does.
struct SchemaProgram: Sendable {
    /// What a value must be, with the meaning of the numbers depending on `kind`.
    struct Node: Sendable {
        var kind: Kind
        /// The bounds of the value, the length or the number of elements; the digits of a hexadecimal form.
        var low = 0
        var high = Int.max
        /// The first of the properties or strings that belong to the node; the node of an array's elements.
        var first = 0
        var count = 0
        /// The node of undeclared properties; negative when there may be none.
        var additional = -1
        /// A bit for each property that must be there.
        var required: UInt64 = 0
    }

    enum Kind: UInt8, Sendable {
        case any, null, boolean, number, integer, string, choice, hex, name, timestamp, array, object
    }

    /// A run of bytes in `text`: the name of a property and its node, or a string of a choice or prefix.
    struct Entry: Sendable {
        var start: Int
        var count: Int
        var node = 0
    }

    private(set) var nodes: [Node] = []
    private(set) var entries: [Entry] = []
    private(set) var text: [UInt8] = []

    /// Lays out a definition; its own node comes first.
    init(_ shape: JSONSchema.Shape) {
        _ = add(shape)
    }

    private mutating func add(_ shape: JSONSchema.Shape) -> Int {
        let index = nodes.count
        nodes.append(Node(kind: .any))
        nodes[index] = makeNode(shape)
        return index
    }

    private mutating func makeNode(_ shape: JSONSchema.Shape) -> Node {
        switch shape {
        case .any: return Node(kind: .any)
        case .null: return Node(kind: .null)
        case .boolean: return Node(kind: .boolean)
        case .number: return Node(kind: .number)
        case .integer(let range):
            return Node(kind: .integer, low: range.lowerBound, high: range.upperBound)
        case .string(let minLength, let maxLength):
            return Node(kind: .string, low: minLength, high: maxLength ?? .max)
        case .choice(let choices):
            return Node(kind: .choice, first: add(choices.map { entry($0) }), count: choices.count)
        case .format(let format):
            return makeNode(format)
        case .array(let element, let minItems, let maxItems):
            return Node(kind: .array, low: minItems, high: maxItems ?? .max, first: add(element.shape))
        case .object(let properties, let additional):
            return makeNode(properties, additional)
        }
    }

    private mutating func makeNode(_ format: JSONSchema.Format) -> Node {
        switch format {
        case .hex(let digits, let prefix):
            let isPlain = prefix.utf8.allSatisfy { byte in
                JSONCursor.isDigit(byte) || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20
                    || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
            }
            precondition(isPlain && digits > 0, "a hexadecimal form has a plain prefix and at least one digit")
            return Node(kind: .hex, low: digits, first: add([entry(prefix)]), count: 1)
        case .name(let maxLength):
            precondition(maxLength > 0, "a name has at least one character")
            return Node(kind: .name, low: 1, high: maxLength)
        case .timestamp:
            return Node(kind: .timestamp)
        }
    }

    private mutating func makeNode(_ properties: [JSONSchema.Property], _ additional: JSONSchema.Additional) -> Node {
        var node = Node(kind: .object, count: properties.count)
        var declared: [Entry] = []
        for (index, property) in properties.enumerated() {
            var entry = entry(property.name)
            entry.node = add(property.schema.shape)
            declared.append(entry)
            if property.isRequired { node.required |= 1 << UInt64(index) }
        }
        switch additional {
        case .refused: break
        case .allowed: node.additional = add(.any)
        case .matching(let schema): node.additional = add(schema.shape)
        }
        node.first = add(declared)
        return node
    }

    /// Puts entries that belong together next to each other, after those of the schemas inside them.
    private mutating func add(_ group: [Entry]) -> Int {
        let first = entries.count
        entries += group
        return first
    }

    private mutating func entry(_ string: String) -> Entry {
        let start = text.count
        text += string.utf8
        return Entry(start: start, count: text.count - start)
    }

    /// The string an entry stands for.
    func string(_ index: Int) -> String {
        let entry = entries[index]
        return String(decoding: text[entry.start..<entry.start + entry.count], as: UTF8.self)
    }
}
