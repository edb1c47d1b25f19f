import Crypto
import CryptoExtras

/// A public key as SSH writes it, of a type that approvals are verified with.
public struct SSHPublicKey: Sendable, Hashable {
    /// The key in SSH's wire format. Two keys are the same when these are.
    public let wire: [UInt8]
    let content: Content

    enum Content: Sendable, Hashable {
        case ed25519([UInt8])
        case ecdsa(Curve, point: [UInt8])
        case rsa(exponent: [UInt8], modulus: [UInt8])
    }

    enum Curve: String, Sendable, CaseIterable {
        case p256 = "nistp256"
        case p384 = "nistp384"
        case p521 = "nistp521"

        /// Bytes of a coordinate.
        var size: Int {
            switch self {
            case .p256: 32
            case .p384: 48
            case .p521: 66
            }
        }
    }

    /// Reads a key in wire format.
    ///
    /// - Throws: ``SSHSignatureError``: `malformed`, or `unsupportedKey` for a type that is not verified here: keys
    ///   of security devices (`sk-…`), certificates, DSA.
    public init(wire bytes: [UInt8]) throws(SSHSignatureError) {
        guard bytes.count <= ApprovalLimits.keyBytes else {
            throw .malformed("a public key of \(bytes.count) bytes; at most \(ApprovalLimits.keyBytes) are read")
        }
        var reader = SSHWireReader(bytes)
        guard let type = reader.name() else { throw .malformed("the public key names no type") }
        content = try Self.content(type, &reader)
        guard reader.isAtEnd else { throw .malformed("bytes follow the public key") }
        wire = bytes
    }

    private static func content(_ type: String, _ reader: inout SSHWireReader) throws(SSHSignatureError) -> Content {
        switch type {
        case "ssh-ed25519":
            guard let key = reader.string(), key.count == 32 else { throw .malformed("an Ed25519 key has 32 bytes") }
            return .ed25519(key)
        case "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521":
            guard let curve = Curve(rawValue: String(type.dropFirst("ecdsa-sha2-".count))),
                reader.name() == curve.rawValue, let point = reader.string(), point.count == 1 + 2 * curve.size,
                point[0] == 4
            else { throw .malformed("this is no point of the curve that \(type) names") }
            return .ecdsa(curve, point: point)
        case "ssh-rsa":
            guard let exponent = reader.magnitude(), let modulus = reader.magnitude() else {
                throw .malformed("an RSA key has an exponent and a modulus")
            }
            guard (256...ApprovalLimits.modulusBytes).contains(modulus.count), exponent.count <= 8 else {
                throw .unsupportedKey("an RSA key of \(modulus.count * 8) bits; 2048 to 16384 are verified")
            }
            return .rsa(exponent: exponent, modulus: modulus)
        default: throw .unsupportedKey(unsupported(type))
        }
    }

    private static func unsupported(_ type: String) -> String {
        if type.hasPrefix("sk-") { return "\(type), a key of a security device, which is not verified here" }
        if type.contains("-cert-") { return "\(type), a certificate; keys are listed themselves" }
        return "\(type.prefix(64)); keys are ssh-ed25519, ecdsa-sha2-nistp256, -384 or -521, or ssh-rsa"
    }

    /// `ssh-ed25519` and the like.
    public var type: String {
        switch content {
        case .ed25519: "ssh-ed25519"
        case .ecdsa(let curve, _): "ecdsa-sha2-\(curve.rawValue)"
        case .rsa: "ssh-rsa"
        }
    }

    /// `SHA256:` and Base64, as `ssh-keygen -l` shows it.
    public var fingerprint: String { "SHA256:" + Base64.encode(Array(SHA256.hash(data: wire)), pads: false) }

    public static func == (left: SSHPublicKey, right: SSHPublicKey) -> Bool { left.wire == right.wire }
    public func hash(into hasher: inout Hasher) { hasher.combine(wire) }
}

extension SSHPublicKey {
    /// Reads the line of a public key's file: type, Base64, perhaps a comment.
    ///
    /// - Throws: ``SSHSignatureError``.
    public init(line: String) throws(SSHSignatureError) {
        let fields = line.split(whereSeparator: \.isWhitespace)
        guard fields.count >= 2, let bytes = Base64.decode(fields[1].utf8) else {
            throw .malformed("this is no line of a public key")
        }
        try self.init(wire: bytes)
        guard type == fields[0] else { throw .malformed("the line says \(fields[0].prefix(64)), the key \(type)") }
    }

    /// Whether some bytes were signed with this key.
    ///
    /// - Parameter algorithm: as the signature names it; it must go with the key, and is never SHA-1.
    func verifies(_ signature: [UInt8], of message: [UInt8], algorithm: String) -> Bool {
        switch content {
        case .ed25519(let key):
            guard algorithm == "ssh-ed25519", let key = try? Curve25519.Signing.PublicKey(rawRepresentation: key)
            else { return false }
            return signature.count == 64 && key.isValidSignature(signature, for: message)
        case .ecdsa(let curve, let point):
            guard algorithm == "ecdsa-sha2-\(curve.rawValue)", let raw = Self.rawECDSA(signature, curve)
            else { return false }
            return Self.verifies(raw, message, curve, point)
        case .rsa(let exponent, let modulus):
            guard signature.count == modulus.count, let key = try? _RSA.Signing.PublicKey(n: modulus, e: exponent)
            else { return false }
            let signature = _RSA.Signing.RSASignature(rawRepresentation: signature)
            switch algorithm {
            case "rsa-sha2-256":
                return key.isValidSignature(signature, for: SHA256.hash(data: message), padding: .insecurePKCS1v1_5)
            case "rsa-sha2-512":
                return key.isValidSignature(signature, for: SHA512.hash(data: message), padding: .insecurePKCS1v1_5)
            default: return false
            }
        }
    }

    /// Two numbers of SSH's as the fixed widths that the library takes.
    private static func rawECDSA(_ signature: [UInt8], _ curve: Curve) -> [UInt8]? {
        var reader = SSHWireReader(signature)
        var raw: [UInt8] = []
        for _ in 0..<2 {
            guard let number = reader.magnitude(), number.count <= curve.size else { return nil }
            raw += [UInt8](repeating: 0, count: curve.size - number.count) + number
        }
        return reader.isAtEnd ? raw : nil
    }

    private static func verifies(_ raw: [UInt8], _ message: [UInt8], _ curve: Curve, _ point: [UInt8]) -> Bool {
        switch curve {
        case .p256:
            guard let key = try? P256.Signing.PublicKey(x963Representation: point),
                let signature = try? P256.Signing.ECDSASignature(rawRepresentation: raw)
            else { return false }
            return key.isValidSignature(signature, for: SHA256.hash(data: message))
        case .p384:
            guard let key = try? P384.Signing.PublicKey(x963Representation: point),
                let signature = try? P384.Signing.ECDSASignature(rawRepresentation: raw)
            else { return false }
            return key.isValidSignature(signature, for: SHA384.hash(data: message))
        case .p521:
            guard let key = try? P521.Signing.PublicKey(x963Representation: point),
                let signature = try? P521.Signing.ECDSASignature(rawRepresentation: raw)
            else { return false }
            return key.isValidSignature(signature, for: SHA512.hash(data: message))
        }
    }
}
