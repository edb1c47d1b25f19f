import ModelPolicy

/// Judges again what runs recorded of approvals: whether an *approved* follows from the list of signers, the
/// statements and the signatures that the capsule holds, by the rules that held.
///
/// It is handed the objects and events of a capsule in their order, and says what it found when it is finished. What it
/// cannot derive: who the authors were (those that the record names are taken), and which layers a snapshot was made of
/// (the record's digests are). Memory is bounded by its limits, whatever the capsule.
public struct ApprovalAudit: Sendable {
    /// A recorded verdict that does not follow from what the capsule holds.
    public struct Finding: Sendable, Equatable {
        /// The first event that records it.
        public var event: EventReference
        /// So many events record it.
        public var events: Int
        /// In a sentence without a full stop.
        public var reason: String
    }

    /// Events that record that a policy is approved.
    public private(set) var verdicts = 0
    /// Those whose verdict was derived again.
    public private(set) var derived = 0
    /// In the order of the file.
    public private(set) var findings: [Finding] = []

    /// So many different records are judged, and so many bytes of documents are kept for it; with more, the others are
    /// findings.
    public static let mostRecords = 10_000
    static let documentBytes = 16 << 20
    /// So many open runs are remembered with their lists.
    private static let mostRuns = 100_000

    private var records: [Record] = []
    private var places: [Claim: Int] = [:]
    /// Events beyond ``mostRecords``, and the first of them.
    private var beyond: (event: EventReference, count: Int)?
    private var documents: [Digest: [UInt8]] = [:]
    private var kept = 0
    private var stated: [Digest: Stated] = [:]
    /// The list of signers that a run began with.
    private var lists: [RunID: Digest] = [:]

    /// What a policy states of approvals.
    private struct Stated: Sendable {
        var name: String
        var required: Int
        var excludesAuthors: Bool
    }

    /// What is the same in many runs.
    private struct Claim: Hashable {
        var body: Digest
        /// Whose rules held: those of the policy itself at a start, else those of the one in force.
        var ruling: Digest?
        var signers: Digest?
    }

    private struct Record: Sendable {
        var claim: Claim
        var body: JSONValue
        var event: EventReference
        var events = 0
        /// When the first and the last were judged, in seconds.
        var times: ClosedRange<Int64>
    }

    init() {}

    mutating func take(_ object: StoredObject) {
        guard object.kind == .document, kept + object.bytes.count <= Self.documentBytes else { return }
        // Statements are JSON, as are source maps, of which nothing is needed.
        let isStatement = object.bytes.starts(with: Array("{\"_type\":".utf8))
        guard object.media == .text || isStatement, documents.updateValue(object.bytes, forKey: object.id) == nil else {
            return
        }
        kept += object.bytes.count
    }

    mutating func take(_ policy: CompiledPolicy, id: Digest) {
        let approvals = policy.approvals
        stated[id] = Stated(
            name: policy.name,
            required: approvals.required,
            excludesAuthors: approvals.excludeAuthor
        )
    }

    /// Whether an event can hold a verdict, so that it is worth reading.
    static func mayRecord(_ envelope: Envelope) -> Bool {
        if envelope.seal != nil { return true }
        guard case .registered(let type) = envelope.type else { return false }
        return type == .runStart || type == .snapshot || type == .policyKept
    }

    mutating func take(_ event: RecordedEvent) {
        let run = event.envelope.run
        defer { if event.envelope.seal != nil { lists[run] = nil } }
        guard case .registered(let type) = event.envelope.type, let body = event.json else { return }
        let policy = type == .runStart ? body["policy"] : body
        guard let approvals = policy?["approvals"] else { return }
        let own = approvals["signers"]?.string.flatMap(PolicySnapshot.digest)
        if type == .runStart, let own, lists.count < Self.mostRuns { lists[run] = own }
        guard approvals["approved"]?.bool == true else { return }
        verdicts += 1
        let ruling = type == .runStart ? approvals["snapshot"] : body["previous"] ?? body["kept"]
        let claim = Claim(
            body: Hashing.sha256(approvals.encoded(.compact)),
            ruling: ruling?.string.flatMap(PolicySnapshot.digest),
            signers: own ?? lists[run]
        )
        note(claim, approvals, event.envelope)
    }

