/// Makes a new capsule of what another one proves.
public enum CapsuleSalvage {
    /// Copies all that can still be proved into a new capsule with an ID and an origin of its own, and records in its
    /// run zero where it comes from and what was lost. The old file is only read.
    ///
    /// Runs keep their IDs, leaves and seals. Their names are found by the index as before; repeating a start by name
    /// makes a new run, because names are hashed with the capsule's ID.
    ///
    /// - Throws: `StorageError` with `.fileExists` if `path` is taken; `CapsuleError` if the copy does not verify,
    ///   which then is not kept; `LedgerError.inputInvalid` if `origin` is that of the old one.
    public static func salvage(
        _ old: CapsuleFile,
        to path: FilePath,
        origin: String? = nil,
        progress: ((UInt64, UInt64) -> Void)? = nil
    ) throws -> CopyReport {
        let header = try newHeader(origin: origin, apartFrom: old)
        var create = JSONWriter()
        create.object {
            $0.member("tool", "capsule-tool \(CapsuleLedger.version)")
            $0.member("origin", header.origin)
        }
        return try CapsuleCopy.run(
            from: old,
            to: path,
            header: header,
            purpose: .salvage,
            knownDurable: knownDurable(of: old),
            createBody: create.bytes,
            progress: progress
        ) { report in
            let runZero = try StoredObject(.document, Self.lines(of: report.runZero), media: .json)
            return ([runZero], Self.salvageBody(report, runZero: runZero.id))
        }
    }

    /// Copies a sound capsule that goes its own way, because the original goes on elsewhere: everything as it is, under
    /// an ID and an origin of its own, which run zero says.
    ///
    /// - Throws: as `salvage`; `CapsuleError.damaged` if the capsule is not sound.
    public static func adopt(
        _ old: CapsuleFile,
        to path: FilePath,
        origin: String? = nil,
        reason: String? = nil,
        progress: ((UInt64, UInt64) -> Void)? = nil
    ) throws -> CopyReport {
        try CapsuleCopy.run(
            from: old,
            to: path,
            header: newHeader(origin: origin, apartFrom: old),
            purpose: .adopt,
            knownDurable: knownDurable(of: old),
            progress: progress
        ) { report in
            var body = JSONWriter()
            body.object {
                $0.member("from_origin", report.origin)
                $0.member("size", Int(report.provedSize))
                $0.member("root", report.provedRoot.hex)
                if let reason { $0.member("reason", reason) }
            }
            return ([], body.bytes)
        }
    }

    /// A checkpoint says of which origin it is: under one origin it would accuse the other capsule.
    private static func newHeader(origin: String?, apartFrom old: CapsuleFile) throws -> FileHeader {
        guard origin != old.header.origin else {
            throw LedgerError(
                .inputInvalid,
                "\(old.header.origin) is the origin of the old capsule; the new one needs its own"
            )
        }
        let id = CapsuleID(words: RunID(at: .now, random: SystemRandom()).words)
        return try FileHeader(capsule: id, created: .now, origin: origin)
    }

    /// What the note and the index know of the old file's length.
    public static func knownDurable(of capsule: CapsuleFile) -> UInt64? {
        let note = DurableNote.read(for: capsule.path, header: capsule.header, storage: capsule.storage)
        let index = SnapshotIndex.evidence(for: capsule.path, capsule.header)
        return [note?.durableLength, index?.durableLength].compactMap { $0 }.max()
    }

    // MARK: Bodies

    /// Losses that the event lists; it says how many there are.
    private static let listedLosses = 100
    private static let listedRuns = 20

    private static func salvageBody(_ report: CopyReport, runZero: Digest) -> [UInt8] {
        var body = JSONWriter()
        body.object {
            $0.member("from_origin", report.origin)
            $0.member("from_capsule", "\(report.capsule)")
            $0.member("from_size", Int(report.provedSize))
            $0.member("from_root", report.provedRoot.hex)
            $0.member("complete", report.isComplete)
            $0.member("events", Int(report.events))
            $0.member("torn_bytes", Int(report.tornBytes))
            $0.member("losses", report.losses.count)
            $0.member("run_zero", "sha256:\(runZero.hex)")
            $0.member("lost", .array(report.losses.prefix(listedLosses).map { $0.value(runs: listedRuns) }))
        }
        return body.bytes
    }

    /// The old capsule's own events, one JSON object a line: its creation, erasures and checkpoints.
    private static func lines(of events: [CopiedEvent]) -> [UInt8] {
        var bytes: [UInt8] = []
        for event in events {
            var line = JSONWriter()
            line.object {
                $0.member("sequence", Int(event.envelope.sequence))
                $0.member("type", event.envelope.type.name)
                $0.member("time", "\(event.envelope.time)")
                if let body = event.body, let value = try? JSONValue.parse(body) { $0.member("body", value) }
            }
            bytes += line.bytes + [UInt8(ascii: "\n")]
            // More than an object holds is cut: what counts is in the losses.
            if bytes.count > Limits.objectBytes / 2 { break }
        }
        return bytes
    }
}

extension CopyLoss {
    /// For machines; at most so many of its runs.
    public func value(runs limit: Int = .max) -> JSONValue {
        var members = JSONValue.Members()
        members["kind"] = .string(kind.rawValue)
        if let offset { members["offset"] = .number(JSONNumber(offset)) }
        members["bytes"] = .number(JSONNumber(bytes))
        members["reason"] = .string(reason)
        if batches > 0 { members["batches"] = .number(JSONNumber(batches)) }
        if events > 0 { members["events"] = .number(JSONNumber(events)) }
        if !runs.isEmpty {
            members["runs"] = .array(
                runs.prefix(limit).map {
                    [
                        "run": .string("\($0.run)"), "first": .number(JSONNumber($0.first)),
                        "last": .number(JSONNumber($0.last)),
                    ]
                }
            )
        }
        return .object(members)
    }
}
