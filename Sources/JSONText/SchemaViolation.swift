/// Why a JSON text does not follow a schema, and where.
public struct SchemaViolation: Error, Sendable, Hashable {
    /// The rule that is broken, for a program to switch on.
    public let rule: Rule

    /// Where in the document, as a JSON Pointer (RFC 6901); empty for the document itself.
    public let path: String

    /// The offset of the first byte of the value, or of the key, that breaks the rule.
    public let offset: Int

    /// What is wrong, in words: `expected an integer, found a string`.
    public let reason: String

    /// The rules a schema can lay down.
    public enum Rule: Sendable, Hashable {
        /// The text is not JSON.
        case wellFormed(JSONError.Code)
        /// The value is of the wrong kind.
        case type
        /// A property that must be there is not.
        case required
        /// A property is there that is not declared.
        case additionalProperties
        /// A declared property appears twice.
        case uniqueKeys
        /// An integer is below its minimum.
        case minimum
        /// An integer is above its maximum.
        case maximum
        /// A string has too few Unicode scalars.
        case minLength
        /// A string has too many Unicode scalars.
        case maxLength
        /// A string is none of those to choose from.
        case choice
        /// A string does not have the form it should.
        case pattern
        /// An array has too few elements.
        case minItems
        /// An array has too many elements.
        case maxItems
    }
}

extension SchemaViolation: CustomStringConvertible {
    /// The violation as a person reads it: `/exit_status: expected an integer, found a string`.
    public var description: String {
        "\(path.isEmpty ? "the document" : path): \(reason)"
    }
}

/// What the validator throws: plain numbers, from which the words are made once validation has ended.
struct SchemaFault: Error {
    let rule: SchemaViolation.Rule
    let offset: Int
    /// The node whose rule is broken.
    let node: Int
    /// The entry of the property that is missing or appears twice.
    let entry: Int

    init(_ rule: SchemaViolation.Rule, at offset: Int, node: Int, entry: Int = 0) {
        self.rule = rule
        self.offset = offset
        self.node = node
        self.entry = entry
    }

    init(_ fault: JSONFault) {
        self.init(.wellFormed(fault.code), at: fault.offset, node: 0)
    }
}

extension SchemaViolation {
    /// Puts a fault into words.
    ///
    /// The path is found by reading the text again up to the fault, so that validation need not keep track of it.
    init(_ fault: SchemaFault, in bytes: UnsafeRawBufferPointer, of schema: JSONSchema) {
        rule = fault.rule
        offset = fault.offset
        reason = Self.words(fault, in: bytes, program: schema.program)
        var path = JSONPath(to: fault.offset, in: bytes)
        if fault.rule == .additionalProperties || fault.rule == .uniqueKeys {
            path.appendKey(at: fault.offset, in: bytes)
        }
        self.path = path.pointer
    }

    private static func words(
        _ fault: SchemaFault,
        in bytes: UnsafeRawBufferPointer,
        program: SchemaProgram
    ) -> String {
        let node = program.nodes[fault.node]
        switch fault.rule {
        case .wellFormed(let code): return code.description
        case .type: return "expected \(name(of: node.kind)), found \(kind(at: fault.offset, in: bytes))"
        case .required: return "the property \"\(program.string(fault.entry))\" is missing"
        case .additionalProperties: return "the property is not known here"
        case .uniqueKeys: return "the property appears twice"
        case .minimum: return "expected an integer of at least \(node.low)"
        case .maximum: return "expected an integer of at most \(node.high)"
        case .minLength: return "expected at least \(counted(node.low, "character"))"
        case .maxLength: return "expected at most \(counted(node.high, "character"))"
        case .minItems: return "expected at least \(counted(node.low, "element"))"
        case .maxItems: return "expected at most \(counted(node.high, "element"))"
        case .choice:
            let choices = (node.first..<node.first + node.count).map { "\"\(program.string($0))\"" }
            return "expected one of \(choices.joined(separator: ", "))"
        case .pattern: return "expected \(form(of: node, program: program))"
        }
    }

    private static func counted(_ count: Int, _ noun: String) -> String {
        count == 1 ? "1 \(noun)" : "\(count) \(noun)s"
    }

    private static func form(of node: SchemaProgram.Node, program: SchemaProgram) -> String {
        switch node.kind {
        case .hex:
            let prefix = program.string(node.first)
            let digits = counted(node.low, "lower-case hexadecimal digit")
            return prefix.isEmpty ? digits : "\"\(prefix)\" and \(digits)"
        case .name:
            return "a name of at most \(counted(node.high, "character")) of a-z, 0-9, \".\", \"_\" and \"-\""
        default:
            return "a time like 2026-01-31T23:59:59Z"
        }
    }

    private static func name(of kind: SchemaProgram.Kind) -> String {
        switch kind {
        case .any: "a value"
        case .null: "null"
        case .boolean: "true or false"
        case .number: "a number"
        case .integer: "an integer"
        case .string, .choice, .hex, .name, .timestamp: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }

    /// What kind of value starts at an offset.
    private static func kind(at offset: Int, in bytes: UnsafeRawBufferPointer) -> String {
        guard bytes.indices.contains(offset) else { return "the end of the text" }
        switch bytes[offset] {
        case UInt8(ascii: "{"): return "an object"
        case UInt8(ascii: "["): return "an array"
        case UInt8(ascii: "\""): return "a string"
        case UInt8(ascii: "t"): return "true"
        case UInt8(ascii: "f"): return "false"
        case UInt8(ascii: "n"): return "null"
        default: return "a number"
        }
    }
}
