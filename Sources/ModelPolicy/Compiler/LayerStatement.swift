import JSONText

extension CompileResult {
    /// What one layer says, as canonical JSON: the compiled form of its own values, without defaults and without what
    /// other layers say.
    ///
    /// An approver signs its digest (``SnapshotID/init(ofSnapshot:)`` of them), so that a change of the workspace
    /// asks for no new signature of a spec that did not change, nor does another layout of a file.
    ///
    /// - Returns: nil when the policy has a fault, or has no such layer.
    public func statement(of layer: PolicyLayer) -> [UInt8]? {
        guard snapshot != nil, let draft = layer == .workspace ? layers.workspace : layers.spec else { return nil }
        return try? CanonicalJSON.encode(draft.compiled(.table(PolicyLanguage.keys)))
    }
}
