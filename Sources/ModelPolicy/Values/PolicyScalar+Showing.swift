import JSONText

extension PolicyScalar {
    /// A compiled value as a source file would write it.
    package func shown(_ value: JSONValue) -> String {
        if let items = value.array { return "[" + items.map(shown).joined(separator: ", ") + "]" }
        switch self {
        case .dollars:
            return value.int.flatMap { USD(microdollars: Int64($0)) }.map { "\"\($0)\"" } ?? value.description
        case .ratio, .decimal:
            return value.int.map { Decimal6(millionths: Int64($0)).description } ?? value.description
        case .duration: return value.int.map { "\"\(Self.span($0))\"" } ?? value.description
        default: return value.description
        }
    }

    private static func span(_ milliseconds: Int) -> String {
        for (unit, size) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)]
        where milliseconds.isMultiple(of: size) {
            return "\(milliseconds / size)\(unit)"
        }
        return "\(milliseconds)ms"
    }
}
