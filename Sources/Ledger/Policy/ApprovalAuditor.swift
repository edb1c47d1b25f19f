import ModelPolicy

/// Judges again what runs recorded of approvals; see ``ApprovalAudit``.
///
/// It is handed the objects and events of a capsule, batch by batch in their order, and says what it found when it is
/// finished. What it cannot derive: who the authors were (those that the record names are taken), and which layers a
/// snapshot was made of (the record's digests are). Time and memory are bounded by ``ApprovalAuditLimits``.
struct ApprovalAuditor {
    private var audit = ApprovalAudit()
    private var objects: ApprovalObjects
    private var pending: [RecordedEvent] = []
    private var runs: [RunID: Run] = [:]
    private var judge: ApprovalJudge
    private var changes: PolicyChangeAuditor
    private let limits: ApprovalAuditLimits
    private var records: [Record] = []
    private var places: [ApprovalClaim: Int] = [:]
    /// Events beyond the limit of records, and the first of them.
    private var beyond: ApprovalAudit.Finding?

    /// What is known of a run that is open.
    private struct Run {
        var inForce: Digest
        var list: ApprovalClaim.List
    }

    private struct Record {
        var claim: ApprovalClaim
        var event: EventReference
        var events = 0
        /// When the first and the last were judged, in seconds.
        var times: ClosedRange<Int64>
    }

    /// - Parameter source: reads a batch again.
    init(_ limits: ApprovalAuditLimits = .init(), _ source: @escaping ApprovalObjects.Source) {
        self.limits = limits
        objects = ApprovalObjects(limits, source)
        judge = ApprovalJudge(limits)
        changes = PolicyChangeAuditor(limits)
    }

    mutating func take(_ object: StoredObject) { objects.note(object) }

    /// Takes in a snapshot.
    ///
    /// - Parameter policy: nil for one that is no compiled policy.
    mutating func take(_ policy: CompiledPolicy?, id: Digest) {
        judge.take(policy, id: id)
        changes.take(policy, id: id)
    }

    /// What came of the policies that were brought without a recorded approval.
    var policyChanges: PolicyChangeAudit { changes.audit }

    /// Whether an event can hold a verdict, or ends what is known of a run, so that it is worth reading.
    static func mayRecord(_ envelope: Envelope) -> Bool { envelope.seal != nil || recordingType(envelope) != nil }

    private static func recordingType(_ envelope: Envelope) -> RegisteredType? {
        guard case .registered(let type) = envelope.type else { return nil }
        return [.runStart, .snapshot, .policyKept].contains(type) ? type : nil
    }

    /// Takes in an event. It is looked at when its batch is whole: its body may stand in it outside the event.
    mutating func take(_ event: RecordedEvent) { pending.append(event) }

    /// - Throws: `StorageError`, `CapsuleError`.
    mutating func endBatch(at offset: UInt64) throws {
        objects.endBatch(at: offset)
        for event in pending { try settle(event) }
        pending.removeAll(keepingCapacity: true)
    }

    private mutating func settle(_ event: RecordedEvent) throws {
        let envelope = event.envelope
        defer { if envelope.seal != nil { runs[envelope.run] = nil } }
        guard let type = Self.recordingType(envelope) else { return }
        let before = runs[envelope.run]?.inForce
        let list = runs[envelope.run]?.list ?? .notRead
        switch type {
        case .runStart where runs.count < limits.runs:
            runs[envelope.run] = Run(inForce: envelope.snapshot, list: .notRead)
        case .snapshot: runs[envelope.run]?.inForce = envelope.snapshot
        default: break
        }
        let body: JSONValue
        do {
            guard let read = try self.body(of: event) else {
                if type == .runStart { runs[envelope.run]?.list = .none }
                if type == .snapshot { changes.take(envelope.reference, from: before, to: envelope.snapshot) }
                return
            }
            body = read
        } catch ApprovalDoubt.notJudged(let reason) {
            // Where no list is named nobody is asked, so there is nothing that the body could have told.
            guard judge.names(list: before ?? envelope.snapshot) else {
                if type == .snapshot { changes.take(envelope.reference, from: before, to: envelope.snapshot) }
                return
            }
            let unread = "\(reason), so whether it records an approval cannot be told"
            audit.verdicts += 1
            return note(ApprovalClaim(doubt: .notJudged(unread)), envelope)
        }
        if type == .runStart { runs[envelope.run]?.list = .init(ofStart: body) }
        guard let claim = ApprovalClaim(type, body, envelope, inForce: before, list) else {
            if type == .snapshot { changes.take(envelope.reference, from: before, to: envelope.snapshot) }
            return
        }
        audit.verdicts += 1
        note(claim, envelope)
    }