    private mutating func note(_ claim: Claim, _ body: JSONValue, _ envelope: Envelope) {
        let time = envelope.time.policyTime.seconds
        if let place = places[claim] {
            let times = records[place].times
            records[place].times = min(times.lowerBound, time)...max(times.upperBound, time)
            records[place].events += 1
        } else if records.count < Self.mostRecords {
            places[claim] = records.count
            records.append(Record(claim: claim, body: body, event: envelope.reference, events: 1, times: time...time))
        } else {
            beyond = (beyond?.event ?? envelope.reference, (beyond?.count ?? 0) + 1)
        }
    }

    /// Judges all that was taken in.
    mutating func finish() {
        for record in records {
            guard let reason = fault(record) else {
                derived += record.events
                continue
            }
            findings.append(Finding(event: record.event, events: record.events, reason: reason))
        }
        if let beyond {
            let reason = "more than \(Self.mostRecords) different verdicts; this one was not judged"
            findings.append(Finding(event: beyond.event, events: beyond.count, reason: reason))
        }
        (records, places, documents, lists, stated) = ([], [:], [:], [:], [:])
    }
}

// MARK: One record

extension ApprovalAudit {
    /// Why a recorded verdict does not follow; nil if it does.
    private func fault(_ record: Record) -> String? {
        let body = record.body
        guard let required = body["required"]?.int, let excludes = body["exclude_author"]?.bool,
            let layers = body["layers"]?.array, !layers.isEmpty
        else { return "it does not say by which rules, or of which layers" }
        if let own = record.claim.ruling.flatMap({ stated[$0] }) {
            guard own.required == required, own.excludesAuthors == excludes else {
                return "its rules are not those that the policy states"
            }
        }
        guard let id = record.claim.signers else { return "no list of signers is recorded" }
        guard let bytes = documents[id] else { return "the list of signers \(PolicySnapshot.text(id)) is not here" }
        let file = SourceFile(name: "allowed_signers", bytes: bytes, format: .toml)
        guard let signers = AllowedSigners.read(file).signers else { return "the list of signers has errors" }
        let rules = ApprovalRules(required: required, excludesAuthors: excludes, signers: signers)
        let name = body["snapshot"]?.string.flatMap(PolicySnapshot.digest).flatMap { stated[$0]?.name }
        for layer in layers {
            for time in Set([record.times.lowerBound, record.times.upperBound]) {
                if let fault = fault(layer, rules, name: name, at: time) {
                    return fault
                }
            }
        }
        return nil
    }

    private func fault(_ layer: JSONValue, _ rules: ApprovalRules, name: String?, at time: Int64) -> String? {
        let shown = layer["layer"]?.string ?? "a layer"
        guard let digest = layer["digest"]?.string.flatMap({ SnapshotID($0) }) else { return "\(shown) has no digest" }
        var files: [ApprovalFile] = []
        var subjects: Set<ApprovalSubject> = []
        for approval in layer["counted"]?.array ?? [] {
            let approver = approval["approver"]?.string ?? "somebody"
            guard let statement = document(approval["statement"]), let signature = document(approval["signature"])
            else {
                return "the statement or the signature of \(approver) on \(shown) is not here"
            }
            files.append(ApprovalFile(path: approver, statement: statement, signature: signature))
            if let read = try? ApprovalStatement(canonicalJSON: statement) { subjects.insert(read.subject) }
        }
        // Versions and files may differ; which meaning, and whose, may not.
        guard let subject = subjects.first(where: { $0.digest == digest && name ?? $0.policyName == $0.policyName }),
            subject.layer.rawValue == layer["layer"]?.string
        else { return "no statement is about \(shown), \(digest)" }
        let authors = (layer["authors"]?.array ?? []).compactMap(\.string).map(ApprovalAuthor.init)
        let evidence = ApprovalEvidence(subject, files: files, authors: .known(authors))
        let judged = ApprovalVerdict(of: [evidence], under: rules, now: PolicyTime(seconds: time))
        guard let verdict = judged.layers.first, verdict.isApproved else {
            let refusal = judged.layers.first?.refused.first.map { ": \($0.detail) [\($0.reason.rawValue)]" } ?? ""
            return "too few approvals of \(shown) count when judged again\(refusal)"
        }
        let given = Set(verdict.counted.map { "\($0.approver) \($0.fingerprint)" })
        let told = (layer["counted"]?.array ?? []).map { approval in
            "\(approval["approver"]?.string ?? "") \(approval["key"]?.string ?? "")"
        }
        return told.first { !given.contains($0) }.map { "\($0) is recorded on \(shown), and does not count" }
    }

    private func document(_ name: JSONValue?) -> [UInt8]? {
        name?.string.flatMap(PolicySnapshot.digest).flatMap { documents[$0] }
    }
}
