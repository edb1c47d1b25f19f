import ArgumentParser
import Ledger

extension VerifyCommand {
    /// Verifies what the capsule said at a checkpoint.
    func verifyCheckpoint() throws {
        let reader = try openReader(capsule)
        guard let checkpoint = try past.checkpoint(reader) else { return }
        let progress = Progress("verifying")
        let result = try CheckpointVerification(reader.capsule, checkpoint: checkpoint) { progress.update($0, of: $1) }
        progress.finish()
        if json {
            Output.json(result.value(path: reader.capsule.path))
        } else {
            for line in Self.lines(result, reader.capsule) { Output.line(line) }
        }
        let reason = result.error.map { "\($0)" } ?? result.findings.first?.reason ?? ""
        switch result.verdict {
        case .proved: break
        case .broken: throw Failure(.no, "the capsule is broken before checkpoint \(checkpoint.title): \(reason)")
        case .damaged: throw Failure(.unreadable, reason)
        }
    }

    private static func lines(_ result: CheckpointVerification, _ file: CapsuleFile) -> [String] {
        let checkpoint = result.checkpoint
        let facts = [
            ("capsule", "\(file.path)  \(file.header.capsule)"), ("checkpoint", checkpoint.title),
            ("events", "\(Human.count(result.events)) in \(Human.count(result.batches, "batch", "batches"))"),
            ("root", "\(result.root.hex)  (recomputed)"),
            ("note", "\(checkpoint.root.hex)  (stated, \(checkpoint.signatures) signatures, not verified)"),
        ]
        var lines = facts.map { "\($0.padding(12))\(Printable.escape($1))" } + [""]
        lines.append(
            Terminal.styled(
                result.isSound ? "intact up to the checkpoint" : result.verdict.rawValue.uppercased(),
                result.isSound ? .green : .red
            )
        )
        for finding in result.findings.prefix(20) {
            let place = finding.event.map { "\($0): " } ?? ""
            lines.append("  \(place)\(Printable.escape(finding.reason)) [\(finding.code.rawValue)]")
        }
        if result.findingCount > 20 { lines.append("  … and \(result.findingCount - 20) more") }
        if result.isSound {
            lines.append("  proved      every checksum, leaf, commitment, root and seal before the note agrees,")
            lines.append("              and the events give the root that the note states")
            lines.append("  not proved  anything behind the checkpoint: 'verify' without --as-of reads all")
        }
        if result.withheldBodies > 0 {
            lines.append("  \(Human.count(result.withheldBodies)) bodies are withheld; their commitments stand")
        }
        return lines
    }
}

extension CheckpointVerification {
    fileprivate func value(path: FilePath) -> JSONValue {
        [
            "capsule": .string(path.string), "checkpoint": .number(JSONNumber(checkpoint.number)),
            "labels": .array(checkpoint.labels.map { .string($0) }), "verdict": .string(verdict.rawValue),
            "sound": .bool(isSound), "events": .number(JSONNumber(events)), "root": .string(root.hex),
            "stated_size": .number(JSONNumber(checkpoint.size)), "stated_root": .string(checkpoint.root.hex),
            "error": error.map { .string("\($0)") } ?? .null,
            "findings": .array(
                findings.map { finding in
                    [
                        "code": .string(finding.code.rawValue),
                        "run": finding.event.map { .string("\($0.run)") } ?? .null,
                        "sequence": finding.event.map { .number(JSONNumber($0.sequence)) } ?? .null,
                        "reason": .string(finding.reason),
                    ]
                }
            ),
            "finding_count": .number(JSONNumber(findingCount)),
            "withheld_bodies": .number(JSONNumber(withheldBodies)),
        ]
    }
}
