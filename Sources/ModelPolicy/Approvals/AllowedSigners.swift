/// Who may approve: an `allowed_signers` file as ssh-keygen(1) describes it and git uses it.
///
/// A **person** is a set of its lines: those with the same key or the same name belong together, and so do a name and
/// the patterns that match it. *Why: who holds a key can sign under each of its names, so they count once.*
public struct AllowedSigners: Sendable, Hashable {
    /// One line.
    public struct Signer: Sendable, Hashable {
        public var principals: SignerPattern
        /// What the key may sign; nil for anything.
        public var namespaces: SignerPattern?
        public var validAfter: PolicyTime?
        public var validBefore: PolicyTime?
        public var key: SSHPublicKey
        /// From 1.
        public var line: Int
    }

    /// As the file was named to the reader.
    public let file: String
    public let signers: [Signer]
    /// The person of each signer, by index.
    private let persons: [Int]
    /// The names of each in small letters.
    private let folded: [SignerPattern]

    init(file: String, signers: [Signer]) {
        self.file = file
        self.signers = signers
        persons = Self.persons(signers)
        folded = signers.map(\.principals.lowercased)
    }

    /// Finds who signed.
    ///
    /// - Parameters:
    ///   - principal: the name under which they say they did.
    ///   - times: the key must be valid at each.
    /// - Returns: a number of the person and the line that admits them.
    func admit(
        _ key: SSHPublicKey,
        as principal: String,
        namespace: String,
        at times: [PolicyTime]
    ) -> Result<(person: Int, line: Int), ApprovalRefusal.Reason> {
        var nearest = ApprovalRefusal.Reason.unknownSigner
        for (index, signer) in signers.enumerated() where signer.key == key {
            let reason = signer.refuses(principal, namespace, times)
            guard let reason else { return .success((persons[index], signer.line)) }
            if reason.nearness > nearest.nearness { nearest = reason }
        }
        return .failure(nearest)
    }

    /// Why a key does not speak for someone at a time; nil if it does.
    public func refuses(
        _ key: SSHPublicKey,
        as principal: String,
        namespace: String,
        at time: PolicyTime
    ) -> ApprovalRefusal.Reason? {
        switch admit(key, as: principal, namespace: namespace, at: [time]) {
        case .success: nil
        case .failure(let reason): reason
        }
    }

    /// The persons that an author is: those one of whose names or patterns is the author's name or address, whatever
    /// the case of its letters.
    func persons(of author: ApprovalAuthor) -> Set<Int> {
        let names = author.names.map { $0.lowercased() }
        return Set(signers.indices.filter { names.contains(where: folded[$0].matches) }.map { persons[$0] })
    }

    /// The names, without patterns, under which a key is listed.
    public func principals(of key: SSHPublicKey) -> [String] {
        signers.filter { $0.key == key }.flatMap(\.principals.literals)
    }

    private static func persons(_ signers: [Signer]) -> [Int] {
        var groups = Groups(signers.count)
        var byKey: [SSHPublicKey: Int] = [:]
        var byName: [String: Int] = [:]
        for (index, signer) in signers.enumerated() {
            groups.join(index, byKey[signer.key, default: index])
            byKey[signer.key] = index
            for name in signer.principals.literals + signer.principals.wildcards {
                groups.join(index, byName[name.lowercased(), default: index])
                byName[name.lowercased()] = index
            }
        }
        let literals = byName.filter { !SignerPattern.isWild($0.key) }.map { (Array($0.key.utf8), $0.value) }
        for (pattern, index) in byName where SignerPattern.isWild(pattern) {
            let pattern = Array(pattern.utf8)
            for (name, other) in literals where SignerPattern.matches(name, pattern) { groups.join(index, other) }
        }
        return signers.indices.map { groups.leader(of: $0) }
    }
}

extension AllowedSigners.Signer {
    fileprivate func refuses(
        _ principal: String,
        _ namespace: String,
        _ times: [PolicyTime]
    ) -> ApprovalRefusal.Reason? {
        guard principals.matches(principal) else { return .wrongPerson }
        if let namespaces, !namespaces.matches(namespace) { return .namespaceNotAllowed }
        if let validAfter, times.contains(where: { $0 < validAfter }) { return .notYetValid }
        if let validBefore, times.contains(where: { $0 > validBefore }) { return .expired }
        return nil
    }
}

extension ApprovalRefusal.Reason {
    /// How far a key came before it was refused: of several lines, the one that came furthest says why.
    fileprivate var nearness: Int {
        switch self {
        case .unknownSigner: 0
        case .wrongPerson: 1
        case .namespaceNotAllowed: 2
        default: 3
        }
    }
}

/// Disjoint sets of numbers.
private struct Groups {
    private var above: [Int]

    init(_ count: Int) { above = Array(0..<count) }

    mutating func leader(of member: Int) -> Int {
        var member = member
        while above[member] != member {
            above[member] = above[above[member]]
            member = above[member]
        }
        return member
    }

    mutating func join(_ one: Int, _ other: Int) {
        let (first, second) = (leader(of: one), leader(of: other))
        above[max(first, second)] = min(first, second)
    }
}

/// Someone who made a change: `Ada Lovelace <ada@example.com>`, or one of the two.
public struct ApprovalAuthor: Sendable, Hashable, CustomStringConvertible {
    public let description: String

    public init(_ text: String) { description = text }

    /// The name, the address and the whole: each may be how a signer is listed.
    var names: [String] {
        let text = description.trimmed
        guard text.hasSuffix(">"), let open = text.lastIndex(of: "<") else { return text.isEmpty ? [] : [text] }
        let parts = [text[..<open], text[text.index(after: open)...].dropLast()].map { String($0).trimmed }
        return parts.filter { !$0.isEmpty }
    }
}

extension String {
    fileprivate var trimmed: String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        return String(drop(while: isSpace).reversed().drop(while: isSpace).reversed())
    }
}
