@testable import Capsule

extension Vectors {
    // MARK: Contents that were forged, all checksums right

    static func forged() throws -> [Vector] {
        let good = plain(compresses: false)
        func body(_ name: String, _ text: String, _ code: String, at offset: Int, _ bytes: [UInt8]) throws -> Vector {
            try Vector(name, text, status: "broken", code) {
                try edited(good) { $0.patchBody(-1, at: offset, with: bytes) }
            }
        }
        func frame(_ name: String, _ text: String, _ code: String, status: String = "broken", _ kind: UInt8, flags: UInt8 = 0, auxiliary: UInt16 = 0, _ content: [UInt8], in batch: BatchHeader.Kind = .objects) -> Vector {
            Vector(name, text, status: status, code) {
                build { $0.rawFrame(kind, flags: flags, auxiliary: auxiliary, content: content, in: batch) }
            }
        }
        let id = Hashing.sha256([1]).bytes
        return try [
            body("frame-length", "A frame longer than its batch.", "frame-malformed", at: 0, [255, 255, 255, 127]),
            body("envelope-length", "An envelope longer than its frame.", "frame-malformed", at: 6, [255, 255]),
            body("envelope-short", "An envelope cut off.", "envelope-malformed", at: 6, [70, 0]),
            body("envelope-version", "An envelope of another version.", "envelope-malformed", at: 8, [2]),
            body("envelope-flags", "A flag of the envelope that is reserved.", "envelope-malformed", at: 9, [0x10]),
            body("envelope-scheme", "A commitment scheme that nobody knows.", "envelope-malformed", at: 10, [2]),
            body("envelope-body-kind", "A body kind that nobody knows.", "envelope-malformed", at: 11, [3]),
            body("envelope-causes", "More causes than an event can have.", "envelope-malformed", at: 16, [9]),
            body("envelope-media", "A body without a media type.", "envelope-malformed", at: 14, [0]),
            body("envelope-type", "Neither a type nor a type name.", "envelope-malformed", at: 12, [0]),
            body("envelope-reserved", "A reserved field of the envelope.", "envelope-malformed", at: 18, [1]),
            body("time-changed", "The time of an event was changed.", "root-mismatch", at: 32, [1]),
            body("event-flags", "A flag of an event's frame that is reserved.", "frame-malformed", at: 5, [2]),
            body("withheld-forged", "A frame that takes 32 bytes of salt and body for the commitment of a withheld one.", "root-mismatch", at: 5, [1]),
            frame("frame-kind-0", "A frame of kind 0.", "frame-malformed", 0, []),
            frame("frame-kind-9", "A frame of a kind that is not assigned.", "frame-malformed", 9, []),
            frame("optional-in-timeline", "A frame of an optional kind among events.", "batch-malformed", 200, [], in: .timeline),
            frame("object-in-timeline", "A snapshot among events.", "batch-malformed", 2, [], in: .timeline),
            frame("event-in-objects", "An event among objects.", "frame-malformed", 1, auxiliary: 80, [UInt8](repeating: 0, count: 80)),
            frame("object-short", "An object's frame that is too short.", "frame-malformed", 2, [1, 2, 3]),
            frame("object-id", "A snapshot that does not hash to its ID.", "object-mismatch", 2, [3, 0, 0, 0, 0, 0, 0, 0] + id + [1, 2, 3]),
            frame("object-length", "A plain object of another length than it says.", "frame-malformed", 2, [200, 0, 0, 0, 0, 0, 0, 0] + id + [1, 2, 3]),
            frame("object-length-absurd", "An object of 4 GiB.", "frame-malformed", 2, [255, 255, 255, 255, 1, 0, 0, 0] + id + [1, 2, 3]),
            frame("object-codec", "An object with a codec that nobody knows.", "unsupported", status: "refused", 2, [1, 0, 0, 0, 7, 0, 0, 0] + Hashing.sha256([1]).bytes + [1]),
            frame("object-reserved", "A reserved byte of an object's frame.", "frame-malformed", 2, [1, 0, 0, 0, 0, 1, 0, 0] + id + [1]),
            frame("object-flags", "Flags on an object.", "frame-malformed", 2, flags: 1, [1, 0, 0, 0, 0, 0, 0, 0] + id + [1]),
            frame("snapshot-media", "A media type on a snapshot.", "frame-malformed", 2, auxiliary: 1, [1, 0, 0, 0, 0, 0, 0, 0] + id + [1]),
            frame("object-lz4", "Compressed data that is none.", "lz4-malformed", 2, [100, 0, 0, 0, 1, 0, 0, 0] + id + [UInt8](repeating: 7, count: 40)),
            frame("lz4-two-lengths", "A content size that is not the raw length.", "lz4-malformed", 2, lz4(length: 65)),
            frame("lz4-too-long", "A frame that gives more than its content size.", "lz4-malformed", 2, lz4(length: 63, contentSize: 63)),
            frame("manifest", "A manifest whose lengths do not fit.", "object-mismatch", 4, objectContent(.manifest, [UInt8](repeating: 0, count: 60))),
            Vector("manifest-chunk", "A manifest that names a chunk which is not there.", status: "broken", "object-mismatch") {
                build { $0.object(.manifest, BlobManifest(of: [1, 2, 3], salt: [UInt8](repeating: 1, count: 16)).encoded) }
            },
        ]
    }

