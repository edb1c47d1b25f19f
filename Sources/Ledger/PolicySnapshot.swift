/// A compiled policy: canonical JSON, known by the SHA-256 of its bytes.
public struct PolicySnapshot: Sendable, Equatable {
    public let id: Digest
    public let bytes: [UInt8]

    /// Takes bytes that are canonical JSON (RFC 8785) and an object, wherever they were compiled.
    ///
    /// - Throws: `LedgerError.snapshotInvalid`.
    public init(canonicalJSON bytes: [UInt8]) throws(LedgerError) {
        guard bytes.count <= Limits.objectBytes else {
            throw LedgerError(
                .snapshotInvalid,
                "a snapshot has at most \(Limits.objectBytes) bytes; this one has \(bytes.count)"
            )
        }
        do throws(JSONError) {
            try CanonicalJSON.check(bytes)
        } catch {
            throw LedgerError(
                .snapshotInvalid,
                "a snapshot is canonical JSON (RFC 8785), which this is not: \(error); "
                    + "'capsule-tool snapshot canonicalize FILE' writes it so"
            )
        }
        guard bytes.first == UInt8(ascii: "{") else {
            throw LedgerError(.snapshotInvalid, "a snapshot is a JSON object")
        }
        self.bytes = bytes
        id = Hashing.sha256(bytes)
    }

    /// The text form of the ID: `sha256:` and 64 hexadecimal digits.
    public static func text(_ id: Digest) -> String { "sha256:\(id.hex)" }

    /// Name and version as the policy gives them under `policy`, for showing to people.
    public var title: String? { Self.title(ofPolicy: bytes) }

    static func title(ofPolicy bytes: [UInt8]) -> String? {
        guard let value = try? JSONValue.parse(bytes), let name = value["policy"]?["name"]?.string else { return nil }
        return value["policy"]?["version"]?.string.map { "\(name) \($0)" } ?? name
    }
}

extension PolicySnapshot {
    /// Reads the text form of an ID back; nil for anything else.
    public static func digest(text: String) -> Digest? {
        text.hasPrefix("sha256:") ? Digest(hex: text.dropFirst(7)) : nil
    }
}
