@testable import Capsule

extension Vectors {
    // MARK: File headers

    static func headers() throws -> [Vector] {
        let good = plain()
        return [
            Vector("not-a-capsule", "Text.", status: "refused", "not-a-capsule") { Array("{\"not\":\"a capsule\"}\n".utf8) },
            Vector("empty", "No bytes at all.", status: "refused", "not-a-capsule") { [] },
            Vector("text-mode", "A transfer in text mode turned CR LF into LF.", status: "refused", "not-a-capsule") {
                [0x89, 0x43, 0x50, 0x53, 0x4C, 0x0A, 0x1A] + good[8...]
            },
            Vector("newer-format", "A read version that nobody knows yet.", status: "refused", "newer-format") {
                CapsuleEditor.patchFileHeader(good, at: 8, with: [2, 0, 2, 0])
            },
            Vector("newer-write-version", "Written by a newer version that this one can still read.", status: "broken", "header-mismatch") {
                CapsuleEditor.patchFileHeader(created(), at: 10, with: [2, 0])
            },
            Vector("hash-suite", "A hash suite that is not assigned.", status: "refused", "unsupported") {
                CapsuleEditor.patchFileHeader(good, at: 12, with: [2])
            },
            Vector("header-truncated", "The file ends in the first copy of the header.", status: "refused", "header-damaged") {
                Array(good[..<100])
            },
            Vector("second-copy-cut", "The file ends in the second copy of the header.", status: "damaged", "cut-short") {
                Array(good[..<5000])
            },
            Vector("no-batch", "The file ends after its header.", status: "damaged", "cut-short") { Array(good[..<8192]) },
            Vector("first-copy-damaged", "The second copy of the header is read.") { flipped(good, at: 40) },
            Vector("second-copy-damaged", "The first copy of the header is read.") { flipped(good, at: 4096 + 40) },
            Vector("both-copies-damaged", "No copy of the header is intact.", status: "refused", "header-damaged") {
                flipped(flipped(good, at: 40), at: 4096 + 90)
            },
            Vector("copies-differ", "Both copies are intact, and not the same.", status: "refused", "headers-differ") {
                CapsuleEditor.patchFileHeader(good, at: 40, with: [1], copies: [1])
            },
            Vector("header-reserved", "A reserved byte of the header is not zero.", status: "refused", "header-damaged") {
                CapsuleEditor.patchFileHeader(good, at: 700, with: [1])
            },
            Vector("header-origin", "An origin with a space.", status: "refused", "header-damaged") {
                CapsuleEditor.patchFileHeader(good, at: 103, with: [0x20])
            },
            try Vector("header-forged", "Another origin, with all checksums right: run zero names another header.", status: "broken", "header-mismatch") {
                try reseeded(CapsuleEditor.patchFileHeader(good, at: 100, with: Array("e".utf8) + Array("y".utf8)))
            },
        ]
    }

    private static func created() -> [UInt8] {
        // The batch chains to the header's checksum, so a header that is changed needs its batches put together anew.
        var header = CapsuleBuilder.plainHeader()
        header.writeVersion = 2
        let digest = CapsuleBuilder.plainHeader().digest
        let builder = CapsuleBuilder(header: header, created: false)
        var envelope = Envelope(type: .registered(.capsuleCreate), time: CapsuleBuilder.start, run: .zero, snapshot: digest)
        envelope.media = .json
        envelope.bodyKind = .inline
        builder.add(envelope, body: Array("{}".utf8))
        return builder.bytes
    }

    private static func reseeded(_ bytes: [UInt8]) throws -> [UInt8] { try CapsuleEditor(bytes).assembled() }

    // MARK: Where reading ends