    /// The body as JSON; nil when it is none.
    private mutating func body(of event: RecordedEvent) throws -> JSONValue? {
        switch event.content {
        case .none: return nil
        case .withheld: throw ApprovalDoubt.notJudged("its body is withheld")
        case .inline: return event.json
        case .blob(let blob):
            guard event.envelope.media == .json else { return nil }
            let content = try objects.content(of: blob)
            return try? JSONValue.parse(content)
        }
    }

    private mutating func note(_ claim: ApprovalClaim, _ envelope: Envelope) {
        let time = envelope.time.policyTime.seconds
        if let place = places[claim] {
            let times = records[place].times
            records[place].times = min(times.lowerBound, time)...max(times.upperBound, time)
            records[place].events += 1
        } else if records.count < limits.records {
            places[claim] = records.count
            records.append(Record(claim: claim, event: envelope.reference, events: 1, times: time...time))
        } else if beyond == nil {
            let reason = "there are more than \(limits.records) different verdicts"
            beyond = ApprovalAudit.Finding(event: envelope.reference, events: 1, reason: reason)
        } else {
            beyond?.events += 1
        }
    }

    /// Judges all that was taken in.
    ///
    /// - Throws: `StorageError`, `CapsuleError`.
    mutating func finish() throws -> ApprovalAudit {
        for record in records {
            func finding(_ reason: String) -> ApprovalAudit.Finding {
                ApprovalAudit.Finding(event: record.event, events: record.events, reason: reason)
            }
            do {
                try judge.check(record.claim, from: record.times.lowerBound, to: record.times.upperBound, &objects)
                audit.derived += record.events
            } catch ApprovalDoubt.contradicted(let reason) {
                audit.findings.append(finding(reason))
            } catch ApprovalDoubt.notJudged(let reason) {
                audit.notJudged.append(finding(reason))
            }
        }
        if let beyond { audit.notJudged.append(beyond) }
        return audit
    }
}

/// What an event says of an approval: the same for all runs that began alike.
struct ApprovalClaim: Hashable {
    /// The list of signers that holds for a run.
    enum List: Hashable {
        case none
        case recorded(Digest)
        /// The run's start cannot be read.
        case notRead

        /// The list that a run's start recorded. The record of a policy that was not taken is no rule for anything.
        init(ofStart body: JSONValue) {
            let policy = body["policy"]
            let isOwn = policy?["origin"]?.string == PolicyOrigin.Kind.workspace.rawValue
            let id = isOwn ? policy?["approvals"]?["signers"]?.string.flatMap(PolicySnapshot.digest) : nil
            self = id.map(List.recorded) ?? .none
        }
    }

    /// The member `approvals`, in compact JSON.
    var record: [UInt8] = []
    /// The layers of which the policy's files are, as the event says.
    var sources: [String]?
    /// The policy that was judged.
    var judged: Digest?
    /// The policy whose rules held.
    var ruling: Digest?
    var list = List.none
    /// What the event alone shows to be wrong.
    var doubt: ApprovalDoubt?

    init(doubt: ApprovalDoubt) { self.doubt = doubt }

    /// - Parameters:
    ///   - inForce: the snapshot that the run was under before the event; nil where its start was not read.
    ///   - list: what the run's start recorded.
    /// - Returns: nil when it does not say that a policy is approved.
    init?(
        _ type: RegisteredType,
        _ body: JSONValue,
        _ envelope: Envelope,
        inForce: Digest?,
        _ list: List
    ) {
        let policy = type == .runStart ? body["policy"] : body
        guard let approvals = policy?["approvals"], approvals["approved"]?.bool == true else { return nil }
        record = approvals.encoded(.compact)
        sources = policy?["sources"]?.array?.map { $0["layer"]?.string ?? "" }
        func named(_ value: JSONValue?) -> Digest? { value?.string.flatMap(PolicySnapshot.digest) }
        judged = named(approvals["snapshot"])
        if type == .runStart {
            (ruling, self.list) = (envelope.snapshot, List(ofStart: body))
            if judged != envelope.snapshot { doubt = .contradicted("what was judged is not what the run began under") }
            return
        }
        (ruling, self.list) = (inForce, list)
        let (told, found) =
            type == .snapshot ? (body["previous"], Optional(envelope.snapshot)) : (body["kept"], named(body["found"]))
        if approvals["signers"] != nil {
            doubt = .contradicted("it brings a list of signers of its own; in a run that of its start holds")
        } else if let inForce, named(told) != inForce {
            doubt = .contradicted("it does not name the policy that was in force, whose rules hold")
        } else if found == nil || judged != found {
            doubt = .contradicted("what was judged is not what the event is about")
        } else if inForce == nil {
            doubt = .notJudged("the start of its run was not read")
        }
    }
}
