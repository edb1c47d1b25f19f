import ModelRouter
import Synchronization

/// What the policy in force says about content: how much of a call is kept, and what is taken out first.
struct ContentRules: Sendable {
    var capture: CaptureRule
    /// Nil where the policy does not redact on the way in.
    var redactor: Redactor?
}

extension CapsuleLedger {
    /// Records a model call, with as much of prompt and output as the policy keeps.
    public func record(_ call: ModelCall, in run: RunHandle) async throws -> Receipt {
        let rules = try await contentRules(of: run.id)
        // A policy that is none keeps digests: the least from which anything can be checked.
        let body = try call.body(rules?.capture ?? CaptureRule(.hash))
        var draft = EventDraft(.registered(.modelCall), body: body.encoded(), time: call.time)
        if let decision = call.decision { draft.causes = [EventReference(run: run.id, sequence: decision)] }
        guard let receipt = try await append([draft], to: run, durability: .written).last else {
            throw WriteError(.closed, "the queue gave no receipt")
        }
        return receipt
    }

    /// Nil for a run that is not open, or whose snapshot is no compiled policy.
    func contentRules(of run: RunID) async throws -> ContentRules? {
        if let known = contents.rules(of: run) { return known.rules }
        guard let snapshot = await queue.state().open[run]?.snapshot else { return nil }
        return contents.learn(run, under: snapshot, policies)
    }
}

extension ContentRules {
    /// Refuses what says too much, and takes out what is secret.
    ///
    /// - Throws: `LedgerError.overCapture`.
    func apply(to drafts: inout [EventDraft]) throws {
        try check(drafts.span)
        guard let redactor else { return }
        for index in drafts.indices { redactor.redact(&drafts[index]) }
    }

    private func check(_ drafts: Span<EventDraft>) throws {
        for index in drafts.indices where drafts[index].type == .registered(.modelCall) {
            if let body = drafts[index].body { try capture.check(JSONValue.parse(body)) }
        }
    }
}

/// The rules of content of the runs that are appended to.
///
/// They are those of the snapshot that was in force when the run was last looked at here: at its first append, and
/// after each stage, checkpoint and snapshot. A snapshot that another process takes up meanwhile only tightens.
final class RunContents: Sendable {
    private let secrets: any SecretSource
    private let runs = Mutex<[RunID: Known]>([:])
    private static let mostKnown = 1000

    struct Known {
        var rules: ContentRules?
    }

    init(_ secrets: any SecretSource) { self.secrets = secrets }

    func rules(of run: RunID) -> Known? { runs.withLock { $0[run] } }

    func forget(_ run: RunID) { runs.withLock { $0[run] = nil } }

    func learn(_ run: RunID, under snapshot: Digest, _ policies: RunPolicies) -> ContentRules? {
        let workspace = policies.workspace(of: run)
        let rules = policies.compiled(snapshot).map { self.rules(of: $0, workspace) }
        runs.withLock { runs in
            if runs.count >= Self.mostKnown { runs.removeAll() }
            runs[run] = Known(rules: rules)
        }
        return rules
    }

    /// The rules of a policy that came from a workspace, or from none.
    func rules(of policy: CompiledPolicy, _ workspace: FilePath?) -> ContentRules {
        let redactor = policy.redaction.onIngest ? redactor(policy.redaction, workspace) : nil
        return ContentRules(capture: CaptureRule(policy.capture), redactor: redactor)
    }

    private func redactor(_ rules: Redaction, _ workspace: FilePath?) -> Redactor {
        let files = workspace.map { secrets.files(in: $0) } ?? []
        return Redactor(rules, environment: secrets.environment(), files: files)
    }
}
