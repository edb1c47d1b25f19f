import Support
import Testing

@testable import Capsule

@Suite("A second thread that reads ahead changes nothing")
struct ReadAheadTests {
    /// What came of reading: every event, every finding, how and where it ended.
    private struct Reading: Equatable {
        var leaves: [Digest] = []
        var objects: [Digest] = []
        var findings: [Finding] = []
        var ending = ""
        var end = BatchPosition(startOf: CapsuleBuilder.plainHeader())

        init(_ capsule: CapsuleFile, ahead: Bool) throws {
            let fold = CapsuleFold(file: capsule.file, header: capsule.header, limit: try capsule.length())
            if ahead { fold.readAheadInThread() }
            var (leaves, objects): ([Digest], [Digest]) = ([], [])
            do {
                var step = BatchReader.Step.batch
                while step == .batch {
                    step = try fold.next(
                        event: { _, hash, event throws(CapsuleError) in
                            leaves.append(hash)
                            #expect(hash == event.leafHash)
                        },
                        object: { object throws(CapsuleError) in objects.append(object.id) })
                }
                ending = "\(step)"
            } catch {
                ending = "\(error)"
            }
            self.leaves = leaves
            self.objects = objects
            findings = fold.findings
            end = fold.reader.position
        }
    }

    private func check(_ bytes: [UInt8], _ comment: Comment) throws {
        let storage = MemoryStorage()
        storage.put(bytes, at: "v.cpsl")
        guard let capsule = try? CapsuleFile("v.cpsl", storage: storage) else { return }
        #expect(try Reading(capsule, ahead: true) == Reading(capsule, ahead: false), comment)
    }

    private static func capsule() -> [UInt8] {
        let builder = CapsuleBuilder()
        builder.snapshot()
        for number in 1...9 as ClosedRange<UInt8> {
            let run = CapsuleBuilder.run(number)
            builder.event(.runStart, in: run)
            builder.event(.note, in: run, body: nil)
            builder.addWithheld(.note, in: run, commitment: Hashing.sha256([number]))
            for step in 0..<Int(number) { builder.event(.toolCall, in: run, body: "\(step)") }
            builder.event(.runEnd, in: run)
            builder.flush()
        }
        return builder.bytes
    }

    @Test("Every vector, right or wrong, reads the same with it and without")
    func vectors() throws {
        let folder = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
            .appending("spec").appending("vectors")
        let names = try PosixStorage().names(in: folder).filter { $0.hasSuffix(".cpsl") }
        #expect(names.count > 50)
        for name in names {
            let file = try PosixStorage().open(folder.appending(name), for: .reading)
            try check(file.bytes(at: 0, count: Int(file.length())), "\(name)")
        }
    }

    @Test("So does a capsule with any byte damaged, or cut anywhere")
    func damaged() throws {
        let bytes = Self.capsule()
        try check(bytes, "whole")
        for place in stride(from: Int(FileHeader.size), to: bytes.count, by: 7) {
            var damaged = bytes
            damaged[place] ^= 0x10
            try check(damaged, "byte \(place)")
            try check(Array(bytes[..<place]), "cut at \(place)")
        }
    }

    @Test("Batches of any size go from one thread to the other, when either is ahead")
    func large() throws {
        let builder = CapsuleBuilder()
        builder.snapshot()
        let run = CapsuleBuilder.run(1)
        var generator = SeededGenerator(3)
        builder.event(.runStart, in: run)
        // Text that does not compress.
        let pool = (0..<600_000).map { _ in UInt8.random(in: 35...90, using: &generator) }
        for size in [1, 60, 1, 3, 60, 60, 7, 1, 1, 1, 60, 2] {
            for _ in 0..<size {
                let start = Int.random(in: 0..<540_000, using: &generator)
                let body = String(decoding: pool[start..<(start + 60_000)], as: UTF8.self)
                builder.event(.note, in: run, body: "\"\(body)\"")
            }
            builder.flush()
        }
        let bytes = builder.bytes
        #expect(bytes.count > 8 << 20)
        try check(bytes, "large")
    }

    @Test("Who lets a reader go in the middle leaves no thread waiting")
    func abandoned() throws {
        let storage = MemoryStorage()
        storage.put(Self.capsule(), at: "v.cpsl")
        let capsule = try CapsuleFile("v.cpsl", storage: storage)
        weak var file: AnyObject?
        for _ in 0..<50 {
            let limit = try capsule.length()
            let reading = BatchReadAhead(
                file: capsule.file, header: capsule.header, from: BatchPosition(startOf: capsule.header), limit: limit)
            #expect(reading.take() != nil)
            file = reading
        }
        #expect(file == nil)
    }
}
