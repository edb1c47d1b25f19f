import Crypto

/// Which statements and signatures belong together, so that an approval that stands in many places is checked once; and
/// how many more are checked.
///
/// What is known of a statement does not depend on who judges it, nor by which rules.
public struct SignatureChecks: Sendable {
    /// A statement that was read, and the key that signed it.
    struct Signed: Sendable {
        var statement: ApprovalStatement
        var key: SSHPublicKey
    }

    /// So many bytes of statements stand behind what is remembered before all is forgotten.
    static let heldBytes = 16 << 20

    /// So many more are checked.
    public private(set) var left: Int
    /// Whether one was asked for that could not be checked any more.
    public private(set) var isExhausted = false

    private var known: [SHA256Digest: Result<Signed, LayerVerdict.Refused>] = [:]
    private var held = 0

    /// - Parameter atMost: so many different ones are checked; those that come again cost nothing while they are
    ///   remembered.
    public init(atMost: Int = .max) { left = atMost }

    mutating func check(
        _ statement: [UInt8],
        _ signature: [UInt8],
        _ read: () -> Result<Signed, LayerVerdict.Refused>
    ) -> Result<Signed, LayerVerdict.Refused>? {
        var hash = SHA256()
        withUnsafeBytes(of: statement.count.littleEndian) { hash.update(bufferPointer: $0) }
        hash.update(data: statement)
        hash.update(data: signature)
        let name = hash.finalize()
        if let result = known[name] { return result }
        guard left > 0 else {
            isExhausted = true
            return nil
        }
        left -= 1
        if held > Self.heldBytes - min(statement.count, Self.heldBytes) {
            known.removeAll()
            held = 0
        }
        let result = read()
        known[name] = result
        held += statement.count
        return result
    }
}
