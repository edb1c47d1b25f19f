/// Patterns in which `*` stands for any elements and `?` for one.
package enum Wildcards {
    /// Whether a pattern matches all of a text, both of bytes or both of scalars.
    ///
    /// Costs at most the product of the lengths: only the last `*` is gone back to.
    package static func match<Element: Equatable>(
        _ pattern: [Element],
        _ text: [Element],
        any: Element,
        one: Element
    ) -> Bool {
        var (at, place) = (0, 0)
        var retry: (pattern: Int, text: Int)?
        while at < text.count {
            if place < pattern.count, pattern[place] == any {
                retry = (place, at)
                place += 1
            } else if place < pattern.count, pattern[place] == one || pattern[place] == text[at] {
                (at, place) = (at + 1, place + 1)
            } else if let last = retry {
                retry = (last.pattern, last.text + 1)
                (at, place) = (last.text + 1, last.pattern + 1)
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == any }
    }
}
