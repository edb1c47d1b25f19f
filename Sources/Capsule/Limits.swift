/// The limits of format version 1, as `spec/format.md` section 12 states them. Each has a name, a number and an error.
public enum Limits {
    /// Bytes of a batch's body before compression.
    public static let batchBytes = 4_194_304
    /// Frames in one batch.
    public static let batchFrames = 65_535
    /// Bytes of a body that stands in its event's frame; a larger one is stored as a blob.
    public static let inlineBodyBytes = 262_144
    /// Bytes of a body at all.
    public static let bodyBytes = 67_108_864
    /// Bytes of every chunk of a blob but the last.
    public static let chunkBytes = 1_048_576
    /// Bytes of a snapshot, a document, a checkpoint note or a foreign proof.
    public static let objectBytes = 1_048_576
    /// UTF-8 bytes of an origin.
    public static let originBytes = 255
    /// ASCII bytes of a type name.
    public static let typeNameBytes = 128
    /// UTF-8 bytes of a key, a run's name, an actor's name, a stage's name or a label.
    public static let nameBytes = 256
    /// Labels of one run.
    public static let labels = 32
    /// Causes of one event.
    public static let causes = 8
    /// Events in one run.
    public static let runEvents = UInt32.max
    /// Runs that may be open at the same time.
    public static let openRuns = 65_536
    /// Keys and actors that an open run may have.
    public static let runKeys = 1_048_576
    /// Bytes that may wait in a writer before `append` waits for room.
    public static let waitingBytes = 67_108_864
    /// Size in bytes at which tools begin to warn.
    public static let warnFileBytes: UInt64 = 5_000_000_000
    /// Bytes of a capsule's file name: those beside it are up to 37 bytes longer, and a file system takes 255.
    public static let fileNameBytes = 200
    /// Torn tails that are kept beside a capsule.
    public static let keptTails = 16
}
