import Support
import Testing

@testable import Capsule

@Suite struct CopyTests {
    private static let old: FilePath = "d/old.cpsl"
    private static let new: FilePath = "d/new.cpsl"

    /// A leaf of a run other than run zero.
    private struct Leaf: Hashable {
        var event: EventReference
        var hash: Digest
    }

    private struct Copied {
        var report: CopyReport
        var leaves: [Leaf]
        var runZero: [EventType]
    }

    private func header() throws -> FileHeader {
        let id = CapsuleID(words: (1, 2))
        return try FileHeader(capsule: id, created: CapsuleBuilder.start, origin: "example.com/copy")
    }

    /// Copies a capsule, checks that the old file is as it was and that the new one verifies, and reads it.
    private func copy(
        _ bytes: [UInt8],
        _ purpose: CapsuleCopy.Purpose = .salvage,
        knownDurable: UInt64? = nil
    ) throws -> Copied {
        let storage = MemoryStorage()
        storage.put(bytes, at: Self.old)
        defer { #expect(storage.contents(of: Self.old) == bytes) }
        let report = try CapsuleCopy.run(
            from: CapsuleFile(Self.old, storage: storage),
            to: Self.new,
            header: header(),
            purpose: purpose,
            knownDurable: knownDurable,
            createBody: Array("{}".utf8),
            storage: storage,
            random: CountingRandom()
        ) { _ in ([], Array("{}".utf8)) }
        #expect(try storage.names(in: "d").count == 2, "nothing but the two capsules is left")
        let read = try read(Self.new, storage)
        return Copied(report: report, leaves: read.leaves, runZero: read.runZero)
    }

    private func read(_ path: FilePath, _ storage: MemoryStorage) throws -> (leaves: [Leaf], runZero: [EventType]) {
        var leaves: [Leaf] = []
        var runZero: [EventType] = []
        let report = try Verifier(CapsuleFile(path, storage: storage)).run(event: { _, hash, event in
            if event.envelope.run.isRunZero {
                runZero.append(event.envelope.type)
            } else {
                leaves.append(Leaf(event: event.envelope.reference, hash: hash))
            }
        })
        #expect(report.verdict == .intact && report.findings.isEmpty)
        return (leaves, runZero)
    }

    private func leaves(of bytes: [UInt8]) throws -> [Leaf] {
        let storage = MemoryStorage()
        storage.put(bytes, at: Self.old)
        return try read(Self.old, storage).leaves
    }

    /// Runs in batches of their own, with a note, a blob and a withheld body between them.
    private func sample() -> [UInt8] {
        let builder = CapsuleBuilder()
        builder.snapshot()
        builder.sync()
        builder.plainRun(1)
        builder.sync()
        builder.object(.document, Array("a document".utf8))
        builder.sync()
        let run = CapsuleBuilder.run(2)
        builder.event(.runStart, in: run)
        builder.addWithheld(.note, in: run, commitment: CapsuleBuilder.policyID)
        let blob = builder.blob(Array("content".utf8), salt: [UInt8](repeating: 7, count: 16))
        builder.sync()
        builder.blobEvent(blob, in: run)
        builder.event(.runEnd, in: run)
        builder.sync()
        builder.plainRun(3)
        return builder.bytes
    }

    @Test func aSoundCapsuleIsCopiedWhole() throws {
        let bytes = sample()
        let copied = try copy(bytes)
        #expect(copied.report.isComplete && copied.report.runs == 3)
        #expect(try copied.leaves == leaves(of: bytes))
        #expect(copied.runZero == [.registered(.capsuleCreate), .registered(.capsuleSalvage)])
    }

    @Test func everyVectorGivesACapsuleThatVerifiesOrNone() throws {
        for vector in try Vectors.all() {
            guard let copied = try? copy(vector.bytes) else {
                #expect(vector.status != "ok" && vector.status != "torn-tail", "\(vector.name)")
                continue
            }
            #expect(copied.report.isComplete || vector.status != "ok", "\(vector.name)")
        }
    }

    @Test func whateverByteIsChangedWhatIsCopiedWasThereAndWhatIsMissingIsSaid() throws {
        let bytes = sample()
        let all = try leaves(of: bytes)
        let genuine = Set(all)
        for place in Int(FileHeader.size)..<bytes.count {
            var changed = bytes
            changed[place] ^= 0x41
            let copied = try copy(changed, knownDurable: UInt64(bytes.count))
            #expect(genuine.isSuperset(of: copied.leaves), "byte \(place)")
            #expect(!copied.report.isComplete, "byte \(place)")
        }
    }

    @Test func whereverTheFileIsCutTheBeginningIsCopiedAndTheLossSaid() throws {
        let bytes = sample()
        let all = try leaves(of: bytes)
        for length in Int(FileHeader.size)..<bytes.count {
            let copied = try copy(Array(bytes[..<length]), knownDurable: UInt64(bytes.count))
            #expect(copied.leaves[...] == all.prefix(copied.leaves.count), "\(length) bytes")
            #expect(!copied.report.isComplete, "\(length) bytes")
        }
    }

    @Test func aTornWriteIsNoLoss() throws {
        let bytes = sample()
        let copied = try copy(Array(bytes.dropLast(3)))
        #expect(copied.report.isComplete && copied.report.tornBytes > 0 && copied.leaves.count == 8)
    }

    @Test func behindUnreadableObjectsReadingGoesOnBecauseNoLeafIsMissing() throws {
        let bytes = sample()
        let place = try #require(bytes.firstRange(of: Array("a document".utf8))).lowerBound
        var changed = bytes
        changed[place] = UInt8(ascii: "A")
        let copied = try copy(changed)
        #expect(try copied.leaves == leaves(of: bytes))
        #expect(copied.report.losses.map(\.kind) == [.unreadable])
    }

    @Test func behindALostEventNothingIsProvedAndTheReportSaysWhatIsThere() throws {
        let bytes = sample()
        let place = try #require(bytes.firstRange(of: Array("first".utf8))).lowerBound
        var changed = bytes
        changed[place] ^= 1
        let copied = try copy(changed)
        #expect(copied.leaves.isEmpty)
        #expect(copied.report.losses.map(\.kind) == [.unreadable, .unproved])
        let unproved = copied.report.losses[1]
        #expect(unproved.events == 8 && unproved.runs.map(\.run) == [CapsuleBuilder.run(2), CapsuleBuilder.run(3)])
        #expect(unproved.runs.map(\.last) == [3, 3])
    }

    @Test func aRunThatBreaksARuleIsCopiedUpToThere() throws {
        let builder = CapsuleBuilder()
        builder.snapshot()
        builder.plainRun(1)
        let run = CapsuleBuilder.run(2)
        builder.event(.runStart, in: run)
        builder.event(.note, in: run)
        builder.event(.note, in: run) { $0.sequence = 9 }
        builder.event(.note, in: run)
        builder.plainRun(3)
        let copied = try copy(builder.bytes)
        #expect(copied.leaves.filter { $0.event.run == run }.count == 2)
        #expect(copied.leaves.count == 10)
        #expect(copied.report.losses.map(\.kind) == [.broken])
    }

    @Test func anAdoptedCopyHoldsEveryEventAndSaysItsNewOrigin() throws {
        let bytes = sample()
        let copied = try copy(bytes, .adopt)
        #expect(try copied.leaves == leaves(of: bytes))
        #expect(copied.runZero == [.registered(.capsuleCreate), .registered(.capsuleAdopt)])
        #expect(copied.report.newSize == copied.report.provedSize + 1)
    }

    @Test func onlyASoundCapsuleIsAdopted() throws {
        var bytes = sample()
        bytes[bytes.count - 200] ^= 1
        let error = #expect(throws: CapsuleError.self) { try copy(bytes, .adopt, knownDurable: UInt64(bytes.count)) }
        #expect(error?.code == .damaged)
    }

    @Test func aNameThatIsTakenIsLeftAlone() throws {
        let storage = MemoryStorage()
        storage.put(sample(), at: Self.old)
        storage.put([1, 2, 3], at: Self.new)
        let error = #expect(throws: StorageError.self) {
            try CapsuleCopy.run(
                from: CapsuleFile(Self.old, storage: storage),
                to: Self.new,
                header: header(),
                purpose: .salvage,
                storage: storage
            ) { _ in ([], []) }
        }
        #expect(error?.errno == .fileExists && storage.contents(of: Self.new) == [1, 2, 3])
    }

    @Test(arguments: [CapsuleCopy.Purpose.salvage, .adopt])
    func contentsAreSyncedBeforeTheNameAndTheNameAfterIt(_ purpose: CapsuleCopy.Purpose) throws {
        let memory = MemoryStorage()
        memory.put(sample(), at: Self.old)
        let storage = ObservedStorage(memory)
        _ = try CapsuleCopy.run(
            from: CapsuleFile(Self.old, storage: storage),
            to: Self.new,
            header: header(),
            purpose: purpose,
            createBody: Array("{}".utf8),
            storage: storage
        ) { _ in ([], Array("{}".utf8)) }
        let operations = storage.calls.map(\.operation)
        #expect(operations.suffix(5) == [.write, .sync, .link, .remove, .syncDirectory])
        #expect(storage.calls(.syncDirectory).map(\.path) == ["d"])
    }
}
