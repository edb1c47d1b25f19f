import Support
import Testing

@testable import Capsule

@Suite struct ReadingTests {
    @Test func aBatchIsReadAtItsOffsetAlone() throws {
        let sample = Sample.plain(runs: 3)
        let capsule = try sample.open()
        let offsets = try sample.boundaries.dropLast().map(UInt64.init)
        var seen: [UInt64] = []
        try capsule.forEachBatch(at: offsets.reversed()) { seen.append($0.offset) }
        #expect(seen == offsets.reversed())
    }

    @Test func anOffsetWhereNoBatchBeginsIsRefused() throws {
        let sample = Sample.plain()
        let capsule = try sample.open()
        let boundaries = try sample.boundaries
        for offset in 8192..<(sample.bytes.count + 200) where !boundaries.dropLast().contains(offset) {
            #expect(throws: CapsuleError(.damaged, ""), "offset \(offset)") {
                try capsule.forEachBatch(at: [UInt64(offset)]) { _ in }
            }
        }
    }

    @Test func anObjectIsFoundInItsBatch() throws {
        let sample = Sample.plain()
        let capsule = try sample.open()
        let offset = UInt64(try sample.boundaries[1])
        #expect(try capsule.object(CapsuleBuilder.policyID, inBatchAt: offset)?.bytes == CapsuleBuilder.policy)
        #expect(try capsule.object(.zero, inBatchAt: offset) == nil)
    }

    @Test func aReaderGoesOnWhenTheFileHasGrown() throws {
        let sample = Sample.plain(runs: 2)
        let capsule = try sample.open()
        let boundaries = try sample.boundaries
        let reader = BatchReader(file: capsule.file, header: capsule.header, limit: UInt64(boundaries[1]))
        for boundary in boundaries.dropFirst() {
            reader.limit = UInt64(boundary)
            #expect(try reader.next { _ in } == .batch)
            #expect(try reader.next { _ in } == .end)
            #expect(reader.position.offset == UInt64(boundary))
        }
    }

    @Test func aVisitorThatThrowsLeavesTheReaderWhereItWas() throws {
        let capsule = try Sample.plain().open()
        let reader = BatchReader(file: capsule.file, header: capsule.header, limit: try capsule.length())
        let before = reader.position
        #expect(throws: CapsuleError(.limitBody, "")) {
            try reader.next { _ in throw CapsuleError(.limitBody, "enough") }
        }
        #expect(reader.position == before)
        #expect(try reader.next { _ in } == .batch)
    }

    @Test func everyBodyComesBackAsItWasGiven() throws {
        let builder = CapsuleBuilder()
        builder.snapshot()
        let run = CapsuleBuilder.run(1)
        let bodies = (0..<40).map { "{\"text\":\"\(String(repeating: "z", count: $0 * $0))\"}" }
        for (index, body) in bodies.enumerated() {
            builder.event(index == 0 ? .runStart : .note, in: run, body: body)
            if index % 7 == 0 { builder.flush() }
        }
        var read: [String] = []
        let report = try Verifier(Sample(bytes: builder.bytes).open()).run(
            event: { _, _, event throws(CapsuleError) in
                if !event.envelope.run.isRunZero {
                    read.append(String(decoding: event.storedBody?.array ?? [], as: UTF8.self))
                }
            })
        #expect(report.verdict == .intact)
        #expect(read == bodies)
    }

    @Test func findingsAreCountedAllAndKeptToALimit() throws {
        let builder = CapsuleBuilder()
        builder.snapshot()
        let run = CapsuleBuilder.run(1)
        builder.event(.runStart, in: run)
        // Actor and cause are wrong in each, and the stage in one: the limit falls between two findings of an event.
        for _ in 0..<700 {
            builder.event(.note, in: run) {
                $0.actor = 77
                $0.causes = [EventReference(run: run, sequence: .max)]
                $0.stage ^= 1
            }
        }
        let report = try Sample(bytes: builder.bytes).verify()
        #expect(report.verdict == .broken)
        #expect(report.findingCount > 1400)
        #expect(report.findings.count <= CapsuleFold.maximumFindings)
        #expect(report.findings.count >= CapsuleFold.maximumFindings - 10)
    }

    @Test func findingsOfABatchThatIsWrongAsAWholeAreNotReported() throws {
        let builder = CapsuleBuilder(compresses: false)
        builder.snapshot()
        builder.event(.runStart, in: CapsuleBuilder.run(1)) { $0.actor = 9 }
        builder.flush()
        var editor = try CapsuleEditor(builder.bytes)
        #expect(try Sample(bytes: editor.assembled()).verify().findings.map(\.code) == [.runActor])
        editor.patchHeader(-1, at: 56, with: [1, 2, 3])
        let report = try Sample(bytes: editor.assembled()).verify()
        #expect(report.error?.code == .rootMismatch)
        #expect(report.findings.isEmpty && report.findingCount == 0)
    }

    @Test func aNoteOnAnyBatchBoundaryIsRightAndBetweenThemWrong() throws {
        for size in 0...6 as ClosedRange<UInt64> {
            let builder = CapsuleBuilder()
            builder.snapshot()
            builder.flush()
            var roots = [UInt64(1): builder.tree.root]
            for number in 1...2 as ClosedRange<UInt8> {
                builder.event(.runStart, in: CapsuleBuilder.run(number))
                builder.event(.note, in: CapsuleBuilder.run(number))
                builder.flush()
                roots[builder.tree.size] = builder.tree.root
            }
            let root = roots[size] ?? builder.tree.root
            builder.object(.note, CheckpointNote(origin: "example.com/ledger", size: size, root: root).bytes)
            let report = try Sample(bytes: builder.bytes).verify()
            #expect(report.findings.map(\.code) == (roots[size] == nil ? [.noteMismatch] : []), "size \(size)")
        }
    }

    @Test func aNoteWithAnotherRootOrOriginIsWrong() throws {
        for (origin, tweak) in [("example.com/ledger", 1), ("example.com/other", 0)] {
            let builder = CapsuleBuilder()
            var root = builder.tree.root.bytes
            root[0] ^= UInt8(tweak)
            builder.object(.note, CheckpointNote(origin: origin, size: 1, root: try #require(Digest(root))).bytes)
            #expect(try Sample(bytes: builder.bytes).verify().findings.map(\.code) == [.noteMismatch])
        }
    }
}
