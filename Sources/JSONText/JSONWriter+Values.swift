extension JSONWriter {
    /// Writes a tree.
    ///
    /// Recurses as deep as the tree is: trees that ``JSONValue/parse(_:depth:maximumBytes:)-([UInt8],_,_)`` made are
    /// bounded, trees built in code are as deep as that code made them.
    public mutating func value(_ value: JSONValue) {
        switch value {
        case .null: null()
        case .bool(let flag): bool(flag)
        case .number(let value): number(value)
        case .string(let text): string(text)
        case .array(let elements):
            array { writer in
                for element in elements {
                    writer.value(element)
                }
            }
        case .object(let members):
            object { writer in
                for member in members {
                    writer.member(member.key, member.value)
                }
            }
        }
    }

    /// Writes a key and a tree.
    public mutating func member(_ key: String, _ value: JSONValue) {
        self.key(key)
        self.value(value)
    }

    /// Writes a key and a string.
    public mutating func member(_ key: String, _ value: String) {
        self.key(key)
        string(value)
    }

    /// Writes a key and an integer.
    public mutating func member(_ key: String, _ value: some BinaryInteger) {
        self.key(key)
        integer(value)
    }

    /// Writes a key and a truth value.
    public mutating func member(_ key: String, _ value: Bool) {
        self.key(key)
        bool(value)
    }
}

extension JSONValue {
    /// The value as JSON text.
    ///
    /// - SeeAlso: ``JSONWriter/value(_:)`` for how deep it recurses.
    public func encoded(_ layout: JSONWriter.Layout = .compact) -> [UInt8] {
        var writer = JSONWriter(layout)
        writer.value(self)
        return writer.bytes
    }
}