    private static func objectContent(_ kind: FrameKind, _ bytes: [UInt8]) -> [UInt8] {
        var content: [UInt8] = []
        content.append(integer: UInt32(bytes.count))
        content.appendZeroes(4)
        content.append(ObjectView.id(of: kind, bytes.span.bytes))
        return content + bytes
    }

    /// The content of a snapshot frame: 64 equal bytes, compressed, said to be `length`.
    private static func lz4(length: UInt32, contentSize: UInt64 = 64) -> [UInt8] {
        let raw = [UInt8](repeating: 0x61, count: 64)
        var frame: [UInt8] = []
        _ = raw.withUnsafeBytes { LZ4Frame().compress($0, into: &frame) }
        frame.replaceSubrange(6..<14, with: withUnsafeBytes(of: contentSize.littleEndian) { Array($0) })
        frame[14] = headerChecksum(Array(frame[4..<14]))
        var content: [UInt8] = []
        content.append(integer: length)
        content += [1, 0, 0, 0]
        content.append(Hashing.sha256(raw))
        return content + frame
    }

    /// The second byte of the XXH32 of an LZ4 frame's descriptor, of fewer than 16 bytes.
    private static func headerChecksum(_ bytes: [UInt8]) -> UInt8 {
        let primes: [UInt32] = [0x9E37_79B1, 0x85EB_CA77, 0xC2B2_AE3D, 0x27D4_EB2F, 0x1656_67B1]
        var hash = primes[4] &+ UInt32(bytes.count)
        var index = 0
        while index + 4 <= bytes.count {
            let word = bytes[index..<(index + 4)].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            hash = hash &+ word &* primes[2]
            hash = (hash << 17 | hash >> 15) &* primes[3]
            index += 4
        }
        while index < bytes.count {
            hash = hash &+ UInt32(bytes[index]) &* primes[4]
            hash = (hash << 11 | hash >> 21) &* primes[0]
            index += 1
        }
        hash = (hash ^ hash >> 15) &* primes[1]
        hash = (hash ^ hash >> 13) &* primes[2]
        return UInt8(truncatingIfNeeded: (hash ^ hash >> 16) >> 8)
    }

    // MARK: Runs that break a rule

