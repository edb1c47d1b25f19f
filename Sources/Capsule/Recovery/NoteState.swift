/// What stands where the note of a capsule belongs.
public enum NoteState: Equatable, Sendable {
    /// Nothing: damage in the last write would look like a torn tail.
    case none
    /// A note of this capsule and generation.
    case sound(DurableNote)
    /// A note of another capsule, or of another generation of this one.
    case foreign(DurableNote)
    /// A file that is no note. It counts as none, and the next writer writes over it.
    case unreadable(bytes: UInt64)
    /// Something that cannot be opened: a folder, a link, a file of somebody else. Why, in the words of an error.
    case obstacle(String)

    /// Looks beside the capsule at `path`.
    public init(for path: FilePath, header: FileHeader, storage: any Storage = PosixStorage()) {
        let place = DurableNote.path(for: path)
        do throws(StorageError) {
            let file = try storage.open(place, for: .readingNoLink)
            let bytes = try file.bytes(at: 0, count: DurableNote.size)
            guard let note = DurableNote(bytes) else {
                self = .unreadable(bytes: try file.length())
                return
            }
            let isOurs = note.capsule == header.capsule && note.generation == header.generation
            self = isOurs ? .sound(note) : .foreign(note)
        } catch {
            self = error.errno == .noSuchFileOrDirectory ? .none : .obstacle(error.description)
        }
    }
}
