/// Which known word was probably meant.
enum Suggestion {
    /// The nearest of the words, at most two typing mistakes away and fewer for short words; of equally near ones the
    /// first in the order of bytes.
    static func nearest(
        to word: String,
        among words: some Sequence<String>,
        comparisonsLeft: inout Int
    ) -> String? {
        let target = folded(word)
        guard target.count <= PolicyLimits.nameBytes else { return nil }
        var best: (distance: Int, word: String)?
        for candidate in words {
            guard comparisonsLeft > 0 else { break }
            let letters = folded(candidate)
            let most = max(1, min(2, min(target.count, letters.count) / 3))
            guard abs(letters.count - target.count) <= most else { continue }
            comparisonsLeft -= 1
            let distance = distance(target, letters)
            guard distance <= most else { continue }
            if let known = best, (known.distance, known.word) <= (distance, candidate) { continue }
            best = (distance, candidate)
        }
        return best?.word
    }

    /// Small letters, `-` for `_`, and Latin letters for those of other scripts that look the same.
    private static func folded(_ word: String) -> [Unicode.Scalar] {
        word.unicodeScalars.map { scalar in
            switch scalar {
            case "A"..."Z": Unicode.Scalar(UInt8(scalar.value) + 32)
            case "_", " ": "-"
            default: lookAlikes[scalar] ?? scalar
            }
        }
    }

    private static let lookAlikes: [Unicode.Scalar: Unicode.Scalar] = [
        "а": "a", "е": "e", "о": "o", "р": "p", "с": "c", "у": "y", "х": "x", "і": "i", "ѕ": "s", "ј": "j", "ԁ": "d",
        "ɡ": "g", "һ": "h", "ո": "n", "ο": "o", "α": "a", "ν": "v", "ι": "i", "κ": "k", "τ": "t", "υ": "u", "ω": "w",
        "ⅼ": "l", "ı": "i", "‐": "-", "–": "-", "−": "-",
    ]

    /// Insertions, deletions, replacements and exchanges of neighbours that make one word of the other.
    private static func distance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
        guard !left.isEmpty, !right.isEmpty else { return max(left.count, right.count) }
        var before = [Int](repeating: 0, count: right.count + 1)
        var above = Array(0...right.count)
        for row in 1...left.count {
            var current = [row]
            current.reserveCapacity(right.count + 1)
            for column in 1...right.count {
                let cost = left[row - 1] == right[column - 1] ? 0 : 1
                var value = min(above[column] + 1, current[column - 1] + 1, above[column - 1] + cost)
                if row > 1, column > 1, left[row - 1] == right[column - 2], left[row - 2] == right[column - 1] {
                    value = min(value, before[column - 2] + 1)
                }
                current.append(value)
            }
            before = above
            above = current
        }
        return above[right.count]
    }
}
