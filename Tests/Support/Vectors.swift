@testable import Capsule

/// A capsule that a reader must read, or refuse, in one way.
public struct Vector {
    public var name: String
    public var description: String
    public var bytes: [UInt8]
    public var note: [UInt8]?
    /// What it must come to: written by hand, so that a change of the reader cannot change it.
    public var status: String
    /// The code of the error, or of the only kinds of findings, in order.
    public var codes: [String]

    init(
        _ name: String, _ description: String, status: String = "ok", _ codes: String..., note: [UInt8]? = nil,
        bytes: () throws -> [UInt8]
    ) rethrows {
        self.name = name
        self.description = description
        self.status = status
        self.codes = codes
        self.note = note
        self.bytes = try bytes()
    }
}

/// Every vector of `spec/vectors`.
public enum Vectors {
    public static func all() throws -> [Vector] {
        try features() + objects() + headers() + tails() + written() + forged() + rules()
    }

    static func build(compresses: Bool = true, _ body: (CapsuleBuilder) -> Void) -> [UInt8] {
        let builder = CapsuleBuilder(compresses: compresses)
        body(builder)
        return builder.bytes
    }

    /// Snapshot, then a plain run, each in a batch of its own, synced after each.
    static func plain(compresses: Bool = true, runs: UInt8 = 1) -> [UInt8] {
        build(compresses: compresses) {
            $0.snapshot()
            $0.sync()
            for number in 1...runs {
                $0.plainRun(number)
                $0.sync()
            }
        }
    }

    static func edited(_ bytes: [UInt8], _ edit: (inout CapsuleEditor) -> Void) throws -> [UInt8] {
        var editor = try CapsuleEditor(bytes)
        edit(&editor)
        return editor.assembled()
    }

    static func flipped(_ bytes: [UInt8], at offset: Int) -> [UInt8] {
        var bytes = bytes
        bytes[offset] ^= 0x10
        return bytes
    }

    /// Offsets of the batches of a good file.
    static func offsets(_ bytes: [UInt8]) throws -> [Int] {
        var offset = 8192
        return try CapsuleEditor(bytes).batches.map { batch in
            defer { offset += 128 + batch.body.count }
            return offset
        }
    }

    // MARK: What a sound capsule may hold

