import Ledger

/// An event as an agent reports it.
struct AgentEvent: Sendable {
    var type: RegisteredType
    var body: [UInt8]
    var actor: String

    init(_ type: RegisteredType, actor: String = "implementer", _ members: (inout JSONWriter) -> Void) {
        var writer = JSONWriter()
        writer.object { members(&$0) }
        self.type = type
        self.actor = actor
        body = writer.bytes
    }

    /// The line of a stream that says it (`EventLine`), with its line feed.
    func line(at time: Timestamp) -> [UInt8] {
        let head = #"{"type":"\#(type.name)","time":"\#(time.text(fractionDigits: 3))","actor":"\#(actor)","body":"#
        return Array(head.utf8) + body + Array("}\n".utf8)
    }
}

extension Generator {
    /// The body of a tool call, of exactly so many bytes: no two are alike.
    mutating func toolCall(bytes: Int) -> [UInt8] {
        let from = number(1...900)
        let head =
            #"{"tool":"\#(common(Vocabulary.tools))","working_directory":"/home/agent/src/\#(number(1...40))","#
            + #""arguments":{"path":"\#(file())","from":\#(from),"to":\#(from + number(5...200)),"reason":""#
        let end = #""}}"#
        let missing = max(0, bytes - head.utf8.count - end.utf8.count)
        return Array((head + text(missing).prefix(missing) + end).utf8)
    }
}

/// The events of an agent at work: what it thinks, calls, reads and changes, in the proportions of a coding session.
struct AgentStream {
    private var generator: Generator
    private let project: Project

    init(seed: UInt64) {
        generator = Generator(seed: seed)
        project = Project(&generator)
    }

    mutating func next() -> AgentEvent {
        switch generator.number(1...100) {
        case ...26: modelCall()
        case ...52: toolCall()
        case ...78: toolResult()
        case ...83: retrievalRequest()
        case ...88: retrievalResponse()
        case ...92: patch()
        case ...95: gate()
        default: note()
        }
    }

    private mutating func modelCall() -> AgentEvent {
        let role = generator.common(Vocabulary.roles)
        let model = generator.common(Array(Vocabulary.models.indices))
        let input = generator.number(2_000...90_000)
        return AgentEvent(.modelCall, actor: role) { body in
            body.member("model", Vocabulary.models[model])
            body.member("provider", Vocabulary.providers[model])
            body.member("role", role)
            body.member("input_tokens", input)
            body.member("output_tokens", generator.number(80...2_500))
            body.member("cached_input_tokens", input / 10 * generator.number(3...9))
            body.member("cost_usd", "0.0\(generator.number(1_000...99_999))")
            body.member("duration_ns", generator.number(900...20_000) * 1_000_000)
            body.member("finish_reason", generator.once(in: 4) ? "end_turn" : "tool_use")
            if generator.once(in: 2) { body.member("prompt", "sha256:\(generator.hex(64))") }
            body.member("summary", generator.text(generator.number(60...220)))
        }
    }

    private mutating func toolCall() -> AgentEvent {
        let tool = generator.common(Vocabulary.tools)
        return AgentEvent(.toolCall) { body in
            body.member("tool", tool)
            body.key("arguments")
            body.object { arguments in
                if tool == "bash" {
                    arguments.member("command", "\(generator.common(Vocabulary.commands)) \(generator.file())")
                    arguments.member("timeout_ms", 120_000)
                } else {
                    arguments.member("path", generator.file())
                    arguments.member("pattern", "\(generator.word()).*\(generator.word())")
                }
                arguments.member("reason", generator.text(generator.number(40...160)))
            }
            body.member("working_directory", "/home/agent/src/service")
        }
    }

    private mutating func toolResult() -> AgentEvent {
        let output = project.toolOutput(lines: generator.number(1...5), &generator)
        return AgentEvent(.toolResult) { body in
            body.member("tool", generator.common(Vocabulary.tools))
            body.member("ok", !generator.once(in: 8))
            body.member("exit_status", generator.once(in: 8) ? 1 : 0)
            body.member("duration_ns", generator.number(2...9_000) * 1_000_000)
            body.key("stdout")
            body.object { stream in
                stream.member("bytes", output.utf8.count)
                stream.member("sha256", generator.hex(64))
                stream.member("text", output)
            }
        }
    }

    private mutating func note() -> AgentEvent {
        AgentEvent(.note, actor: "planner") { $0.member("text", generator.text(generator.number(120...380))) }
    }
}

extension AgentStream {
    private mutating func retrievalRequest() -> AgentEvent {
        AgentEvent(.retrievalRequest) { body in
            body.member("query", generator.text(generator.number(40...140)))
            body.member("source", generator.once(in: 3) ? "docs" : "repository")
            body.member("limit", 5)
        }
    }

    private mutating func retrievalResponse() -> AgentEvent {
        AgentEvent(.retrievalResponse, actor: "retriever") { body in
            body.key("results")
            body.array { results in
                for _ in 0..<generator.number(1...4) {
                    results.object { result in
                        result.member("path", generator.file())
                        result.member("line", generator.number(1...900))
                        result.member("excerpt", project.codeLine(&generator))
                    }
                }
            }
            body.member("duration_ns", generator.number(3...400) * 1_000_000)
        }
    }

    private mutating func patch() -> AgentEvent {
        AgentEvent(.patchApplied) { body in
            body.key("files")
            body.array { files in
                for _ in 0..<generator.number(1...2) {
                    files.object { file in
                        file.member("path", generator.file())
                        file.member("after", "sha256:\(generator.hex(64))")
                        file.member("added", generator.number(1...90))
                        file.member("removed", generator.number(0...40))
                    }
                }
            }
            body.member("summary", generator.text(50))
        }
    }

    private mutating func gate() -> AgentEvent {
        AgentEvent(.gateDecision, actor: "ci") { body in
            body.member("gate", generator.once(in: 2) ? "tests" : "review")
            body.member("result", generator.once(in: 5) ? "blocked" : "passed")
            body.member("reason", generator.text(100))
        }
    }
}
