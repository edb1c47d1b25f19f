/// What the bodies of registered event types say. The same definitions check bodies and write `spec/schemas/`.
public enum EventSchemas {
    /// The schema of a registered type's body.
    public static func schema(of type: RegisteredType) -> JSONSchema { byCode[Int(type.rawValue)] }

    /// By the code of the type: hashing it for each event would cost as much as reading a third of its body.
    fileprivate static let byCode: [JSONSchema] = {
        let codes = RegisteredType.allCases.map { Int($0.rawValue) }
        return (0...(codes.max() ?? 0)).map { code in
            RegisteredType(rawValue: UInt16(code)).flatMap { schemas[$0] } ?? anyObject
        }
    }()

    /// The published documents, by file name.
    public static var documents: [(name: String, document: JSONValue)] {
        RegisteredType.allCases.map { type in
            let id = "https://capsule.example/schemas/1/\(type.name).json"
            return ("\(type.name).json", schema(of: type).document(id: id))
        }
    }

    static let anyObject = JSONSchema.object([], additional: .allowed)

    static let name = JSONSchema.string(minLength: 1, maxLength: Limits.nameBytes)
    static let text = JSONSchema.string()
    static let count = JSONSchema.integer(in: 0...JSONSchema.safeIntegers.upperBound)
    static let digest = JSONSchema.string(format: .hex(digits: 64, prefix: "sha256:"))
    private static let labels = JSONSchema.map(of: .string(maxLength: Limits.nameBytes))
    /// Money as a decimal string: never binary floating point.
    static let money = JSONSchema.string(minLength: 1, maxLength: 40)

    static func object(_ title: String, _ properties: [JSONSchema.Property]) -> JSONSchema {
        JSONSchema.object(properties, additional: .allowed).titled(title)
    }

    private static let schemas: [RegisteredType: JSONSchema] =
        runSchemas.merging(callSchemas) { first, _ in first }
        .merging(policySchemas) { first, _ in first }
        .merging(routingSchemas) { first, _ in first }
        .merging(capsuleSchemas) { first, _ in first }

    // MARK: The run itself

    private static let runSchemas: [RegisteredType: JSONSchema] = [
        .runStart: object(
            "A run began",
            [
                .optional("name", name.described("the caller's own name of the run, unique in the capsule")),
                .optional("spec", name.described("what the run is for, such as SPEC-KIT-977")),
                .optional("risk", .string(oneOf: ["high", "low"]).described("unstated risk is high")),
                .optional("actor", name.described("who started the run")),
                .optional("backend", name.described("what records the run")),
                .optional("command", .array(of: text, maxItems: 4096)),
                .optional("labels", labels),
                .optional("tool", text), .optional("policy", policyOrigin),
            ]
        ),
        .runEnd: object(
            "A run ended",
            [
                .optional("reason", text), .optional("exit_status", .integer(in: 0...255)),
                .optional("duration_ns", count),
            ]
        ),
        .actor: object(
            "Someone who acts in this run",
            [
                .required("name", name), .optional("kind", .string(oneOf: ["agent", "human", "tool", "service"])),
                .optional("version", text),
            ]
        ),
        .stage: object(
            "The run entered a stage",
            [.required("name", name), .optional("from", name), .optional("reason", text)]
        ),
        .snapshot: object(
            "Another policy snapshot came into force",
            [.required("snapshot", digest), .optional("previous", digest), .optional("reason", text)] + policyEvidence
        ),
        .checkpoint: object("A point to go back to", [.optional("label", name), .optional("reason", text)]),
        .note: object("A remark", [.required("text", text)]),
        .error: object(
            "Something went wrong",
            [.required("message", text), .optional("code", text), .optional("retryable", .boolean)]
        ),
    ]

    // MARK: The policy

    private static let policyEvidence: [JSONSchema.Property] = [
        .optional(
            "sources",
            .array(
                of: .object(
                    [
                        .required("layer", .string(oneOf: ["workspace", "spec"])), .required("path", text),
                        .required("sha256", .string(format: .hex(digits: 64))),
                    ],
                    additional: .allowed
                ),
                maxItems: 2
            ).described("the files, from the root of the workspace")
        ),
        .optional("commit", text.described("the commit that git had checked out")),
        .optional("differs", JSONSchema.boolean.described("whether the files are not as the commit has them")),
        .optional("source_map", digest.described("the document that says where each rule was written")),
        .optional("approvals", approvals),
    ]