    private static func features() throws -> [Vector] {
        let run = CapsuleBuilder.run(1)
        return [
            Vector("created", "A capsule that holds nothing but its own creation.") { build { _ in } },
            Vector("plain-run", "A run from start to seal.") { plain() },
            Vector("stored-timeline", "The same run in a batch that is not compressed.") { plain(compresses: false) },
            Vector("two-runs", "Two runs whose events alternate.") {
                build { builder in
                    builder.snapshot()
                    let other = CapsuleBuilder.run(2)
                    for run in [run, other] { builder.event(.runStart, in: run) }
                    for text in ["a", "b", "c"] {
                        for run in [run, other] { builder.event(.note, in: run, body: "{\"text\":\"\(text)\"}") }
                    }
                    for run in [other, run] { builder.event(.runEnd, in: run) }
                }
            },
            Vector("one-event-batches", "Forty batches of one event each.") {
                build { builder in
                    builder.snapshot()
                    builder.event(.runStart, in: run)
                    for index in 0..<39 {
                        builder.sync()
                        builder.event(.note, in: run, body: "{\"text\":\"\(index)\"}")
                    }
                }
            },
            Vector("large-batch", "A batch of 3000 events, compressed in blocks.") {
                build { builder in
                    builder.snapshot()
                    builder.event(.runStart, in: run)
                    for index in 0..<3000 { builder.event(.note, in: run, body: "{\"text\":\"line \(index * 7919 % 1000)\"}") }
                }
            },
            Vector("envelope-parts", "An event with every optional part of an envelope.") {
                build { builder in
                    builder.snapshot()
                    builder.event(.runStart, in: run) {
                        $0.key = KeyHash.runName("nightly", in: CapsuleBuilder.capsuleID)
                        $0.token = KeyHash.token("secret", for: run)
                    }
                    builder.event(.actor, in: run, body: #"{"name":"reviewer"}"#) { $0.key = KeyHash.actor("reviewer", in: run) }
                    builder.event(.stage, in: run, body: #"{"name":"plan"}"#)
                    builder.event(.custom("com.example.all-parts_1"), in: run) {
                        $0.actor = 1
                        $0.causes = (0..<3).map { EventReference(run: run, sequence: $0) }
                        $0.trace = TraceContext(bytes: Array(1...25))
                        $0.key = KeyHash.event("k", in: run)
                    }
                    builder.event(.stage, in: run, body: #"{"name":"implement"}"#)
                    builder.event(.runEnd, in: run) { $0.seal?.outcomeCode = 4 }
                }
            },
            Vector("bodies", "No body, an empty one, a withheld one, one that is not text.") {
                build { builder in
                    builder.snapshot()
                    builder.event(.runStart, in: run)
                    builder.event(.checkpoint, in: run, body: nil)
                    builder.event(.custom("com.example.empty"), in: run, body: "", media: .bytes)
                    builder.addWithheld(.note, in: run, commitment: Hashing.sha256(Array("gone".utf8)))
                    builder.event(.custom("com.example.text"), in: run, body: "grün\u{0}\u{7F}", media: .text)
                    builder.event(.runEnd, in: run)
                }
            },
            Vector("unknown-codes", "An event type, a media type and an outcome that are not registered are kept.") {
                build { builder in
                    builder.snapshot()
                    builder.event(.runStart, in: run)
                    builder.event(.unknown(999), in: run)
                    builder.event(.unknown(40_000), in: run, media: MediaType(rawValue: 777))
                    builder.event(.runEnd, in: run) { $0.seal?.outcomeCode = 200 }
                }
            },
            Vector("snapshot-change", "Another policy comes into force in the middle of a run.") {
                build { builder in
                    let second = Array(#"{"policy":{"name":"acme","version":"1.1.0"}}"#.utf8)
                    builder.snapshot()
                    builder.event(.runStart, in: run)
                    builder.snapshot(second)
                    builder.event(.snapshot, in: run) { $0.snapshot = Hashing.sha256(second) }
                    builder.event(.note, in: run, body: #"{"text":"under the new one"}"#)
                    builder.event(.runEnd, in: run)
                }
            },
            Vector("cause-elsewhere", "A cause may name a run that this file does not hold.") {
                build { builder in
                    builder.snapshot()
                    builder.event(.runStart, in: run) { $0.causes = [EventReference(run: CapsuleBuilder.run(99), sequence: 7)] }
                }
            },
            Vector("continued", "A capsule that continues another one, and is continued itself.") {
                let predecessor = FileHeader.Predecessor(origin: "example.com/older", size: 12, root: Hashing.sha256([1]))
                let builder = CapsuleBuilder(header: CapsuleBuilder.plainHeader(predecessor: predecessor))
                builder.event(.capsuleClose, in: .zero, body: #"{"successor_origin":"example.com/newer"}"#)
                return builder.bytes
            },
            Vector("third-generation", "A capsule that was rewritten three times; its header digest is the first generation's.") {
                let builder = CapsuleBuilder(header: CapsuleBuilder.plainHeader(generation: 3))
                builder.snapshot()
                builder.plainRun()
                return builder.bytes
            },
            Vector("zeroes-at-the-end", "Preallocated zeroes after the last batch.") { plain() + [UInt8](repeating: 0, count: 5000) },
            Vector("body-with-a-batch", "A stored body holds the bytes of a valid batch header; it is a body all the same.") {
                build(compresses: false) { builder in
                    builder.snapshot()
                    builder.event(.runStart, in: run)
                    builder.sync()
                    let forged = Array(plain()[8192..<8320])
                    builder.add(
                        {
                            var envelope = Envelope(
                                type: .custom("com.example.bytes"), time: CapsuleBuilder.start, run: run,
                                snapshot: CapsuleBuilder.policyID)
                            envelope.sequence = 1
                            envelope.media = .bytes
                            envelope.bodyKind = .inline
                            return envelope
                        }(), body: forged)
                }
            },
        ]
    }

    // MARK: Objects

    private static func objects() -> [Vector] {
        let run = CapsuleBuilder.run(1)
        let salt = [UInt8](repeating: 0x5A, count: 16)
        let large = [UInt8](repeating: 7, count: Limits.chunkBytes + 3)
        return [
            Vector("blob", "A body that is a blob of one chunk, salted, and one shared without salt.") {
                build { builder in
                    builder.snapshot()
                    let salted = builder.blob(Array("a large body, or so".utf8), salt: salt)
                    let shared = builder.blob(Array("a large body, or so".utf8), salt: [UInt8](repeating: 0, count: 16))
                    builder.event(.runStart, in: run)
                    builder.blobEvent(salted, in: run)
                    builder.blobEvent(shared, in: run)
                    builder.blobEvent(shared, in: run)
                }
            },
            Vector("blob-of-two-chunks", "A blob that is longer than a chunk.") {
                build { builder in
                    builder.snapshot()
                    let reference = builder.blob(large, salt: salt)
                    builder.event(.runStart, in: run)
                    builder.blobEvent(reference, in: run)
                }
            },
            Vector("chunk-without-manifest", "A chunk that no manifest names, as a crash may leave it.") {
                build { $0.object(.chunk, salt + [1, 2, 3]) }
            },
            Vector("documents", "A document, a foreign proof, and a snapshot that stands twice.") {
                build { builder in
                    builder.object(.document, Array("{\"map\":[]}".utf8), media: .json)
                    builder.object(.foreignProof, Array("c2sp.org/tlog-proof@v1\n".utf8))
                    builder.snapshot()
                    builder.snapshot()
                }
            },
            Vector("checkpoint", "A checkpoint, a note on it, and the same note with a signature.") {
                build { builder in
                    builder.snapshot()
                    builder.event(.runStart, in: run)
                    builder.event(.checkpoint, in: run, body: #"{"label":"before"}"#)
                    builder.sync()
                    let note = CheckpointNote(origin: "example.com/ledger", size: builder.tree.size, root: builder.tree.root)
                    builder.object(.note, note.bytes)
                    builder.object(.note, note.bytes + Array("\n— example.com/ledger UwJDkMfy\n".utf8))
                }
            },
            Vector("optional-frame", "A frame of an optional kind that nobody knows is skipped.") {
                build { builder in
                    builder.rawFrame(200, flags: 9, auxiliary: 77, content: [1, 2, 3], in: .objects)
                    builder.snapshot()
                }
            },
        ]
    }
}
