/// What became of an index that a caller does not see in its answers: for a log. See `SnapshotIndex.Observer`.
public enum IndexNotice: Sendable, Equatable {
    /// There was none, and one is made.
    case created
    /// The one that was there is thrown away and made again from the capsule.
    case remade(Reason)
    /// None can be kept beside the capsule: what is in memory is lost with the process. The text says why.
    case inMemory(String)

    public enum Reason: Sendable, Equatable {
        /// A caller wished it.
        case asked
        /// It is of another capsule, or of an earlier generation of this one.
        case ofAnotherCapsule
        /// Another version of this library made it, or its tables are not what they were.
        case anotherSchema
        /// The capsule holds something else where the index ends.
        case disagrees
        /// It cannot be read; the text says what is wrong.
        case damaged(String)
    }
}
