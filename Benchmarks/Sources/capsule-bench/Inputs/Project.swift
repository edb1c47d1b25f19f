/// What an agent works on: its tools show it the same lines of code, tests and warnings again and again.
struct Project {
    private let code: [String]
    private let tests: [String]
    private let warnings: [String]

    init(_ generator: inout Generator) {
        code = (0..<1000).map { _ in Self.codeLine(&generator) }
        tests = (0..<300).map { _ in "\(generator.word()) \(generator.word()) \(generator.word()) \(generator.word())" }
        warnings = (0..<60).map { _ in Self.warning(&generator) }
    }

    /// A line with the place where it was found.
    func codeLine(_ generator: inout Generator) -> String { generator.common(code) }

    /// Lines as a tool prints them: what a search found, what tests said, what a compiler complained of.
    func toolOutput(lines: Int, _ generator: inout Generator) -> String {
        let style = generator.number(0...2)
        return (0..<lines).map { _ in
            switch style {
            case 0: generator.common(code)
            case 1: "Test \"\(generator.common(tests))\" passed after 0.\(generator.number(100...999)) seconds."
            default: generator.common(warnings)
            }
        }.joined(separator: "\n")
    }

    private static func codeLine(_ generator: inout Generator) -> String {
        let call = "\(generator.word()).\(generator.word())(\(generator.word()))"
        return "\(generator.file()):\(generator.number(1...600)):    let \(generator.word()) = \(call)"
    }

    private static func warning(_ generator: inout Generator) -> String {
        let place = "\(generator.file()):\(generator.number(1...600)):\(generator.number(1...80))"
        return "\(place): warning: \(generator.word()) \(generator.word()) was never \(generator.word())"
    }
}
