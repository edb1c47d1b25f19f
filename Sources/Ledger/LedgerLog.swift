import Logging

/// Lines for a local log about what goes on below a ledger: waits for other writers, recoveries, side indexes that are
/// made. The modules that do these things know no log; they tell an observer.
public enum LedgerLog {
    private static let writer = Logger(label: "capsule.writer")
    private static let index = Logger(label: "capsule.index")

    /// Waits that are shorter than this are of interest only to who looks for them.
    private static let longWait = Duration.milliseconds(250)

    /// Nil when nobody listens: a writer that is observed reads its note once more when it has to wait.
    static var writerObserver: (@Sendable (WriterNotice) -> Void)? {
        writer.logLevel > .notice ? nil : { @Sendable notice in observe(notice) }
    }

    private static func observe(_ notice: WriterNotice) {
        switch notice {
        case .waiting(let holder):
            writer.debug("waiting for another writer", metadata: holder.map(fields) ?? [:])
        case .waited(let time):
            let level = time < longWait ? Logger.Level.debug : .info
            writer.log(level: level, "waited for another writer", metadata: ["waited": "\(time)"])
        case .recovered(let outcome):
            var metadata: Logger.Metadata = [
                "end": "\(outcome.end)", "bytes_cut": "\(outcome.cutBytes)", "bytes_synced": "\(outcome.syncedBytes)",
            ]
            if let kept = outcome.keptTail { metadata["kept"] = "\(kept)" }
            if outcome.cutBytes > 0 {
                writer.notice("recovered: a write that did not complete was cut off", metadata: metadata)
            } else {
                writer.info("recovered: what was not known to be durable is durable now", metadata: metadata)
            }
        }
    }

    /// What a note says of who writes. It is another's text: what is not such an object stays one value.
    private static func fields(_ holder: String) -> Logger.Metadata {
        guard let members = (try? JSONValue.parse(Array(holder.utf8)))?.object else { return ["holder": "\(holder)"] }
        return members.reduce(into: [:]) { metadata, member in
            metadata["holder_\(member.key)"] = "\(member.value.string ?? member.value.description)"
        }
    }

    /// For `SnapshotIndex`.
    @Sendable public static func observe(_ notice: IndexNotice) {
        switch notice {
        case .created: index.debug("the side index is made; there was none")
        case .remade(.asked): index.info("the side index is made anew", metadata: ["reason": "asked"])
        case .remade(.ofAnotherCapsule):
            index.notice("the side index is made anew", metadata: ["reason": "it is of another capsule or generation"])
        case .remade(.anotherSchema):
            index.info("the side index is made anew", metadata: ["reason": "another version made it"])
        case .remade(.disagrees):
            index.notice("the side index is made anew", metadata: ["reason": "the capsule differs where it ends"])
        case .remade(.damaged(let what)):
            index.notice("the side index is made anew", metadata: ["reason": "damaged", "fault": "\(what)"])
        case .inMemory(let what):
            index.notice("the side index is kept in memory only", metadata: ["reason": "\(what)"])
        }
    }
}
