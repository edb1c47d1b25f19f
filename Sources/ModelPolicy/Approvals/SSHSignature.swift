import Crypto

/// A detached signature as `ssh-keygen -Y sign` writes it: SSHSIG, described in OpenSSH's `PROTOCOL.sshsig`.
///
/// Reading checks the form alone; ``verify(_:namespace:)`` checks the signature; whose key it is says
/// ``AllowedSigners``. What is accepted here `ssh-keygen -Y verify` accepts too. The reverse does not hold: keys of
/// security devices and certificates are refused, by name.
public struct SSHSignature: Sendable, Hashable {
    /// The key that made the signature, as the signature itself says: trusted only when a list of signers has it.
    public let key: SSHPublicKey
    /// What the signature is for, so that none is taken for another: a signed commit approves no policy.
    public let namespace: String
    let hash: HashAlgorithm
    private let reserved: [UInt8]
    private let algorithm: String
    private let signature: [UInt8]

    enum HashAlgorithm: String, Sendable, CaseIterable {
        case sha256
        case sha512

        func digest(_ bytes: [UInt8]) -> [UInt8] {
            switch self {
            case .sha256: Array(SHA256.hash(data: bytes))
            case .sha512: Array(SHA512.hash(data: bytes))
            }
        }
    }

    private static let magic = Array("SSHSIG".utf8)
    private static let begin = Array("-----BEGIN SSH SIGNATURE-----".utf8)
    private static let end = Array("-----END SSH SIGNATURE-----".utf8)

    /// Reads the text of a `.sig` file.
    ///
    /// Nothing may stand before the first line, nothing but ends of lines after the last, and lines end in LF alone:
    /// OpenSSH takes no others.
    ///
    /// - Throws: ``SSHSignatureError``.
    public init(armoured text: [UInt8]) throws(SSHSignatureError) {
        guard text.count <= ApprovalLimits.signatureBytes else {
            throw .malformed("\(text.count) bytes; a signature has at most \(ApprovalLimits.signatureBytes)")
        }
        guard !text.contains(0x0D) else {
            throw .malformed("its lines end in CRLF; give *.sig the attribute `-text` in .gitattributes")
        }
        var lines = text.split(separator: 0x0A, omittingEmptySubsequences: false)
        while lines.last?.isEmpty == true { lines.removeLast() }
        guard lines.count > 2, lines.removeFirst().elementsEqual(Self.begin) else {
            throw .malformed("it does not begin with -----BEGIN SSH SIGNATURE-----")
        }
        guard lines.removeLast().elementsEqual(Self.end) else {
            throw .malformed("it does not end with -----END SSH SIGNATURE-----")
        }
        guard let blob = Base64.decode(lines.joined()) else { throw .malformed("it is not Base64") }
        try self.init(blob: blob)
    }

    /// Reads the bytes that the armour holds.
    ///
    /// - Throws: ``SSHSignatureError``.
    public init(blob: [UInt8]) throws(SSHSignatureError) {
        var reader = SSHWireReader(blob)
        guard reader.take(Self.magic.count).map({ $0.elementsEqual(Self.magic) }) ?? false else {
            throw .malformed("it is no SSHSIG")
        }
        guard reader.number() == 1 else { throw .malformed("it is not of version 1") }
        guard let key = reader.string(), let namespace = reader.name(), let reserved = reader.string(),
            let hash = reader.name(), let signature = reader.string(), reader.isAtEnd
        else { throw .malformed("its fields are not those of an SSHSIG") }
        guard !namespace.isEmpty, namespace.utf8.count <= ApprovalLimits.nameBytes else {
            throw .malformed("its namespace has \(namespace.utf8.count) bytes, not 1 to \(ApprovalLimits.nameBytes)")
        }
        guard let hash = HashAlgorithm(rawValue: hash) else { throw .unsupportedHash(String(hash.prefix(64))) }
        self.key = try SSHPublicKey(wire: key)
        var inner = SSHWireReader(signature)
        guard let algorithm = inner.name(), let bytes = inner.string(), inner.isAtEnd else {
            throw .malformed("its signature names no algorithm")
        }
        (self.namespace, self.hash, self.reserved) = (namespace, hash, reserved)
        (self.algorithm, self.signature) = (algorithm, bytes)
    }

    /// Checks that the key of the signature signed a message.
    ///
    /// - Throws: ``SSHSignatureError``: `wrongNamespace` or `tampered`.
    public func verify(_ message: [UInt8], namespace expected: String) throws(SSHSignatureError) {
        guard namespace == expected else { throw .wrongNamespace(namespace) }
        let signed =
            Self.magic + SSHWire.string(Array(namespace.utf8)) + SSHWire.string(reserved)
            + SSHWire.string(Array(hash.rawValue.utf8)) + SSHWire.string(hash.digest(message))
        guard key.verifies(signature, of: signed, algorithm: algorithm) else { throw .tampered }
    }
}

/// Why a signature is not taken.
public enum SSHSignatureError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The bytes are no signature or no key, with what is wrong.
    case malformed(String)
    /// A type of key that is not verified here, with which.
    case unsupportedKey(String)
    /// Neither SHA-256 nor SHA-512.
    case unsupportedHash(String)
    /// Made for something else.
    case wrongNamespace(String)
    /// The key did not sign these bytes.
    case tampered

    /// In a sentence without a full stop.
    public var description: String {
        switch self {
        case .malformed(let reason): "this is no SSH signature: \(reason)"
        case .unsupportedKey(let type): "the key is \(type)"
        case .unsupportedHash(let name): "the hash is `\(name)`; sha256 and sha512 are verified"
        case .wrongNamespace(let name): "it was signed for `\(name)`, not `\(ApprovalStatement.namespace)`"
        case .tampered: "the signature is not of this statement: one of the two was changed"
        }
    }
}

/// What bounds approvals, so that hostile files cost little. Numbers are those of `spec/policy.md`.
public enum ApprovalLimits {
    /// The longest file of a signature.
    public static let signatureBytes = 16_384
    /// The longest public key in SSH's wire format.
    public static let keyBytes = 4_096
    /// The longest modulus of an RSA key.
    public static let modulusBytes = 2_048
    /// The longest name of an approver, an author or a namespace.
    public static let nameBytes = 256
    /// The longest statement.
    public static let statementBytes = 65_536
    /// How many approvals a policy can require.
    public static let required = 100
    /// How many approvals of one layer are looked at.
    public static let approvals = 200
    /// How many authors a statement names, and how many of a change are looked at.
    public static let authors = 1_000
    /// The longest `allowed_signers` file.
    public static let signersBytes = 1 << 20
    /// How many lines an `allowed_signers` file has.
    public static let signersLines = 10_000
    /// How many signers it lists.
    public static let signers = 1_000
    /// How many names its lines have in all.
    public static let patterns = 2_000
    /// How many of these have wildcards.
    public static let wildcards = 100
    /// How many seconds the clock of an approver may be ahead.
    public static let clockSeconds: Int64 = 300
}
