import Capsule

/// The one who writes: an actor on a thread of its own, which takes turns.
actor CapsuleWriter {
    nonisolated let thread: WriterThread
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }
    nonisolated let random: any RandomSource

    private nonisolated let takesTurnsInCaller: Bool

    private let path: FilePath
    private let storage: any Storage
    private let options: WriterQueue.Options
    private let pending: PendingList
    private let holder: LockHolder
    private let salts: SaltPool
    private(set) var statistics = WriterStatistics()

    /// What belongs to one open file; made anew when the path names another.
    private var session: WriterSession?
    /// The capsule that was opened first: another one under its name is not written to.
    private var known: CapsuleID?
    /// What was durable in which generation: a file that is opened again must not be shorter.
    private var knownGeneration: UInt64 = 0
    private var knownDurable: UInt64 = 0
    private var isClosed = false
    private var isPoisoned = false
    private var holdsLock = false
    /// Whether lookups in an index worked so far.
    private var isIndexTrusted = true

    /// How long the last sync took; nil before the first.
    private var lastSync: Duration?

    /// Bytes of submissions that one turn takes at most.
    private static let turnBytes = 16 << 20
    /// A turn is taken in the caller's thread only if it is short: so few bytes, and a disk on which waking a thread
    /// would cost a good part of the sync.
    private static let shortTurnBytes = 64 << 10

    init(
        _ path: FilePath,
        options: WriterQueue.Options,
        storage: any Storage,
        random: any RandomSource,
        pending: PendingList,
        thread: WriterThread = WriterThread()
    ) throws {
        self.path = path
        self.thread = thread
        self.options = options
        takesTurnsInCaller = options.takesTurnsInCaller
        self.storage = storage
        self.pending = pending
        self.random = random
        salts = SaltPool(random)
        holder = LockHolder(purpose: options.purpose)
    }

    var currentState: CapsuleState { session?.fold.state ?? CapsuleState(capsule: .zero) }

    /// Where the last batch ends that was read or written.
    var end: UInt64 { session?.end ?? 0 }

    /// Opens the file, reads it to its end under the lock, and recovers it if need be.
    func open() throws -> FileHeader {
        let session = try beginTurn()
        let header = session.capsule.header
        known = header.capsule
        statistics.fileLength = session.end
        try endTurn(session)
        return header
    }

    func close() {
        if holdsLock, let session {
            try? session.lock.release()
            holdsLock = false
        }
        if !isPoisoned { session?.finish() }
        session = nil
        isClosed = true
    }

    func follow(_ run: RunID, _ follower: any RunFollower) throws -> UInt32 {
        if isClosed { throw WriteError(.closed, "the queue was closed") }
        if session == nil || session?.fold.state.open[run] == nil {
            // Another process may have started it since the last turn.
            try endTurn(try beginTurn())
        }
        guard let session, let state = session.fold.state.open[run] else {
            guard let ended = session?.fold.state.endedRun(run) else {
                throw WriteError(.unknownRun, "there is no run \(run) in this capsule; 'capsule-tool runs' lists them")
            }
            throw WriteError(.runEnded, "run \(run) has ended with \(ended.events) events; nothing can be added to it")
        }
        session.followers[run] = follower
        return state.next
    }

    /// Takes turns until nothing waits, from the next moment on that the thread is free.
    nonisolated func startDraining() {
        thread.run { [self] in assumeIsolated { $0.drain() } }
    }

    /// Takes a turn for one submission here and now, in the caller's thread, if nobody is before it and the turn is
    /// sure to be short: it waits for nothing but one write and one sync of a fast disk. Nil if it was not taken.
    nonisolated func takeShortTurn(for ticket: Ticket) -> Result<[Receipt], any Error>? {
        guard takesTurnsInCaller, ticket.submission.bytes <= Self.shortTurnBytes,
            ticket.submission.durability != .queued
        else { return nil }
        let box = OutcomeBox()
        _ = thread.runHere {
            assumeIsolated { $0.takeShortTurn(PendingList.Entry(ticket: ticket, waiter: .caller(box))) }
        }
        return box.outcome.withLock { $0 }
    }

    private func takeShortTurn(_ entry: PendingList.Entry) {
        guard !isClosed, !isPoisoned, let lastSync, lastSync < options.shortSync, pending.beginDrain() else { return }
        if let session = beginShortTurn() {
            statistics.turnsInCaller += 1
            turn([entry], in: session).answer(pending)
        }
        if !pending.isDrained() { startDraining() }
    }

    /// The session, locked, if the lock is free and nobody else wrote meanwhile. Whatever is out of the ordinary is
    /// left to `beginTurn`.
    private func beginShortTurn() -> WriterSession? {
        guard let session else { return nil }
        do {
            if !holdsLock { guard try session.lock.tryAcquire() else { return nil } }
            if Mutant.isOn(.shortTurnDoesNotLook) { return session }
            if try session.isStillNamed(), try session.isUpToDate() { return session }
        } catch {
            // The same call fails again in `beginTurn`, which says so.
        }
        if !holdsLock { try? session.lock.release() }
        return nil
    }

    private func drain() {
        guard let entries = pending.take(bytes: Self.turnBytes) else { return }
        take(entries)
        // One turn, then to the end of the line: others wait for the actor too, to close or for statistics.
        startDraining()
    }

    // MARK: A turn

    private func take(_ entries: [PendingList.Entry]) {
        if entries.isEmpty { return }
        do { try turn(entries).answer(pending) } catch { fail(entries, error) }
    }

    /// One turn, from lock to unlock.
    ///
    /// - Throws: what every entry must be told.
    func turn(_ entries: [PendingList.Entry]) throws -> Turn {
        if isClosed { throw WriteError(.closed, "the queue was closed") }
        if isPoisoned { throw WriteError(.poisoned, "an earlier write failed for good; open the capsule again") }
        return turn(entries, in: try beginTurn())
    }

    /// Admits, writes, syncs and unlocks.
    private func turn(_ entries: [PendingList.Entry], in session: WriterSession) -> Turn {
        statistics.turns += 1
        var turn = Turn(session: session, salts: salts)
        for entry in entries { turn.admit(entry) }
        if let failure = session.takeHistoryFailure() {
            // What was asked may have had another answer. Nothing is written yet: read the whole file instead.
            isIndexTrusted = false
            letGo()
            do { return self.turn(entries, in: try beginTurn()) } catch {
                turn.failAll(failure)
                return turn
            }
        }
        finish(&turn)
        statistics.fileLength = session.end
        (knownGeneration, knownDurable) = (session.capsule.header.generation, session.durable)
        do { try endTurn(session) } catch { isPoisoned = true }
        return turn
    }

    /// Writes and syncs what the turn admitted; puts every outcome into the turn.
    private func finish(_ turn: inout Turn) {
        let session = turn.session
        do {
            statistics.bytesWritten += try session.write(&turn)
            statistics.events += UInt64(turn.eventCount)
        } catch {
            do {
                try session.undoWrite(holder: holder.text)
                turn.fail(error)
            } catch let second {
                isPoisoned = true
                let reason = "a write failed (\(error)) and could not be undone (\(second)); open the capsule again"
                turn.fail(WriteError(.outcomeUnknown, reason))
            }
            letGo()
            return
        }
        guard turn.needsSync, !Mutant.isOn(.acknowledgesBeforeSync) else { return }
        do {
            if Mutant.isOn(.signsBeforeDurable), turn.makesCheckpoint { try session.writeCheckpoint() }
            let start = ContinuousClock.now
            let syncs = try session.sync(holder: holder.text)
            if syncs > 0 { lastSync = ContinuousClock.now - start }
            statistics.syncs += syncs
            if turn.makesCheckpoint, !Mutant.isOn(.signsBeforeDurable), try writeCheckpoint(&turn) {
                statistics.syncs += try session.sync(holder: holder.text)
            }
        } catch {
            isPoisoned = true
            let reason =
                "a sync failed (\(error)); whether the events are there is known when the capsule is opened again"
            turn.fail(WriteError(.outcomeUnknown, reason))
        }
    }

    /// Ends a turn whose state is not that of the file: the file is read again before the next one.
    private func letGo() {
        try? session?.lock.release()
        session = nil
        holdsLock = false
    }

    /// Writes the note over what is durable now. Returns false, the callers told, if there was no room for it.
    ///
    /// - Throws: if what the write left could not be cut off again.
    private func writeCheckpoint(_ turn: inout Turn) throws -> Bool {
        do {
            try turn.session.writeCheckpoint()
            return true
        } catch {
            try turn.session.undoWrite(holder: holder.text)
            let reason = "the checkpoint's event is there, and its note could not be written: \(error)"
            turn.failCheckpoints(WriteError(.outcomeUnknown, reason))
            return false
        }
    }

    private func fail(_ entries: [PendingList.Entry], _ error: any Error) {
        for entry in entries {
            if let waiter = entry.waiter {
                waiter.resume(throwing: error)
            } else {
                pending.recordQueuedFailure(error)
            }
        }
    }

    /// Locks, makes sure that the path still names the file, and takes in what others wrote.
    private func beginTurn() throws -> WriterSession {
        for _ in 0..<3 {
            let session = try currentSession()
            let admitsEarly = Mutant.isOn(.admitsBeforeTheLock)
            if admitsEarly { try session.catchUp(holder: holder.text, progress: nil) }
            if !holdsLock { try session.lock.acquire(holder: { session.holderInNote() }) }
            do {
                if try session.isStillNamed() {
                    if !admitsEarly { try session.catchUp(holder: holder.text, progress: options.progress) }
                    session.claimNote(holder: holder.text)
                    holdsLock = options.holdsLock
                    return session
                }
            } catch {
                try? session.lock.release()
                holdsLock = false
                self.session = nil
                throw error
            }
            // The capsule was rewritten, or another file took its name: begin with that one.
            try session.lock.release()
            holdsLock = false
            self.session = nil
        }
        throw WriteError(.replaced, "\(path) is replaced again and again; nothing was written")
    }

    private func currentSession() throws -> WriterSession {
        if let session { return session }
        let opened = try WriterSession(
            path: path,
            storage: storage,
            options: options,
            trustsIndex: isIndexTrusted,
            expecting: known
        )
        if opened.capsule.header.generation == knownGeneration { opened.expect(durable: knownDurable) }
        session = opened
        return opened
    }

    private func endTurn(_ session: WriterSession) throws {
        if !options.holdsLock { try session.lock.release() }
    }
}
