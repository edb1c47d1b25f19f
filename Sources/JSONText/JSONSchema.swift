/// A small part of JSON Schema (2020-12), written in Swift as data.
///
/// ```swift
/// static let exit = JSONSchema.object([
///     .required("exit_status", .integer(in: 0...255)),
///     .required("output", .string(format: .hex(digits: 64, prefix: "sha256:"))),
///     .optional("note", .string(maxLength: 200)),
/// ])
/// ```
///
/// One definition serves two ends: ``validate(_:depth:)-(UnsafeRawBufferPointer,_)`` checks bytes against it in one
/// pass, and ``document(id:)`` writes the JSON Schema that others check against. The two cannot drift apart, since
/// there is nothing written twice.
///
/// Definitions come from code and not from input, so a mistake in one (two properties of one name, an empty range)
/// stops the program when the definition is made. A definition cannot refer to itself; its depth is therefore that
/// of the code that wrote it.
public struct JSONSchema: Sendable {
    /// Behind one reference, because a schema is copied for every text that it checks.
    private let definition: Definition

    private final class Definition: Sendable {
        let shape: Shape
        let title: String?
        let note: String?
        let program: SchemaProgram

        init(_ shape: Shape, title: String?, note: String?) {
            self.shape = shape
            self.title = title
            self.note = note
            program = SchemaProgram(shape)
        }
    }

    var shape: Shape { definition.shape }
    var title: String? { definition.title }
    var note: String? { definition.note }
    var program: SchemaProgram { definition.program }

    /// What a value must be.
    indirect enum Shape: Sendable {
        case any
        case null
        case boolean
        case number
        case integer(ClosedRange<Int>)
        case string(minLength: Int, maxLength: Int?)
        case choice([String])
        case format(Format)
        case array(JSONSchema, minItems: Int, maxItems: Int?)
        case object([Property], Additional)
    }

    init(_ shape: Shape, title: String? = nil, note: String? = nil) {
        definition = Definition(shape, title: title, note: note)
    }
}

extension JSONSchema {
    /// The integers that every JSON implementation represents exactly, -(2^53 - 1) to 2^53 - 1 (RFC 7493, 2.2).
    public static let safeIntegers = -9_007_199_254_740_991...9_007_199_254_740_991

    /// Any JSON value. Objects inside it may hold a key twice; see ``validate(_:depth:)-(UnsafeRawBufferPointer,_)``.
    public static let any = JSONSchema(.any)

    /// `null` only.
    public static let null = JSONSchema(.null)

    /// `true` or `false`.
    public static let boolean = JSONSchema(.boolean)

    /// Any number.
    public static let number = JSONSchema(.number)

    /// An integer within bounds, which are published as `minimum` and `maximum`.
    ///
    /// As JSON Schema has it the value counts and not the spelling: `1.0` and `1e2` are integers.
    public static func integer(in range: ClosedRange<Int> = safeIntegers) -> JSONSchema {
        JSONSchema(.integer(range))
    }

    /// A string of a bounded number of characters, which JSON Schema counts as Unicode scalars and not as bytes.
    public static func string(minLength: Int = 0, maxLength: Int? = nil) -> JSONSchema {
        precondition(minLength >= 0 && minLength <= maxLength ?? .max, "the bounds of a string are not a range")
        return JSONSchema(.string(minLength: minLength, maxLength: maxLength))
    }

    /// One of a few strings.
    public static func string(oneOf choices: [String]) -> JSONSchema {
        precondition(!choices.isEmpty, "a choice needs something to choose from")
        return JSONSchema(.choice(choices))
    }

    /// A string of a fixed form.
    public static func string(format: Format) -> JSONSchema {
        JSONSchema(.format(format))
    }

    /// An array whose elements all follow one schema.
    public static func array(of element: JSONSchema, minItems: Int = 0, maxItems: Int? = nil) -> JSONSchema {
        precondition(minItems >= 0 && minItems <= maxItems ?? .max, "the bounds of an array are not a range")
        return JSONSchema(.array(element, minItems: minItems, maxItems: maxItems))
    }

    /// An object.
    ///
    /// - Parameters:
    ///   - properties: the declared properties, at most 64, best in the order they are usually written in: a key
    ///     that comes in this order is matched without being searched for.
    ///   - additional: what is to be done with all other keys.
    public static func object(_ properties: [Property], additional: Additional = .refused) -> JSONSchema {
        precondition(properties.count <= 64, "an object has at most 64 declared properties")
        precondition(Set(properties.map(\.name)).count == properties.count, "a property is declared twice")
        return JSONSchema(.object(properties, additional))
    }

    /// An object used as a table: any keys, and values that all follow one schema.
    public static func map(of value: JSONSchema) -> JSONSchema {
        object([], additional: .matching(value))
    }

    /// The same schema with a title, and if given a description, in the published document.
    public func titled(_ title: String, description: String? = nil) -> JSONSchema {
        JSONSchema(shape, title: title, note: description ?? note)
    }

    /// The same schema with a description in the published document.
    public func described(_ description: String) -> JSONSchema {
        JSONSchema(shape, title: title, note: description)
    }
}

extension JSONSchema {
    /// A declared property of an object.
    public struct Property: Sendable {
        /// The key.
        public let name: String
        /// What its value must be.
        public let schema: JSONSchema
        /// Whether an object without it is refused.
        public let isRequired: Bool

        /// Names consist of printable ASCII without quotation marks and backslashes, so that a key in the text is
        /// the name byte for byte unless it holds an escape.
        private init(_ name: String, _ schema: JSONSchema, isRequired: Bool) {
            let isPlain = name.utf8.allSatisfy { 0x20 <= $0 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }
            precondition(isPlain, "the name of a property is not plain ASCII")
            self.name = name
            self.schema = schema
            self.isRequired = isRequired
        }

        /// A property every object must have.
        public static func required(_ name: String, _ schema: JSONSchema) -> Property {
            Property(name, schema, isRequired: true)
        }

        /// A property an object may have.
        public static func optional(_ name: String, _ schema: JSONSchema) -> Property {
            Property(name, schema, isRequired: false)
        }
    }

    /// What is to be done with keys that are not declared.
    public enum Additional: Sendable {
        /// They are refused.
        case refused
        /// They may be there, with any value.
        case allowed
        /// They may be there, with values that follow a schema.
        indirect case matching(JSONSchema)
    }

    /// The forms a string can be held to: a closed set, so that each is tested by hand-written code and published
    /// as a `pattern` that means the same.
    public enum Format: Sendable, Hashable {
        /// Exactly so many lower-case hexadecimal digits after a prefix of letters, digits, `:`, `_` and `-`.
        case hex(digits: Int, prefix: String = "")
        /// A lower-case letter and then lower-case letters, digits, `.`, `_` and `-`, so many characters at most.
        case name(maxLength: Int)
        /// A time in UTC to the second, `2026-01-31T23:59:59Z`; which days a month has is not checked.
        case timestamp
    }
}
