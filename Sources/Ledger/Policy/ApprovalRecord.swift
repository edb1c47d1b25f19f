import ModelPolicy

/// A verdict on a policy's approvals as a run keeps it: the member `approvals` of `policy` in its `run.start`, and of a
/// `snapshot` event; with the list of signers, the statements and the signatures as documents, so that whoever has the
/// capsule can judge again.
public struct ApprovalRecord: Sendable {
    public let verdict: ApprovalVerdict
    /// The policy that was judged, which need not be the one that the run is under.
    public let snapshot: SnapshotID
    /// The list of signers, where it was read.
    let signers: StoredObject?
    /// Why the list could not be read, in a sentence.
    public let listFault: String?
    let objects: [StoredObject]
    private let layers: JSONValue

    /// So many approvals that do not count are kept in an event.
    private static let mostRefused = 20
    /// So many of those that count are: as many as a policy can require.
    static let mostCounted = ApprovalLimits.required
    /// So many authors are, each to so many scalars: what git says is of any length.
    static let mostAuthors = 50
    private static let authorScalars = 200

    init(_ verdict: ApprovalVerdict, of snapshot: SnapshotID, list: SignersFile?) {
        self.verdict = verdict
        self.snapshot = snapshot
        listFault = list?.fault
        signers = list?.bytes.flatMap { try? StoredObject(.document, $0, media: .text) }
        var objects = signers.map { [$0] } ?? []
        layers = .array(verdict.layers.map { Self.layer($0, &objects) })
        self.objects = objects
    }

    var json: JSONValue {
        var members = JSONValue.Members()
        members["approved"] = .bool(verdict.isApproved)
        members["snapshot"] = .string("\(snapshot)")
        members["required"] = .number(JSONNumber(verdict.rules.required))
        members["exclude_author"] = .bool(verdict.rules.excludesAuthors)
        if let signers { members["signers"] = .string(PolicySnapshot.text(signers.id)) }
        if let listFault { members["signers_fault"] = .string(listFault) }
        members["layers"] = layers
        return .object(members)
    }

    private static func layer(_ layer: LayerVerdict, _ objects: inout [StoredObject]) -> JSONValue {
        let counted = layer.counted.prefix(mostCounted).map { approval -> JSONValue in
            var members = JSONValue.Members()
            members["approver"] = .string(approval.approver)
            members["key"] = .string(approval.fingerprint)
            members["time"] = .string("\(approval.time)")
            let parts = [
                ("statement", approval.file.statement, MediaType.json),
                ("signature", approval.file.signature ?? [], MediaType.text),
            ]
            for (name, bytes, media) in parts {
                guard let object = try? StoredObject(.document, bytes, media: media) else { continue }
                objects.append(object)
                members[name] = .string(PolicySnapshot.text(object.id))
            }
            return .object(members)
        }
        let refused = layer.refused.prefix(mostRefused).map { refusal -> JSONValue in
            var members = JSONValue.Members()
            members["file"] = .string(refusal.path)
            members["reason"] = .string(refusal.reason.rawValue)
            if let approver = refusal.approver { members["approver"] = .string(approver) }
            return .object(members)
        }
        return [
            "layer": .string(layer.subject.layer.rawValue), "digest": .string("\(layer.subject.digest)"),
            "approved": .bool(layer.isApproved), "counted": .array(counted),
            "counted_count": .number(JSONNumber(layer.counted.count)), "not_counted": .array(refused),
            "not_counted_count": .number(JSONNumber(layer.refused.count)),
            "authors": .array(
                layer.authors.prefix(mostAuthors).map { author in
                    .string(String(String.UnicodeScalarView(author.description.unicodeScalars.prefix(authorScalars))))
                }
            ),
        ]
    }
}
