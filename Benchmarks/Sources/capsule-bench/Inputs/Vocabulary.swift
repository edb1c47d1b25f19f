/// What generated events talk about. Common things first: they are drawn more often.
enum Vocabulary {
    static let words = list(
        """
        the a to of in is and it that for this on with not be are as we test file was from have error by function now \
        should run code because or an before after value when type so then line returns change which call check failed \
        here only new need use parser module all error lock same handle first build write read batch add more case one \
        queue index list but state does still where has each already path name empty result there fails task no second \
        if cursor header set missing instead its writer length into would other fix next reads twice bytes offset can \
        both old between cache without must point argument schema event stage default end under string wrong remove \
        version thread will what every limit until never again update last request response timeout over keeps sync \
        message commit looks branch found while start lines size seems order count record server around make expected \
        holds number token works field input output could also review see config small passes safe client release \
        how snapshot check policy approve route retry budget model merge since callers edge two large local step plan \
        moves explicit migration boundary window three race probably regression option covers patch shared refactor \
        unused public closes buffer decode encode overflow integer signed assumption invariant documented behaviour \
        deadlock ownership descriptor interrupted rollback truncate checksum canonical deterministic latency allocate
        """)

    static let files = [
        "Sources/Server/RequestHandler.swift", "Sources/Parser/Cursor.swift", "Tests/ParserTests/CursorTests.swift",
        "Sources/Parser/Lexer.swift", "Sources/Server/Router.swift", "Package.swift", "Sources/Store/Table.swift",
        "Tests/ServerTests/RouterTests.swift", "Sources/Store/Migration.swift", "README.md", "docs/architecture.md",
        "Sources/Store/WriteAheadLog.swift", "Tests/StoreTests/MigrationTests.swift", "Sources/Client/Session.swift",
        ".github/workflows/ci.yml", "Sources/Client/Retry.swift", "Tests/ClientTests/RetryTests.swift",
        "Sources/Parser/Diagnostics.swift", "scripts/release.sh", "Sources/Server/Metrics.swift", "CHANGELOG.md",
    ]

    static let models = ["claude-sonnet-4-5", "claude-opus-4-1", "gpt-5", "claude-haiku-4-5", "gemini-2.5-pro"]
    static let providers = ["anthropic", "anthropic", "openai", "anthropic", "google"]
    static let roles = ["implementer", "planner", "reviewer", "summarizer"]
    static let tools = ["read_file", "bash", "grep", "edit_file", "list_files", "run_tests", "web_fetch"]
    static let commands = [
        "swift test --filter", "git diff --stat --", "swift build 2>&1 | tail -20 #", "rg -n --type swift",
        "git log -5 --", "sed -n 1,80p", "wc -l", "git blame -L 10,40",
    ]

    private static func list(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }
}

extension Generator {
    mutating func word() -> String { common(Vocabulary.words) }
    mutating func file() -> String { common(Vocabulary.files) }

    /// Sentences of at least `bytes` bytes.
    mutating func text(_ bytes: Int) -> String {
        var text = ""
        while text.utf8.count < bytes {
            let words = (0..<number(5...14)).map { _ in word() }.joined(separator: " ")
            text += (text.isEmpty ? "" : " ") + words.prefix(1).uppercased() + words.dropFirst() + "."
        }
        return text
    }

}
