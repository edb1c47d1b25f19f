extension CapsuleExamination {
    /// What to do, as sentences, and the command to type if there is one.
    public var advice: [(text: String, command: String?)] { conditionAdvice + surroundingsAdvice }

    private var conditionAdvice: [(text: String, command: String?)] {
        let file = Self.quoted(path.string)
        let salvaged = Self.quoted((path.stem ?? "capsule") + "-salvaged.cpsl")
        switch condition {
        case .sound: return []
        case .tornTail:
            return [
                (
                    "nothing was acknowledged that is in it. The next append keeps it beside the file and cuts it off",
                    nil
                )
            ]
        case .damaged, .broken:
            return [
                ("copy what can still be proved into a new capsule", "capsule-tool salvage \(file) \(salvaged)")
            ]
        case .cutShort:
            return [
                ("bring back the longer copy, if there is one; it may have been cut or restored", nil),
                ("or copy what is there into a new capsule", "capsule-tool salvage \(file) \(salvaged)"),
                ("or, if an older copy was put there on purpose, delete what knows of the longer one", forgetting),
            ]
        case .forked:
            let own = Self.quoted((path.stem ?? "capsule") + "-own.cpsl")
            return [
                (
                    "keep appending to one of the copies only, or give this one an origin of its own",
                    "capsule-tool adopt \(file) \(own)"
                )
            ]
        case .notACapsule: return [("look for the right file, or make a capsule", "capsule-tool init")]
        case .unsupported: return [("use a newer version of capsule-tool", nil)]
        case .locked: return [("a writer is at work; ask again when its turn is over", "capsule-tool doctor \(file)")]
        }
    }

    /// Deletes the note and the index as far as they say that the file was longer.
    private var forgetting: String? {
        let length = verification?.report.length ?? 0
        var commands: [String] = []
        if note.map({ $0.durableLength > length }) ?? false {
            let note = DurableNote.path(for: PosixStorage().resolved(path))
            commands.append("rm \(Self.quoted(note.string))")
        }
        if index.map({ $0.knownDurable > length }) ?? false {
            commands.append("capsule-tool index drop -c \(Self.quoted(path.string))")
        }
        return commands.isEmpty ? nil : commands.joined(separator: " && ")
    }

    /// What stands beside the file, or is left of its header, whatever the condition.
    private var surroundingsAdvice: [(text: String, command: String?)] {
        var advice: [(text: String, command: String?)] = []
        if let copy = verification?.report.damagedHeaderCopy, condition == .sound || condition == .tornTail {
            let target = Self.quoted((path.stem ?? "capsule") + "-salvaged.cpsl")
            advice.append(
                (
                    "copy \(copy + 1) of the file header is damaged, and all hangs on the other one: keep a copy of "
                        + "the file, and take everything over into a capsule with two",
                    "capsule-tool salvage \(Self.quoted(path.string)) \(target)"
                )
            )
        }
        if case .obstacle(let reason) = noteState {
            let note = path.string + ".note"
            advice.append(
                (
                    "no note can be kept beside the capsule, and nothing can be appended: \(reason). Move it away",
                    "mv \(Self.quoted(note)) \(Self.quoted(note + ".aside"))"
                )
            )
        }
        if !leftovers.isEmpty {
            let folder = path.removingLastComponent()
            let names = leftovers.map { Self.quoted(folder.appending($0).string) }.joined(separator: " ")
            advice.append(
                ("a killed init, salvage or adopt left files behind, of which nothing is needed", "rm \(names)")
            )
        }
        return advice
    }

    /// As a shell takes it for one word.
    private static func quoted(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: "-"),
                UInt8(ascii: "_"):
                true
            default: false
            }
        }
        return isPlain && !text.isEmpty
            ? text
            : "'"
                + text.split(separator: "'", omittingEmptySubsequences: false)
                .joined(separator: "'\\''") + "'"
    }
}