    static func tails() throws -> [Vector] {
        let good = plain(runs: 2)
        let places = try offsets(good)
        let last = places[3]
        let header = CapsuleBuilder.plainHeader()
        let note = DurableNote(capsule: header.capsule, generation: 0, durableLength: UInt64(good.count), holder: "{}").encoded
        let otherNote = DurableNote(capsule: header.capsule, generation: 1, durableLength: 1 << 40, holder: "{}").encoded
        return [
            Vector("torn-header", "The last write ends in a batch header.", status: "torn-tail", "torn-tail") { Array(good[..<(last + 60)]) },
            Vector("torn-body", "The last write ends in a batch's body.", status: "torn-tail", "torn-tail") { Array(good[..<(good.count - 5)]) },
            Vector("torn-sectors", "A sector of the last write never came.", status: "torn-tail", "torn-tail") {
                var bytes = good
                for index in (last + 140)..<(last + 180) { bytes[index] = 0 }
                return bytes
            },
            Vector("garbage-at-the-end", "Something that is no batch stands at the end.", status: "torn-tail", "torn-tail") {
                good + Array("garbage".utf8)
            },
            Vector("last-batch-flipped", "A bit of the last batch is flipped; without a note that looks like a torn tail.", status: "torn-tail", "torn-tail") {
                flipped(good, at: last + 150)
            },
            Vector("last-batch-flipped-noted", "The same, and a note which says that it was durable.", status: "damaged", "damaged", note: note) {
                flipped(good, at: last + 150)
            },
            Vector("torn-with-stale-note", "A torn tail, and a note of another generation, which does not count.", status: "torn-tail", "torn-tail", note: otherNote) {
                Array(good[..<(good.count - 5)])
            },
            Vector("zeroed-noted", "The last batch is zeroes, and the note says that it was durable.", status: "damaged", "damaged", note: note) {
                Array(good[..<last]) + [UInt8](repeating: 0, count: good.count - last)
            },
            Vector("cut-noted", "The last batch is cut off, and the note says that it was durable.", status: "damaged", "cut-short", note: note) {
                Array(good[..<last])
            },
            Vector("middle-flipped", "A bit in the middle is flipped; a later header shows that it was durable.", status: "damaged", "damaged") {
                flipped(good, at: places[2] + 140)
            },
            Vector("middle-header-flipped", "A bit of a header in the middle is flipped.", status: "damaged", "damaged") {
                flipped(good, at: places[1] + 33)
            },
            Vector("first-batch-flipped", "Batch 0 was durable before the file had its name.", status: "damaged", "damaged") {
                flipped(Array(good[..<places[1]]), at: places[0] + 130)
            },
            Vector("middle-zeroed", "A batch in the middle is zeroes.", status: "damaged", "damaged") {
                var bytes = good
                for index in places[1]..<places[2] { bytes[index] = 0 }
                return bytes
            },
            try Vector("stale-batch", "Behind the end stands a batch of an earlier life, valid but for the chain.", status: "torn-tail", "torn-tail") {
                try stale()
            },
            Vector("batch-removed", "A batch in the middle was cut out.", status: "torn-tail", "torn-tail") {
                Array(good[..<places[2]]) + good[last...]
            },
            Vector("batch-repeated", "The last batch stands twice.", status: "torn-tail", "torn-tail") { good + good[last...] },
            Vector("other-capsule", "The last batch is of another capsule.", status: "torn-tail", "torn-tail") {
                let other = CapsuleBuilder(header: CapsuleBuilder.plainHeader(generation: 7))
                other.snapshot()
                other.sync()
                other.plainRun(1)
                return Array(good[..<places[2]]) + other.bytes[places[2]...]
            },
        ]
    }

    /// A crash left batch 3 behind batch 2 of its time; a shorter history was written over batch 2, of just the same
    /// length.
    private static func stale() throws -> [UInt8] {
        func life(_ text: String) -> [UInt8] {
            build(compresses: false) { builder in
                builder.snapshot()
                builder.event(.runStart, in: CapsuleBuilder.run(1))
                builder.flush()
                builder.event(.note, in: CapsuleBuilder.run(1), body: "{\"text\":\"\(text)\"}")
                builder.flush()
                builder.event(.note, in: CapsuleBuilder.run(1), body: "{\"text\":\"stale\"}")
            }
        }
        let (old, new) = (life("old"), life("new"))
        let last = try offsets(old)[4]
        return Array(new[..<last]) + old[last...]
    }

    // MARK: Batches that were written wrong

    static func written() throws -> [Vector] {
        let good = plain(compresses: false)
        func header(_ name: String, _ text: String, _ code: String, status: String = "broken", at offset: Int, _ bytes: [UInt8]) throws -> Vector {
            try Vector(name, text, status: status, code) {
                try edited(good) { $0.patchHeader(-1, at: offset, with: bytes) }
            }
        }
        return [
            try header("feature", "A required feature that nobody knows.", "unsupported", status: "refused", at: 24, [1]),
            try header("codec", "A codec that nobody knows.", "unsupported", status: "refused", at: 9, [9]),
            try header("cipher", "A cipher that nobody knows.", "unsupported", status: "refused", at: 10, [1]),
            try header("batch-kind", "A kind of batch that nobody knows.", "unsupported", status: "refused", at: 8, [3]),
            try header("raw-length-absurd", "A raw length of 4 GiB.", "batch-malformed", at: 92, [255, 255, 255, 255]),
            try header("stored-length-absurd", "A stored length of 4 GiB in a stored batch.", "batch-malformed", at: 96, [255, 255, 255, 255]),
            try header("lengths-beyond-the-file", "Lengths that fit each other and not the file.", "torn-tail", status: "torn-tail", at: 92, [0, 0, 16, 0, 0, 0, 16, 0]),
            try header("no-frames", "A batch of no frames.", "batch-malformed", at: 12, [0, 0]),
            try header("frames-absurd", "More frames than a batch can have.", "batch-malformed", at: 12, [255, 255, 255, 255]),
            try header("event-count", "A count of events that is not the count of frames.", "batch-malformed", at: 88, [3]),
            try header("key-without-cipher", "A key ID without a cipher.", "batch-malformed", at: 16, [1]),
            try header("reserved", "A reserved byte of a batch header.", "batch-malformed", at: 110, [1]),
            try header("claims-itself-durable", "A header that says its own bytes are durable.", "batch-malformed", at: 40, [0, 0, 1, 0]),
            try header("durable-goes-back", "A durable length smaller than the batch's before.", "batch-malformed", at: 40, [0, 0x20, 0, 0]),
            try header("tree-size", "A tree size that is not the count of events.", "size-mismatch", at: 48, [9]),
            try header("root", "A root that the events do not give.", "root-mismatch", at: 56, [1, 2, 3]),
        ]
    }
}
