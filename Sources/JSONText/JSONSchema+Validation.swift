extension JSONSchema {
    /// Checks that `bytes` are one JSON text that follows this schema.
    ///
    /// Well-formedness and schema are checked together in one pass, and nothing is allocated for accepted text. What
    /// ``JSONText/check(_:depth:)-(UnsafeRawBufferPointer,_)`` refuses is refused here too, and so is a declared
    /// property that appears twice. Not noticed is an undeclared key that appears twice, in an object that allows
    /// such keys or inside a value of ``any`` kind.
    ///
    /// - Parameters:
    ///   - bytes: the whole text.
    ///   - depth: how many arrays and objects may be open at once; at most ``JSONText/Limits/deepest``.
    /// - Throws: ``SchemaViolation`` for the first thing in the text that breaks a rule. A property that is missing,
    ///   or an array with too few elements, is noticed when the object or array ends.
    public func validate(
        _ bytes: UnsafeRawBufferPointer,
        depth: Int = JSONText.Limits.depth
    ) throws(SchemaViolation) {
        let fault: SchemaFault? = program.nodes.withUnsafeBufferPointer { nodes in
            program.entries.withUnsafeBufferPointer { entries in
                program.text.withUnsafeBytes { text in
                    do throws(SchemaFault) {
                        var run = try SchemaRun(bytes, nodes: nodes, entries: entries, text: text)
                        try run.document(depth: JSONText.Limits.clamped(depth))
                        return nil
                    } catch {
                        return error
                    }
                }
            }
        }
        guard let fault else { return }
        throw SchemaViolation(fault, in: bytes, of: self)
    }

    /// Checks that `bytes` are one JSON text that follows this schema.
    ///
    /// - SeeAlso: ``validate(_:depth:)-(UnsafeRawBufferPointer,_)``
    public func validate(_ bytes: RawSpan, depth: Int = JSONText.Limits.depth) throws(SchemaViolation) {
        try bytes.withUnsafeBytes { (buffer) throws(SchemaViolation) in
            try validate(buffer, depth: depth)
        }
    }

    /// Checks that `bytes` are one JSON text that follows this schema.
    ///
    /// - SeeAlso: ``validate(_:depth:)-(UnsafeRawBufferPointer,_)``
    public func validate(_ bytes: [UInt8], depth: Int = JSONText.Limits.depth) throws(SchemaViolation) {
        try validate(bytes.span.bytes, depth: depth)
    }
}
