import JSONText

/// What is to be approved: one layer of a policy.
public struct ApprovalSubject: Sendable, Hashable {
    public var layer: PolicyLayer
    /// The file, as it was named to the compiler.
    public var file: String
    /// Of a spec's layer, its name: that of the file without its ending.
    public var spec: String?
    /// The SHA-256 of the layer's statement, ``CompileResult/statement(of:)``: its meaning, whatever its layout.
    public var digest: SnapshotID
    public var policyName: String
    public var policyVersion: String

    /// The digits of the digest: the name of the folder in which the layer's approvals are.
    public var folderName: String { String("\(digest)".dropFirst("sha256:".count)) }

    init(
        layer: PolicyLayer,
        file: String,
        spec: String?,
        digest: SnapshotID,
        policyName: String,
        policyVersion: String
    ) {
        (self.layer, self.file, self.spec, self.digest) = (layer, file, spec, digest)
        (self.policyName, self.policyVersion) = (policyName, policyVersion)
    }

    /// A file that is approved as it stands, byte by byte, such as a list of signers.
    ///
    /// Its digest is that of its bytes, which no layer has: a layer's statement is canonical JSON of a policy.
    public init(file: String, bytes: [UInt8], of policy: CompiledPolicy) {
        self.init(
            layer: .workspace,
            file: file,
            spec: nil,
            digest: SnapshotID(ofSnapshot: bytes),
            policyName: policy.name,
            policyVersion: policy.version
        )
    }
}

extension CompileResult {
    /// The layers of the policy, the workspace's first; none when it has a fault.
    public var approvalSubjects: [ApprovalSubject] {
        guard let policy = snapshot?.policy else { return [] }
        return PolicyLayer.allCases.compactMap { layer in
            guard let statement = statement(of: layer), let file = layers.files[layer] else { return nil }
            let base = file.split(separator: "/").last.map(String.init) ?? file
            let name = base.lastIndex(of: ".").map { String(base[..<$0]) } ?? base
            return ApprovalSubject(
                layer: layer,
                file: file,
                spec: layer == .spec ? (name.isEmpty ? base : name) : nil,
                digest: SnapshotID(ofSnapshot: statement),
                policyName: policy.name,
                policyVersion: policy.version
            )
        }
    }
}

/// What an approver signs: an in-toto Statement, version 1, about the digest of a layer.
///
/// It is canonical JSON (RFC 8785) on one line without an end, so that no tool's idea of lines changes what was signed.
public struct ApprovalStatement: Sendable, Hashable {
    /// The namespace of the SSH signature.
    public static let namespace = "policy-approval@capsule.example"
    public static let type = "https://in-toto.io/Statement/v1"
    public static let predicateType = "https://capsule.example/policy-approval/v1"

    public var subject: ApprovalSubject
    /// Who approves: a name of the list of signers.
    public var approver: String
    /// Who made the change, as far as the approver knew; excluded beside those that git names.
    public var authors: [String]
    /// When, as the approver's clock said.
    public var time: PolicyTime

    /// - Throws: ``ApprovalStatementError`` when a name is empty, too long, or has characters that cannot be seen.
    public init(
        _ subject: ApprovalSubject,
        approver: String,
        authors: [String],
        time: PolicyTime
    ) throws(ApprovalStatementError) {
        (self.subject, self.approver, self.authors, self.time) = (subject, approver, authors, time)
        guard authors.count <= ApprovalLimits.authors else {
            throw ApprovalStatementError("\(authors.count) authors; at most \(ApprovalLimits.authors)")
        }
        for name in [approver] + authors where !Self.isName(name) {
            throw ApprovalStatementError(
                "`\(name.prefix(64))` is no name: 1 to \(ApprovalLimits.nameBytes) bytes that can be seen"
            )
        }
    }

    /// Whether a text can be the name of an approver or an author.
    public static func isName(_ text: String) -> Bool {
        (1...ApprovalLimits.nameBytes).contains(text.utf8.count)
            && !text.unicodeScalars.contains { HiddenCharacter.isHidden($0) || $0.value < 0x20 }
    }

    /// The bytes that are signed.
    public var canonicalJSON: [UInt8] {
        var predicate = JSONValue.Members()
        predicate["approver"] = .string(approver)
        predicate["authors"] = .array(authors.map { .string($0) })
        predicate["layer"] = .string(subject.layer.rawValue)
        predicate["policy"] = ["name": .string(subject.policyName), "version": .string(subject.policyVersion)]
        if let spec = subject.spec { predicate["spec"] = .string(spec) }
        predicate["time"] = .string("\(time)")
        let statement: JSONValue = [
            "_type": .string(Self.type), "predicateType": .string(Self.predicateType),
            "subject": [["name": .string(subject.file), "digest": ["sha256": .string(subject.folderName)]]],
            "predicate": .object(predicate),
        ]
        return (try? CanonicalJSON.encode(statement)) ?? []
    }

    /// Reads a statement of anybody's.
    ///
    /// - Throws: ``ApprovalStatementError`` for all but the very bytes that ``canonicalJSON`` gives: an unknown member
    ///   would be signed and not looked at.
    public init(canonicalJSON bytes: [UInt8]) throws(ApprovalStatementError) {
        guard bytes.count <= ApprovalLimits.statementBytes else {
            throw ApprovalStatementError("\(bytes.count) bytes; at most \(ApprovalLimits.statementBytes) are read")
        }
        let json: JSONValue
        do throws(JSONError) {
            json = try JSONValue.parse(bytes)
        } catch {
            throw ApprovalStatementError("it is not JSON: \(error)")
        }
        guard json["_type"]?.string == Self.type, json["predicateType"]?.string == Self.predicateType else {
            throw ApprovalStatementError("it is no in-toto Statement of type \(Self.predicateType)")
        }
        let predicate = json["predicate"]
        let first = json["subject"]?[0]
        guard let file = first?["name"]?.string, let digits = first?["digest"]?["sha256"]?.string,
            let digest = SnapshotID("sha256:\(digits)"),
            let layer = predicate?["layer"]?.string.flatMap(PolicyLayer.init(rawValue:)),
            let name = predicate?["policy"]?["name"]?.string, let version = predicate?["policy"]?["version"]?.string,
            let approver = predicate?["approver"]?.string, let authors = predicate?["authors"]?.array,
            let time = predicate?["time"]?.string.flatMap({ PolicyTime($0) })
        else { throw ApprovalStatementError("a member is missing, or not what it should be") }
        let subject = ApprovalSubject(
            layer: layer,
            file: file,
            spec: predicate?["spec"]?.string,
            digest: digest,
            policyName: name,
            policyVersion: version
        )
        try self.init(subject, approver: approver, authors: authors.compactMap(\.string), time: time)
        guard canonicalJSON == bytes else {
            throw ApprovalStatementError("it is not in canonical form, or has members that nothing reads")
        }
    }
}

/// Why some bytes are no statement, in a sentence without a full stop.
public struct ApprovalStatementError: Error, Sendable, Hashable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}
