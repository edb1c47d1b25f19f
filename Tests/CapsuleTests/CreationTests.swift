import Foundation
import Support
import Synchronization
import Testing

@testable import Capsule

@Suite struct CreationTests {
    private let header = CapsuleBuilder.plainHeader()
    private let body = Array("{}".utf8)

    private func create(_ path: FilePath, in storage: any Storage, body: [UInt8]? = nil) throws {
        try CapsuleFile.create(path, header: header, body: body ?? self.body, storage: storage)
    }

    @Test func aNewCapsuleIsIntactAndHoldsOneEvent() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("a.cpsl")
        let report = try Verifier(CapsuleFile.create(path, header: header, body: body)).run()
        #expect(report.verdict == .intact && report.treeSize == 1 && report.batches == 1)
        #expect(try folder.names == ["a.cpsl"])
    }

    @Test func theSameRandomnessGivesTheSameBytes() throws {
        let storage = MemoryStorage()
        for path in ["a.cpsl", "b.cpsl"] as [FilePath] {
            try CapsuleFile.create(path, header: header, body: body, storage: storage, random: CountingRandom())
        }
        #expect(storage.contents(of: "a.cpsl") == storage.contents(of: "b.cpsl"))
    }

    @Test func aNameThatIsTakenIsLeftAlone() throws {
        let folder = try TemporaryFolder()
        try Data("mine".utf8).write(to: folder.url("a.cpsl"))
        do {
            try create(folder.path("a.cpsl"), in: PosixStorage())
            Issue.record("it was replaced")
        } catch let error as StorageError {
            #expect(error.errno == .fileExists)
        }
        #expect(try Data(contentsOf: folder.url("a.cpsl")) == Data("mine".utf8))
        #expect(try folder.names == ["a.cpsl"])
    }

    @Test func aNameThatLeavesNoRoomForThoseBesideItIsRefused() throws {
        let folder = try TemporaryFolder()
        try create(folder.path(String(repeating: "a", count: Limits.fileNameBytes)), in: PosixStorage())
        #expect(throws: CapsuleError(.limitName, "")) {
            try create(folder.path(String(repeating: "a", count: Limits.fileNameBytes + 1)), in: PosixStorage())
        }
        #expect(try folder.names.count == 1)
    }

    @Test func whatAKilledMakerLeftIsClearedAwayByTheNext() throws {
        let folder = try TemporaryFolder()
        let stale = "a.cpsl.new-" + String(repeating: "0", count: 32)
        let held = "a.cpsl.new-" + String(repeating: "1", count: 32)
        for name in [stale, held, "a.cpsl.new-1", "b.cpsl.new-" + String(repeating: "0", count: 32)] {
            try Data("half".utf8).write(to: folder.url(name))
        }
        let maker = try PosixStorage().open(folder.path(held), for: .reading)
        #expect(try maker.tryLock(.exclusive))
        #expect(Leftovers.names(beside: folder.path("a.cpsl")) == [stale])
        try create(folder.path("a.cpsl"), in: PosixStorage())
        let names = try folder.names
        #expect(names.contains(held) && !names.contains(stale) && names.contains("a.cpsl.new-1") && names.count == 4)
        #expect(try PosixStorage().open(folder.path("a.cpsl"), for: .reading).tryLock(.exclusive))
        try maker.unlock()
    }

    @Test func ofManyWhoCreateAtOnceOneWinsAndTheOthersAreTold() async throws {
        for round in 0..<10 {
            let folder = try TemporaryFolder()
            let path = folder.path("a.cpsl")
            let outcomes = await withTaskGroup(of: Errno?.self) { group in
                for _ in 0..<6 {
                    group.addTask {
                        do {
                            try create(path, in: PosixStorage())
                            return nil
                        } catch {
                            return (error as? StorageError)?.errno ?? .ioError
                        }
                    }
                }
                return await group.reduce(into: [Errno?]()) { $0.append($1) }
            }
            #expect(outcomes.filter { $0 == nil }.count == 1, "round \(round)")
            #expect(outcomes.filter { $0 == .fileExists }.count == 5, "round \(round)")
            #expect(try folder.names == ["a.cpsl"])
            #expect(try Verifier(CapsuleFile(path)).run().verdict == .intact)
        }
    }

    @Test(arguments: [ObservedStorage.Operation.create, .write, .sync, .link])
    func aFailureLeavesNothingBehind(_ operation: ObservedStorage.Operation) throws {
        let memory = MemoryStorage()
        let storage = ObservedStorage(memory)
        storage.set { call, _ in call.operation == operation ? .error(.noSpace) : nil }
        #expect(throws: StorageError.self) { try create("d/a.cpsl", in: storage) }
        #expect(try memory.names(in: "d") == [])
    }

    @Test func contentsAreSyncedBeforeTheNameAndTheNameAfterIt() throws {
        let storage = ObservedStorage()
        try create("d/a.cpsl", in: storage)
        let operations = storage.calls.map(\.operation).filter { $0 != .write }
        #expect(operations == [.create, .sync, .link, .remove, .syncDirectory])
        #expect(storage.calls(.syncDirectory).map(\.path) == ["d"])
    }

    @Test func shortAndInterruptedWritesAreNotSeen() throws {
        let storage = ObservedStorage()
        storage.set { call, index in
            call.operation != .write ? nil : index % 2 == 0 ? .error(.interrupted) : .short(700)
        }
        try create("a.cpsl", in: storage)
        storage.set(nil)
        #expect(try Verifier(CapsuleFile("a.cpsl", storage: storage)).run().verdict == .intact)
        #expect(storage.calls(.write).count > 20)
    }

    @Test func whatIsCreatedCanBeRead() throws {
        for count in [0, Limits.inlineBodyBytes, Limits.inlineBodyBytes + 1] {
            let storage = MemoryStorage()
            let body = [UInt8](repeating: UInt8(ascii: " "), count: count)
            do {
                try create("a.cpsl", in: storage, body: body)
            } catch let error as CapsuleError {
                #expect(error.code == .limitBody && count > Limits.inlineBodyBytes, "\(count) bytes")
                continue
            }
            let verdict = try Verifier(CapsuleFile("a.cpsl", storage: storage)).run().verdict
            #expect(verdict == .intact, "a body of \(count) bytes")
        }
    }
}
