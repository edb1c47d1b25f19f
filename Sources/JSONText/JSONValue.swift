/// A JSON value as a tree.
///
/// Objects keep the order of their members and hold no key twice; numbers keep their text. Strings and keys are
/// compared by their Unicode scalars, as JSON does, and not by canonical equivalence, as `String` does: `"é"` and
/// `"e\u{301}"` are two different keys.
public enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    case array([JSONValue])
    case object(Members)
}

extension JSONValue {
    /// Whether this is `null`.
    public var isNull: Bool {
        if case .null = self { true } else { false }
    }

    /// The truth value; nil for every other kind of value.
    public var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The number; nil for every other kind of value.
    public var number: JSONNumber? {
        if case .number(let value) = self { value } else { nil }
    }

    /// The integer; nil for other kinds of values, for fractions and for numbers that do not fit.
    public var int: Int? {
        number?.int
    }

    /// The nearest double; nil for other kinds of values and for numbers too large for a finite double.
    public var double: Double? {
        number?.double
    }

    /// The string; nil for every other kind of value.
    public var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The elements; nil for every other kind of value.
    public var array: [JSONValue]? {
        if case .array(let value) = self { value } else { nil }
    }

    /// The members; nil for every other kind of value.
    public var object: Members? {
        if case .object(let value) = self { value } else { nil }
    }

    /// The value of a member; nil when this is no object or has no such member.
    public subscript(key: String) -> JSONValue? {
        object?[key]
    }

    /// The element at an index; nil when this is no array or has no such element.
    public subscript(index: Int) -> JSONValue? {
        guard let elements = array, elements.indices.contains(index) else { return nil }
        return elements[index]
    }
}

extension JSONValue: Equatable {
    /// Whether two trees write the same text: numbers are compared by their spelling, members with their order.
    public static func == (left: JSONValue, right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.number(let left), .number(let right)): left == right
        case (.string(let left), .string(let right)): left.utf8.elementsEqual(right.utf8)
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        default: false
        }
    }
}

extension JSONValue: CustomStringConvertible {
    /// The value as compact JSON.
    public var description: String {
        String(decoding: encoded(), as: UTF8.self)
    }
}

extension JSONValue: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByStringLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(booleanLiteral value: Bool) {
        self = .bool(value)
    }

    public init(integerLiteral value: Int) {
        self = .number(JSONNumber(value))
    }

    public init(stringLiteral value: String) {
        self = .string(value)
    }

    public init(arrayLiteral elements: JSONValue...) {
        self = .array(elements)
    }

    /// Makes an object; of a key written twice the last value counts.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        var members = Members()
        for (key, value) in elements {
            members[key] = value
        }
        self = .object(members)
    }
}
