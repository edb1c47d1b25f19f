/// What an approval is held to. The rules are not asked of the policy that is approved: whoever judges takes them from
/// where the change cannot reach, such as the revision that it is to be merged into.
public struct ApprovalRules: Sendable, Hashable {
    /// So many different persons must have signed; 1 or more.
    public var required: Int
    /// Whether those who made the change do not count.
    public var excludesAuthors: Bool
    /// Nil when there is no list that can be read; then nobody counts.
    public var signers: AllowedSigners?

    public init(required: Int, excludesAuthors: Bool, signers: AllowedSigners?) {
        self.required = max(required, 1)
        self.excludesAuthors = excludesAuthors
        self.signers = signers
    }

    /// The rules as a policy states them.
    public init(_ approvals: Approvals, signers: AllowedSigners?) {
        self.init(required: approvals.required, excludesAuthors: approvals.excludeAuthor, signers: signers)
    }
}

/// A statement as it was found, with the signature beside it.
public struct ApprovalFile: Sendable, Hashable {
    /// The statement's file, for people.
    public var path: String
    public var statement: [UInt8]
    /// Nil when there is none.
    public var signature: [UInt8]?

    public init(path: String, statement: [UInt8], signature: [UInt8]?) {
        (self.path, self.statement, self.signature) = (path, statement, signature)
    }
}

/// Who made a change, as far as it can be told.
public enum ApprovalAuthors: Sendable, Hashable {
    case known([ApprovalAuthor])
    /// It cannot be told, and why. Where authors are excluded nobody counts then.
    case unknown(String)
}

/// All that is known of one layer.
public struct ApprovalEvidence: Sendable, Hashable {
    public var subject: ApprovalSubject
    public var files: [ApprovalFile]
    public var authors: ApprovalAuthors

    public init(_ subject: ApprovalSubject, files: [ApprovalFile], authors: ApprovalAuthors) {
        (self.subject, self.files, self.authors) = (subject, files, authors)
    }
}

/// An approval that counts.
public struct ApprovalGiven: Sendable, Hashable {
    public var file: ApprovalFile
    public var approver: String
    /// `SHA256:…`, as `ssh-keygen -l` shows it.
    public var fingerprint: String
    public var keyType: String
    public var time: PolicyTime
}

/// An approval that does not.
public struct ApprovalRefusal: Sendable, Hashable {
    public enum Reason: String, Sendable, CaseIterable, Error {
        case malformedStatement = "malformed-statement"
        case missingSignature = "missing-signature"
        case malformedSignature = "malformed-signature"
        case unsupportedKey = "unsupported-key"
        case unsupportedHash = "unsupported-hash"
        case wrongNamespace = "wrong-namespace"
        /// The signature is not of this statement.
        case tampered
        /// The statement is about something else.
        case wrongSubject = "wrong-subject"
        /// The key is not in the list.
        case unknownSigner = "unknown-signer"
        /// The key is in the list, under other names.
        case wrongPerson = "wrong-person"
        case namespaceNotAllowed = "namespace-not-allowed"
        case notYetValid = "not-yet-valid"
        case expired
        /// Made later than now.
        case datedAhead = "dated-ahead"
        /// They made the change.
        case author
        case authorsUnknown = "authors-unknown"
        /// They count already.
        case samePerson = "same-person"
        /// There are more files than are looked at.
        case beyondLimit = "beyond-limit"
    }

    public var path: String
    public var reason: Reason
    /// In a sentence without a full stop.
    public var detail: String
    /// Who it says it is from; nil where the statement cannot be read.
    public var approver: String?
}

/// Whether a layer is approved, and by whom.
public struct LayerVerdict: Sendable, Hashable {
    public var subject: ApprovalSubject
    public var required: Int
    public var counted: [ApprovalGiven]
    public var refused: [ApprovalRefusal]
    /// Git's, and those that statements of known signers name.
    public var authors: [ApprovalAuthor]

    public var isApproved: Bool { counted.count >= required }
}

/// Whether a policy is approved: when each of its layers is.
public struct ApprovalVerdict: Sendable, Hashable {
    public var rules: ApprovalRules
    public var layers: [LayerVerdict]
    /// When it was judged.
    public var time: PolicyTime

    /// A policy without layers is not.
    public var isApproved: Bool { !layers.isEmpty && layers.allSatisfy(\.isApproved) }

    /// Judges: pure, and the same whatever the order in which files were found.
    ///
    /// - Parameters:
    ///   - evidence: of each layer of the policy.
    ///   - now: keys must be valid now as well as at the time that their statements say. *Why both: that time is the
    ///     signer's claim, and the key of someone who left must stop counting.*
    public init(of evidence: [ApprovalEvidence], under rules: ApprovalRules, now: PolicyTime) {
        var checks = SignatureChecks()
        self.init(of: evidence, under: rules, now: now, checks: &checks)
    }

    /// The same, for whoever judges the same approvals many times.
    ///
    /// - Parameter checks: the signatures that were checked before, and how many more may be; where it comes out
    ///   exhausted, some count as `beyondLimit` that were not looked at.
    public init(
        of evidence: [ApprovalEvidence],
        under rules: ApprovalRules,
        now: PolicyTime,
        checks: inout SignatureChecks
    ) {
        self.rules = rules
        time = now
        layers = []
        for layer in evidence { layers.append(LayerVerdict(layer, rules, now, &checks)) }
    }

    /// What is missing, in a sentence without a full stop; nil when nothing is.
    public var shortfall: String? {
        guard !isApproved else { return nil }
        let open = layers.filter { !$0.isApproved }
        guard !open.isEmpty else { return "the policy has no layers" }
        return open.map { layer in
            let count = layer.counted.count
            return "\(layer.subject.file) has \(count) of \(layer.required) approval\(layer.required == 1 ? "" : "s")"
        }
        .joined(separator: ", ")
    }
}