    private static let approvals = object(
        "The verdict on the approvals of the policy that was found",
        [
            .required("approved", .boolean),
            .required("snapshot", digest.described("the policy that was judged")),
            .required("required", count.described("so many persons must have signed each layer")),
            .required("exclude_author", .boolean),
            .optional("signers", digest.described("the document that is the list of signers")),
            .optional("signers_fault", text.described("why the list could not be read")),
            .required(
                "layers",
                .array(
                    of: .object(
                        [
                            .required("layer", .string(oneOf: ["workspace", "spec"])),
                            .required("digest", digest.described("what was signed")), .required("approved", .boolean),
                            .required("counted", .array(of: approval, maxItems: ApprovalRecord.mostCounted)),
                            .required("counted_count", count),
                            .required("not_counted", .array(of: anyObject, maxItems: 20)),
                            .required("not_counted_count", count),
                            .required("authors", .array(of: text, maxItems: ApprovalRecord.mostAuthors)),
                        ],
                        additional: .allowed
                    ),
                    maxItems: 2
                )
            ),
        ]
    )

    private static let approval = JSONSchema.object(
        [
            .required("approver", text), .required("key", text.described("the fingerprint, as ssh-keygen -l shows it")),
            .required("time", text.described("as the approver's clock said")),
            .required("statement", digest.described("the document that was signed")),
            .required("signature", digest.described("the document that is its SSH signature")),
        ],
        additional: .allowed
    )

    private static let policyOrigin = object(
        "Where the policy came from",
        [
            .required("origin", .string(oneOf: ["workspace", "last-bound", "builtin"])),
            .required("workspace", text.described("the folder of the policy file")),
            .required("file", text.described("the policy file, from there")),
            .optional("layer", text.described("a spec's file that was named when the run began")),
            .optional(
                "enforcement",
                .map(of: .string(oneOf: ["observe", "warn", "enforce"])).described("fixed when the run begins")
            ),
        ] + policyEvidence
    )

    private static let policySchemas: [RegisteredType: JSONSchema] = [
        .policyFailure: object(
            "The policy did not load, or was not approved",
            [
                .optional("cause", .string(oneOf: ["does-not-load", "not-approved"])),
                .required("action", .string(oneOf: ["refused", "last-bound", "fallback"])),
                .required("reason", text), .required("bound", digest),
                .optional("name", name.described("the name that a refused run was to have")),
                .optional("diagnostics", .array(of: anyObject, maxItems: 100)), .optional("diagnostics_count", count),
            ]
        ),
        .policyKept: object(
            "Another policy was found and not taken up",
            [
                .required(
                    "cause",
                    .string(oneOf: ["loosens", "older", "does-not-load", "not-effective", "cannot-compare"])
                ),
                .required("reason", text), .required("kept", digest), .optional("found", digest),
                .optional("changes", .array(of: anyObject, maxItems: 100)), .optional("changes_count", count),
                .optional("diagnostics", .array(of: anyObject, maxItems: 100)), .optional("diagnostics_count", count),
            ] + policyEvidence
        ),
    ]

    // MARK: Calls

    private static let callSchemas: [RegisteredType: JSONSchema] = [
        .modelCall: JSONSchema.object(
            [
                .required("model", name), .optional("provider", name), .optional("role", name),
                .optional("input_tokens", count), .optional("output_tokens", count),
                .optional("cached_input_tokens", count), .optional("cost_usd", money),
                .optional("duration_ns", count), .optional("finish_reason", .string(maxLength: 256)),
                .optional("prompt", digest.described("kept from the mode of capture `hash` on")),
                .optional("output", digest.described("kept from `hash` on")),
                .optional("summary", text.described("kept from `summary` on")),
                .optional("prompt_text", text.described("kept from `prompts_only` on")),
                .optional("output_text", text.described("kept with `full_io`")),
                .optional(
                    "attributes",
                    labels.described("of the caller's own; short, so that no content hides in them")
                ),
            ],
            // Content has its members, which the policy's mode of capture judges, and no other place.
            additional: .refused
        ).titled("A model was called"),
        .retrievalRequest: object(
            "Something was looked up",
            [.required("query", text), .optional("source", text), .optional("limit", count)]
        ),
        .retrievalResponse: object(
            "What was found",
            [
                .required("results", .array(of: anyObject, maxItems: 10_000)), .optional("duration_ns", count),
                .optional("truncated", .boolean),
            ]
        ),
        .toolCall: object(
            "A tool was called",
            [.required("tool", name), .optional("arguments", .any), .optional("working_directory", text)]
        ),
        .toolResult: object(
            "What the tool gave",
            [
                .optional("tool", name), .optional("ok", .boolean), .optional("exit_status", .integer(in: 0...255)),
                .optional("signal", .integer(in: 1...128)), .optional("duration_ns", count), .optional("result", .any),
                .optional("stdout", stream), .optional("stderr", stream), .optional("error", text),
            ]
        ),
        .patchApplied: object(
            "Files were changed",
            [
                .required("files", .array(of: patchedFile, minItems: 1, maxItems: 10_000)), .optional("summary", text),
                .optional("commit", text), .optional("patch", digest),
            ]
        ),
    ]

