/// A set of strings that is searched from front to back while it is small, which is faster than hashing.
struct FewStrings {
    private var few: [String] = []
    private var many: Set<String> = []

    /// Answers false when the string is there already.
    mutating func insert(_ text: String) -> Bool {
        guard many.isEmpty else { return many.insert(text).inserted }
        guard !few.contains(text) else { return false }
        few.append(text)
        if few.count > 16 { many = Set(few) }
        return true
    }
}
