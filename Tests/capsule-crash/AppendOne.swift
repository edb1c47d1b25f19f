import ArgumentParser
import Capsule
import WriterQueue

/// A program that does nothing but one append, on real files: a thousand of them, each with another system call that
/// fails, take as long as some hundreds of `capsule-tool`, whose libraries take longer to load than the append.
struct AppendOne: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "append",
        abstract: "Append a note to a run, and end with 0 when it is durable."
    )

    @Argument var capsule: String
    @Argument(help: "The run's whole ID.") var run: String
    @Argument(help: "What the note says; no quotes in it.") var text: String

    func run() async throws {
        guard let id = RunID(hex: run) else { throw ValidationError("'\(run)' is no run ID") }
        let queue = try await WriterQueue(opening: FilePath(capsule))
        let event = EventDraft(.registered(.note), body: Array("{\"text\":\"\(text)\"}".utf8))
        _ = try await queue.submit(Submission(.run(id, token: nil), events: [event]))
        await queue.close()
    }
}
