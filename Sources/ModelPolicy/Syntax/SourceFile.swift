/// The text of a policy and what it is called.
public struct SourceFile: Sendable {
    public enum Format: String, Sendable, CaseIterable {
        case toml
        case yaml
    }

    /// As it is to be named in diagnostics and source maps, best a path from the root of the workspace.
    public let name: String
    public let bytes: [UInt8]
    public let format: Format

    /// Takes a text; the format follows from the end of the name (`.yaml` and `.yml`) unless it is given.
    public init(name: String, bytes: [UInt8], format: Format? = nil) {
        self.name = name
        self.bytes = bytes
        self.format = format ?? (name.hasSuffix(".yaml") || name.hasSuffix(".yml") ? .yaml : .toml)
    }
}

/// A place in a text, from 1; columns count Unicode scalars.
public struct SourcePlace: Sendable, Hashable, Comparable {
    public var line: Int
    public var column: Int

    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    public static func < (left: SourcePlace, right: SourcePlace) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// From one place up to another, which is not in it.
public struct SourceSpan: Sendable, Hashable {
    public var start: SourcePlace
    public var end: SourcePlace

    public init(start: SourcePlace, end: SourcePlace) {
        self.start = start
        self.end = end
    }

    static let beginning = SourceSpan(
        start: SourcePlace(line: 1, column: 1),
        end: SourcePlace(line: 1, column: 1)
    )
}

/// A span of one of the layers.
public struct SourceOrigin: Sendable, Hashable {
    public var layer: PolicyLayer
    public var span: SourceSpan
}

/// Which file says something.
public enum PolicyLayer: String, Sendable, CaseIterable {
    case workspace
    case spec
}

/// A text without its byte-order mark, and where its lines begin.
struct SourceText: Sendable {
    let file: SourceFile
    let bytes: [UInt8]
    private let lineStarts: [Int]

    init(_ file: SourceFile) {
        self.file = file
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        bytes = file.bytes.starts(with: mark) ? Array(file.bytes.dropFirst(3)) : file.bytes
        var starts = [0]
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") { starts.append(index + 1) }
        lineStarts = starts
    }

    var lineCount: Int { lineStarts.count }

    /// The bytes of a line, from 1, without its end.
    func line(_ number: Int) -> ArraySlice<UInt8> {
        guard number >= 1, number <= lineStarts.count else { return [] }
        let end = number < lineStarts.count ? lineStarts[number] - 1 : bytes.count
        let line = bytes[lineStarts[number - 1]..<max(end, lineStarts[number - 1])]
        return line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    }

    /// The offset of a place; the end of its line where the line is shorter.
    func offset(of place: SourcePlace) -> Int {
        guard place.line >= 1 else { return 0 }
        guard place.line <= lineStarts.count else { return bytes.count }
        var offset = lineStarts[place.line - 1]
        var column = 1
        while offset < bytes.count, bytes[offset] != UInt8(ascii: "\n") {
            if bytes[offset] & 0xC0 != 0x80 {
                if column == place.column { return offset }
                column += 1
            }
            offset += 1
        }
        return offset
    }

    /// The place of an offset.
    func place(of offset: Int) -> SourcePlace {
        var low = 0
        var high = lineStarts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if lineStarts[middle] <= offset { low = middle } else { high = middle }
        }
        let column = bytes[lineStarts[low]..<min(offset, bytes.count)].reduce(1) { $0 + ($1 & 0xC0 != 0x80 ? 1 : 0) }
        return SourcePlace(line: low + 1, column: column)
    }

    /// The text of a span.
    func text(of span: SourceSpan) -> String {
        let start = offset(of: span.start)
        return String(decoding: bytes[start..<max(start, offset(of: span.end))], as: UTF8.self)
    }
}