    static func rules() -> [Vector] {
        let run = CapsuleBuilder.run(1)
        func rule(_ name: String, _ text: String, _ code: String, _ body: @escaping (CapsuleBuilder) -> Void) -> Vector {
            Vector(name, text, status: "broken", code) {
                build { builder in
                    builder.snapshot()
                    body(builder)
                }
            }
        }
        return [
            rule("sequence-gap", "A sequence is left out.", "run-sequence") {
                $0.event(.runStart, in: run)
                $0.event(.note, in: run) { $0.sequence = 2 }
            },
            rule("no-start", "A run that does not begin with run.start.", "run-sequence") { $0.event(.note, in: run) },
            rule("two-starts", "A run that begins twice.", "run-sequence") {
                $0.event(.runStart, in: run)
                $0.event(.runStart, in: run)
            },
            rule("stage-in-run-zero", "A stage in the capsule's own run.", "run-sequence") { $0.event(.stage, in: .zero) },
            rule("create-in-a-run", "A type of run zero in another run.", "run-sequence") {
                $0.event(.runStart, in: run)
                $0.event(.capsuleErase, in: run)
            },
            rule("after-close", "An event after the capsule was closed.", "run-sequence") {
                $0.event(.capsuleClose, in: .zero)
                $0.event(.runStart, in: run)
            },
            rule("snapshot-missing", "A run under a snapshot that is not in the file.", "run-snapshot") {
                $0.event(.runStart, in: run) { $0.snapshot = Hashing.sha256([9]) }
            },
            rule("snapshot-none", "A run under no snapshot.", "run-snapshot") {
                $0.event(.runStart, in: run) { $0.snapshot = .zero }
            },
            Vector("snapshot-late", "A run under a snapshot that stands after it.", status: "broken", "run-snapshot") {
                build { builder in
                    builder.event(.runStart, in: run)
                    builder.snapshot()
                }
            },
            rule("snapshot-silent", "Another snapshot comes into force without an event that says so.", "run-snapshot") { builder in
                let second = Array(#"{"policy":{"name":"other"}}"#.utf8)
                builder.snapshot(second)
                builder.event(.runStart, in: run)
                builder.event(.note, in: run) { $0.snapshot = Hashing.sha256(second) }
            },
            rule("actor-unknown", "An event by an actor whom nothing introduced.", "run-actor") {
                $0.event(.runStart, in: run)
                $0.event(.note, in: run) { $0.actor = 1 }
            },
            rule("stage-wrong", "An event that says another stage than the one in force.", "run-stage") {
                $0.event(.runStart, in: run)
                $0.event(.stage, in: run)
                $0.event(.note, in: run) { $0.stage = 0 }
            },
            rule("cause-later", "An event caused by a later one.", "run-cause") {
                $0.event(.runStart, in: run)
                $0.event(.note, in: run) { $0.causes = [EventReference(run: run, sequence: 5)] }
            },
            rule("cause-itself", "A run that begins because of itself.", "run-cause") {
                $0.event(.runStart, in: run) { $0.causes = [EventReference(run: run, sequence: 0)] }
            },
            rule("after-end", "An event after the end of its run.", "run-seal") {
                $0.plainRun()
                $0.event(.note, in: run)
            },
            rule("seal-wrong", "A seal with another root.", "run-seal") {
                $0.event(.runStart, in: run)
                $0.event(.runEnd, in: run) { $0.seal?.root = Hashing.sha256([3]) }
            },
            rule("key-twice", "Two events of a run with one key.", "run-key") { builder in
                builder.event(.runStart, in: run)
                for _ in 0..<2 { builder.event(.note, in: run) { $0.key = KeyHash.event("k", in: run) } }
            },
            rule("name-twice", "Two runs of one name.", "run-key") { builder in
                for number in [UInt8(1), 2] {
                    builder.event(.runStart, in: CapsuleBuilder.run(number)) { $0.key = KeyHash.runName("n", in: CapsuleBuilder.capsuleID) }
                }
            },
            rule("blob-missing", "A body that is a blob which is not in the file.", "blob-missing") {
                $0.event(.runStart, in: run)
                $0.blobEvent(BlobReference(id: Hashing.sha256([4]), length: 10), in: run)
            },
            rule("blob-length", "A reference with another length than the blob has.", "blob-missing") { builder in
                var reference = builder.blob([1, 2, 3], salt: [UInt8](repeating: 2, count: 16))
                reference.length = 4
                builder.event(.runStart, in: run)
                builder.blobEvent(reference, in: run)
            },
            rule("note-root", "A checkpoint note with another root.", "note-mismatch") {
                $0.object(.note, CheckpointNote(origin: "example.com/ledger", size: 1, root: Hashing.sha256([5])).bytes)
            },
            rule("note-size", "A checkpoint note of more events than there are.", "note-mismatch") {
                $0.object(.note, CheckpointNote(origin: "example.com/ledger", size: 9, root: $0.tree.root).bytes)
            },
            rule("note-origin", "A checkpoint note of another ledger.", "note-mismatch") {
                $0.object(.note, CheckpointNote(origin: "example.com/other", size: 1, root: $0.tree.root).bytes)
            },
            rule("note-malformed", "A checkpoint note with a leading zero in its size.", "note-mismatch") {
                $0.object(.note, Array("example.com/ledger\n01\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n".utf8))
            },
        ]
    }
}
