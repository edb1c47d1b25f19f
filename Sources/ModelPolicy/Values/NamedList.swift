/// Things with names, in the order of their names' bytes, each name once.
///
/// Looking a name up takes a binary search.
public struct NamedList<Element: Sendable>: Sendable {
    public private(set) var names: [String]
    public private(set) var elements: [Element]

    /// Takes things by their names.
    public init(_ things: [String: Element] = [:]) {
        let sorted = things.sorted { Self.precedes($0.key, $1.key) }
        names = sorted.map(\.key)
        elements = sorted.map(\.value)
    }

    /// Takes things that have different names.
    init(pairs: [(name: String, value: Element)]) {
        let sorted = pairs.sorted { Self.precedes($0.name, $1.name) }
        names = sorted.map(\.name)
        elements = sorted.map(\.value)
    }

    private static func precedes(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    /// What has this name.
    public subscript(name: String) -> Element? { position(of: name).map { elements[$0] } }

    /// Where the name stands.
    public func position(of name: String) -> Int? {
        var low = 0
        var high = names.count
        while low < high {
            let middle = (low + high) / 2
            if Self.precedes(names[middle], name) { low = middle + 1 } else { high = middle }
        }
        return low < names.count && names[low] == name ? low : nil
    }
}

extension NamedList: RandomAccessCollection {
    public var startIndex: Int { 0 }
    public var endIndex: Int { names.count }

    /// A name and what has it; traps, as an array does, outside `indices`.
    public subscript(position: Int) -> (name: String, value: Element) { (names[position], elements[position]) }
}

extension NamedList: Equatable where Element: Equatable {}
extension NamedList: Hashable where Element: Hashable {}
