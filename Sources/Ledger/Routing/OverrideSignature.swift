import ModelRouter

/// Signatures of overrides: where a run's policy enforces approvals, an override counts only when somebody signed it
/// whom the list of signers knows that was recorded when the run began.
///
/// What is signed is the canonical JSON of the event's body without its member `signature`. The body names the run, so
/// that an override of one run is none of another, and a signature counts once.
public enum OverrideSignature {
    /// The namespace of the SSH signature.
    public static let namespace = "policy-override@capsule.example"

    /// What is signed of an override's body; nil for what is no object.
    static func message(of body: JSONValue) -> [UInt8]? {
        guard let members = body.object else { return nil }
        var signed = JSONValue.Members()
        for member in members where member.key != "signature" { signed[member.key] = member.value }
        return try? CanonicalJSON.encode(.object(signed))
    }

    /// Why an override does not count; nil if it does.
    static func refusal(of body: JSONValue, in run: RunID, at time: Int64, signers: AllowedSigners?) -> String? {
        guard let text = body["signature"]?.string else { return "nobody signed it" }
        guard let signers else { return "the run has recorded no list of signers" }
        guard body["run"]?.string == "\(run)" else { return "it was signed for another run" }
        guard let by = body["by"]?.string, let message = message(of: body) else { return "it does not say who signed" }
        let signature: SSHSignature
        do throws(SSHSignatureError) {
            signature = try SSHSignature(armoured: Array(text.utf8))
            try signature.verify(message, namespace: namespace)
        } catch {
            return "\(error)"
        }
        let seconds = PolicyTime(seconds: time / 1000)
        return signers.refuses(signature.key, as: by, namespace: namespace, at: seconds).map {
            "the key does not speak for \(by): \($0.rawValue)"
        }
    }
}

extension Hex {
    /// So many random bytes in hexadecimal.
    static func encode(random count: Int) -> String {
        var bytes = [UInt8](repeating: 0, count: count)
        bytes.withUnsafeMutableBytes { SystemRandom().fill($0) }
        return encode(bytes)
    }
}

/// Where a fold looks things up that an event only names.
protocol RoutingSources: AnyObject, Sendable {
    /// The bytes of a document of the capsule.
    func document(_ id: Digest) -> [UInt8]?
    /// What a snapshot enforces; nil for one that is no compiled policy, or is not here.
    func enforcement(of snapshot: Digest) -> Enforcement?
}