    private static let stream = JSONSchema.object(
        [.required("bytes", count), .required("sha256", .string(format: .hex(digits: 64))), .optional("text", text)],
        additional: .allowed
    )

    private static let patchedFile = JSONSchema.object(
        [
            .required("path", .string(minLength: 1)), .optional("before", digest), .optional("after", digest),
            .optional("added", count), .optional("removed", count),
        ],
        additional: .allowed
    )

    // MARK: Run zero

    private static let capsuleSchemas: [RegisteredType: JSONSchema] = [
        .capsuleCreate: object("The capsule was made", [.optional("tool", text), .optional("origin", text)]),
        .capsuleErase: object(
            "Bodies were erased",
            [
                .required("reason", text), .required("by", name), .required("events", count),
                .required("generation", count),
            ]
        ),
        .capsuleSalvage: object(
            "What could be proved was copied from a damaged capsule",
            [.required("from_origin", text), .required("complete", .boolean), .required("lost", .array(of: anyObject))]
        ),
        .capsuleClose: object("Another capsule continues this one", [.required("successor_origin", text)]),
        .capsuleAdopt: object(
            "A copy goes its own way",
            [.required("from_origin", text), .required("size", count), .optional("reason", text)]
        ),
    ]
}

extension EventDraft {
    /// Checks the body against what its type asks for: registered types against their schema, JSON of others for being
    /// JSON.
    ///
    /// - Throws: `LedgerError.bodyInvalid`, with the place in the body.
    public func checkBody() throws(LedgerError) {
        if case .registered(let type) = type {
            // An event without a body says nothing: that is enough where nothing is required.
            let body = body ?? Array("{}".utf8)
            guard media == .json else {
                throw LedgerError(
                    .bodyInvalid,
                    "the body of \(type.name) is JSON, not \(media.name); use a type of your own for that"
                )
            }
            do throws(SchemaViolation) {
                // Lent by a span: a copy of a schema counts the references of everything in it.
                try EventSchemas.byCode.span[Int(type.rawValue)].validate(body)
            } catch {
                throw LedgerError(
                    .bodyInvalid,
                    "the body is not one of \(type.name): \(error); see spec/schemas/\(type.name).json"
                )
            }
        } else if let body, media == .json {
            do throws(JSONError) { try JSONText.check(body) } catch {
                throw LedgerError(.bodyInvalid, "the body is not JSON: \(error)")
            }
        }
    }

    /// Checks that whoever appends may say this: what only the ledger says is believed because nobody else can say it.
    ///
    /// - Throws: `LedgerError.reservedType`.
    public func checkType() throws(LedgerError) {
        guard case .registered(let type) = type, type.isWrittenByLedger else { return }
        let reason = "\(type.name) says what the ledger did, and only it writes that; \(type.remedy)"
        throw LedgerError(.reservedType, reason)
    }
}

extension RegisteredType {
    /// What to do instead of appending one.
    fileprivate var remedy: String {
        switch self {
        case .runStart: "begin a run with 'capsule-tool start'"
        case .runEnd: "end the run with 'capsule-tool end'"
        case .snapshot: "bring a policy with 'capsule-tool checkpoint --snapshot'"
        case .routingDecision: "ask for one with 'capsule-tool route'"
        case .routingSettlement: "use 'capsule-tool settle'"
        default: "take a type of your own, or 'note'"
        }
    }
}
