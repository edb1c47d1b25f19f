/// Columns that text takes on a terminal, which are not its characters: Chinese, Japanese and Korean ones and emoji
/// take two, marks that combine none.
enum DisplayWidth {
    static func of(_ text: some StringProtocol) -> Int {
        // Nearly everything is ASCII.
        var text = String(text)
        let isASCII = text.withUTF8 { $0.allSatisfy { $0 < 0x80 } }
        return isASCII ? text.utf8.count : text.reduce(0) { $0 + of($1) }
    }

    static func of(_ character: Character) -> Int {
        var isSpaced = false
        for scalar in character.unicodeScalars {
            if scalar.value < 0x300 {
                isSpaced = true
            } else if scalar.value == 0xFE0F || scalar.properties.isEmojiPresentation || isWide(scalar.value) {
                return 2
            } else if !isMark(scalar) {
                isSpaced = true
            }
        }
        return isSpaced ? 1 : 0
    }

    private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: true
        default: false
        }
    }

    /// East Asian Width W and F (Unicode Standard Annex #11), by blocks; emoji are found by their property.
    private static func isWide(_ value: UInt32) -> Bool {
        switch value {
        case 0x1100...0x115F, 0x2329...0x232A, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3,
            0xF900...0xFAFF, 0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x16FE0...0x18DFF,
            0x1AFF0...0x1B2FF, 0x1F200...0x1F2FF, 0x20000...0x3FFFD:
            true
        default: false
        }
    }

    /// The text in exactly `width` columns: cut, ended by `…`, or padded with spaces at its end.
    static func fit(_ text: String, _ width: Int) -> String {
        let cut = cut(text, to: width)
        return cut + String(repeating: " ", count: max(0, width - of(cut)))
    }

    /// The text, ended by `…` where it takes more than `width` columns.
    static func cut(_ text: String, to width: Int?) -> String {
        guard let width, of(text) > width else { return text }
        guard width > 0 else { return "" }
        var result = ""
        var used = 0
        for character in text {
            let columns = of(character)
            guard used + columns <= width - 1 else { break }
            result.append(character)
            used += columns
        }
        return result + "…"
    }

    /// The text broken into lines of at most `width` columns, at spaces where there are some.
    static func wrap(_ text: String, _ width: Int?) -> [String] {
        guard let width, width > 0, of(text) > width else { return [text] }
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ", omittingEmptySubsequences: false) {
            let candidate = line.isEmpty ? String(word) : "\(line) \(word)"
            if of(candidate) <= width {
                line = candidate
                continue
            }
            if !line.isEmpty { lines.append(line) }
            line = String(word)
            while of(line) > width {
                let head = prefix(line, width)
                guard !head.isEmpty else { break }
                lines.append(head)
                line = String(line.dropFirst(head.count))
            }
        }
        return lines + [line]
    }

    private static func prefix(_ text: String, _ width: Int) -> String {
        var used = 0
        return String(
            text.prefix {
                used += of($0); return used <= width
            }
        )
    }
}
