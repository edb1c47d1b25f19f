/// A rule that a test breaks, to show that the crash harness notices.
///
/// Only code of this package can set one: no public name, argument or environment variable leads here. Each is looked
/// at in a place that a turn passes once or twice, and costs a load there.
package struct Mutant: OptionSet, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let acknowledgesBeforeSync = Mutant(rawValue: 1 << 0)
    package static let hasNoBodyChecksum = Mutant(rawValue: 1 << 1)
    package static let checksumIgnoresOffset = Mutant(rawValue: 1 << 2)
    package static let recoveryDoesNotCut = Mutant(rawValue: 1 << 3)
    package static let headersAreNotChained = Mutant(rawValue: 1 << 4)
    package static let recoveryDoesNotRewrite = Mutant(rawValue: 1 << 5)
    package static let retriesAFailedSync = Mutant(rawValue: 1 << 6)
    package static let ignoresAShortWrite = Mutant(rawValue: 1 << 7)
    package static let directoriesAreNotSynced = Mutant(rawValue: 1 << 8)
    package static let signsBeforeDurable = Mutant(rawValue: 1 << 9)
    package static let noteLeads = Mutant(rawValue: 1 << 10)
    package static let readersDoNotSync = Mutant(rawValue: 1 << 11)
    package static let headerClaimsItsOwnBytes = Mutant(rawValue: 1 << 12)
    package static let damageIsTakenForATornTail = Mutant(rawValue: 1 << 13)
    package static let acceptsALargerCheckpoint = Mutant(rawValue: 1 << 14)
    package static let admitsBeforeTheLock = Mutant(rawValue: 1 << 15)
    package static let readersTrustASyncAfterOneFailed = Mutant(rawValue: 1 << 16)
    package static let recoveryDoesNotSyncTheName = Mutant(rawValue: 1 << 17)
    package static let tornTailIsNotKept = Mutant(rawValue: 1 << 18)
    package static let shortTurnDoesNotLook = Mutant(rawValue: 1 << 19)

    /// Those that are on. Set it before anything is opened, in a process of its own: it is not synchronized.
    package nonisolated(unsafe) static var active: Mutant = []

    /// Whether a rule is broken on purpose.
    package static func isOn(_ mutant: Mutant) -> Bool { !active.isDisjoint(with: mutant) }
}
