extension JSONValue {
    /// One key of an object and its value.
    public struct Member: Sendable, Equatable {
        /// The key.
        public let key: String
        /// The value.
        public var value: JSONValue

        public init(key: String, value: JSONValue) {
            self.key = key
            self.value = value
        }

        /// Whether two members write the same text.
        public static func == (left: Member, right: Member) -> Bool {
            left.key.utf8.elementsEqual(right.key.utf8) && left.value == right.value
        }
    }

    /// The members of an object in their order, no key twice.
    ///
    /// Small objects are searched from front to back; past ``indexedCount`` members a hash table is kept, so that a
    /// hostile object with a hundred thousand keys takes no quadratic time to read.
    public struct Members: Sendable {
        private var members: [Member] = []
        private var index: [ExactKey: Int] = [:]

        /// How many members are searched without a hash table; hashing costs more than it saves below this.
        private static let indexedCount = 16

        /// No members.
        public init() {}

        /// The value of a key.
        ///
        /// Setting a key that is there replaces its value in place, setting a new one appends it, and setting nil
        /// removes the member, in time proportional to the number of members.
        public subscript(key: String) -> JSONValue? {
            get {
                position(of: key).map { members[$0].value }
            }
            set {
                switch (position(of: key), newValue) {
                case (let position?, let value?): members[position].value = value
                case (let position?, nil): remove(at: position)
                case (nil, let value?): insert(Member(key: key, value: value))
                case (nil, nil): break
                }
            }
        }

        /// Appends a member unless its key is there already.
        ///
        /// - Returns: whether the member was appended.
        @discardableResult
        public mutating func append(_ key: String, _ value: JSONValue) -> Bool {
            guard position(of: key) == nil else { return false }
            insert(Member(key: key, value: value))
            return true
        }

        /// Whether there is a member with this key.
        public func containsKey(_ key: String) -> Bool {
            position(of: key) != nil
        }

        private func position(of key: String) -> Int? {
            guard index.isEmpty else { return index[ExactKey(key)] }
            // That two strings differ is seen quickly by `==`; those that are only canonically equal must not count.
            return members.firstIndex { member in
                member.key.utf8.count == key.utf8.count && member.key == key
                    && member.key.utf8.elementsEqual(key.utf8)
            }
        }

        /// Appends a member whose key is known not to be there.
        mutating func insert(_ member: Member) {
            members.append(member)
            if !index.isEmpty {
                index[ExactKey(member.key)] = members.count - 1
            } else if members.count > Self.indexedCount {
                rebuildIndex()
            }
        }

        private mutating func remove(at position: Int) {
            members.remove(at: position)
            rebuildIndex()
        }

        private mutating func rebuildIndex() {
            index.removeAll()
            guard members.count > Self.indexedCount else { return }
            for (position, member) in members.enumerated() {
                index[ExactKey(member.key)] = position
            }
        }
    }
}

extension JSONValue.Members: RandomAccessCollection {
    public var startIndex: Int { members.startIndex }
    public var endIndex: Int { members.endIndex }

    /// The member at a position; traps, as an array does, outside `indices`.
    public subscript(position: Int) -> JSONValue.Member { members[position] }
}

extension JSONValue.Members: Equatable {
    /// Whether both hold the same members in the same order.
    public static func == (left: Self, right: Self) -> Bool {
        left.members == right.members
    }
}

/// A key compared by its scalars: `String` would take two spellings of one accented letter for the same key.
private struct ExactKey: Hashable {
    let text: String

    init(_ text: String) {
        self.text = text
    }

    static func == (left: ExactKey, right: ExactKey) -> Bool {
        left.text.utf8.elementsEqual(right.text.utf8)
    }

    func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
