extension LayerVerdict {
    /// An approval whose signature is a known person's.
    private struct Authentic {
        var given: ApprovalGiven
        var person: Int
        var named: [String]
    }

    init(
        _ evidence: ApprovalEvidence,
        _ rules: ApprovalRules,
        _ now: PolicyTime,
        _ checks: inout SignatureChecks
    ) {
        subject = evidence.subject
        required = rules.required
        (counted, refused, authors) = ([], [], [])
        var authentic: [Authentic] = []
        let files = evidence.files.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        for file in files.prefix(ApprovalLimits.approvals) {
            do throws(Refused) {
                authentic.append(try Self.authenticate(file, subject, rules, now, &checks))
            } catch {
                refuse(file.path, error.reason, error.detail, error.approver)
            }
        }
        for file in files.dropFirst(ApprovalLimits.approvals) {
            refuse(
                file.path,
                .beyondLimit,
                "more than \(ApprovalLimits.approvals) files; this one is not looked at",
                nil
            )
        }
        count(authentic, evidence.authors, rules)
        refused.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    private mutating func count(_ authentic: [Authentic], _ made: ApprovalAuthors, _ rules: ApprovalRules) {
        var reasonUnknown: String?
        switch made {
        case .known(let found): authors = found
        case .unknown(let reason): reasonUnknown = reason
        }
        var named = Set(authors)
        for name in authentic.lazy.flatMap(\.named).map(ApprovalAuthor.init) where named.insert(name).inserted {
            authors.append(name)
        }
        let excluded = rules.excludesAuthors ? Self.persons(authors, rules) : [:]
        var seen: [Int: String] = [:]
        for approval in authentic {
            let (given, person) = (approval.given, approval.person)
            if rules.excludesAuthors, let reasonUnknown {
                refuse(
                    given.file.path,
                    .authorsUnknown,
                    "who made the change cannot be told: \(reasonUnknown)",
                    given.approver
                )
            } else if let author = excluded[person] {
                refuse(given.file.path, .author, "\(given.approver) made the change, as \(author)", given.approver)
            } else if let other = seen[person] {
                let detail = "\(given.approver) is the person who signed \(other); each person counts once"
                refuse(given.file.path, .samePerson, detail, given.approver)
            } else {
                seen[person] = given.file.path
                counted.append(given)
            }
        }
    }

    private static func persons(_ authors: [ApprovalAuthor], _ rules: ApprovalRules) -> [Int: ApprovalAuthor] {
        var persons: [Int: ApprovalAuthor] = [:]
        for author in authors.prefix(ApprovalLimits.authors) {
            for person in rules.signers?.persons(of: author) ?? [] { persons[person] = persons[person] ?? author }
        }
        return persons
    }

    private mutating func refuse(
        _ path: String,
        _ reason: ApprovalRefusal.Reason,
        _ detail: String,
        _ approver: String?
    ) {
        refused.append(ApprovalRefusal(path: path, reason: reason, detail: detail, approver: approver))
    }

    struct Refused: Error {
        var reason: ApprovalRefusal.Reason
        var detail: String
        var approver: String?
    }

    /// Reads a statement.
    private static func read(_ file: ApprovalFile) throws(Refused) -> ApprovalStatement {
        do throws(ApprovalStatementError) {
            return try ApprovalStatement(canonicalJSON: file.statement)
        } catch {
            throw Refused(reason: .malformedStatement, detail: "this is no statement of an approval: \(error)")
        }
    }

    /// Reads a statement, and checks that a key signed it.
    private static func signed(
        _ file: ApprovalFile,
        _ checks: inout SignatureChecks
    ) throws(Refused) -> SignatureChecks.Signed {
        guard let armoured = file.signature else {
            let detail = "there is no \(file.path).sig beside it"
            throw Refused(reason: .missingSignature, detail: detail, approver: try read(file).approver)
        }
        let found = checks.check(file.statement, armoured) {
            Result { () throws(Refused) in
                let statement = try read(file)
                do throws(SSHSignatureError) {
                    let signature = try SSHSignature(armoured: armoured)
                    try signature.verify(file.statement, namespace: ApprovalStatement.namespace)
                    return SignatureChecks.Signed(statement: statement, key: signature.key)
                } catch {
                    let reason = ApprovalRefusal.Reason(error)
                    throw Refused(reason: reason, detail: "\(error)", approver: statement.approver)
                }
            }
        }
        guard let found else {
            throw Refused(reason: .beyondLimit, detail: "more signatures than are checked; this one is not looked at")
        }
        return try found.get()
    }

    /// Reads statement and signature, and finds the person.
    private static func authenticate(
        _ file: ApprovalFile,
        _ subject: ApprovalSubject,
        _ rules: ApprovalRules,
        _ now: PolicyTime,
        _ checks: inout SignatureChecks
    ) throws(Refused) -> Authentic {
        let signed = try signed(file, &checks)
        let (statement, key) = (signed.statement, signed.key)
        func refused(_ reason: ApprovalRefusal.Reason, _ detail: String) -> Refused {
            Refused(reason: reason, detail: detail, approver: statement.approver)
        }
        guard statement.isAbout(subject) else {
            throw refused(.wrongSubject, "it is about \(statement.subject.shown), not \(subject.shown)")
        }
        guard statement.time.seconds - ApprovalLimits.clockSeconds <= now.seconds else {
            throw refused(.datedAhead, "it says that it was made at \(statement.time), and now is \(now)")
        }
        guard let signers = rules.signers else {
            throw refused(.unknownSigner, "there is no list of signers that can be read")
        }
        let times = [statement.time, now]
        switch signers.admit(key, as: statement.approver, namespace: ApprovalStatement.namespace, at: times) {
        case .failure(let reason): throw refused(reason, reason.words(statement.approver, key, signers))
        case .success(let found):
            let given = ApprovalGiven(
                file: file,
                approver: statement.approver,
                fingerprint: key.fingerprint,
                keyType: key.type,
                time: statement.time
            )
            return Authentic(given: given, person: found.person, named: statement.authors)
        }
    }
}

extension ApprovalStatement {
    /// The digest says which meaning; the names say whose. *Why the names: two specs may say the same, and leave for
    /// one is none for the other.* Versions and names of files may change.
    fileprivate func isAbout(_ other: ApprovalSubject) -> Bool {
        subject.digest == other.digest && subject.layer == other.layer && subject.spec == other.spec
            && subject.policyName == other.policyName
    }
}

extension ApprovalSubject {
    fileprivate var shown: String {
        "\(layer == .spec ? "spec \(spec ?? "")" : "the workspace") of \(policyName), \(digest)"
    }
}

extension ApprovalRefusal.Reason {
    fileprivate init(_ error: SSHSignatureError) {
        self =
            switch error {
            case .malformed: .malformedSignature
            case .unsupportedKey: .unsupportedKey
            case .unsupportedHash: .unsupportedHash
            case .wrongNamespace: .wrongNamespace
            case .tampered: .tampered
            }
    }

    fileprivate func words(_ approver: String, _ key: SSHPublicKey, _ signers: AllowedSigners) -> String {
        switch self {
        case .unknownSigner: "its key \(key.fingerprint) is not in \(signers.file)"
        case .wrongPerson:
            "its key \(key.fingerprint) is in \(signers.file), but not as \(approver)"
        case .namespaceNotAllowed: "\(signers.file) does not let this key sign for `\(ApprovalStatement.namespace)`"
        case .notYetValid: "the key of \(approver) is not valid yet"
        case .expired: "the key of \(approver) is no longer valid"
        default: rawValue
        }
    }
}
