import JSONText

/// Where each rule of a compiled policy was written. Kept beside the snapshot and not in it, so that moving a line
/// changes no ID.
public struct SourceMap: Sendable, Equatable {
    public struct Place: Sendable, Hashable {
        public var layer: PolicyLayer
        public var file: String
        public var line: Int
        public var column: Int
    }

    /// By the rule's path, such as `roles.architect.models`. A default is at no place.
    public private(set) var places: [String: Place] = [:]

    init(_ layers: PolicyLayers) {
        var places: [String: Place] = [:]
        func note(_ path: [String], _ origin: SourceOrigin?) {
            guard let origin, let file = layers.files[origin.layer] else { return }
            let start = origin.span.start
            places[path.joined(separator: ".")] = Place(
                layer: origin.layer,
                file: file,
                line: start.line,
                column: start.column
            )
        }
        layers.complete.visit(.table(PolicyLanguage.keys), [], nil, nil) { leaf in
            note(leaf.path, leaf.keyOrigin)
        } table: { path, origin in
            note(path, origin)
        }
        self.places = places
    }

    /// The map as canonical JSON: `{"places":{PATH:[LAYER,FILE,LINE,COLUMN],…},"source_map":1}`.
    public var canonicalJSON: [UInt8] {
        var members = JSONValue.Members()
        for (path, place) in places {
            let fields: [JSONValue] = [
                .string(place.layer.rawValue), .string(place.file), .number(JSONNumber(place.line)),
                .number(JSONNumber(place.column)),
            ]
            members.append(path, .array(fields))
        }
        return (try? CanonicalJSON.encode(["source_map": 1, "places": .object(members)])) ?? []
    }

    /// Reads a map from anywhere.
    ///
    /// - Throws: ``SnapshotError``.
    public init(canonicalJSON bytes: [UInt8]) throws(SnapshotError) {
        guard bytes.count <= PolicyLimits.snapshotBytes else {
            throw SnapshotError(.beyondLimit, "", "a source map has at most \(PolicyLimits.snapshotBytes) bytes")
        }
        let json: JSONValue
        do throws(JSONError) {
            try CanonicalJSON.check(bytes)
            json = try JSONValue.parse(bytes)
        } catch {
            throw SnapshotError(.notCanonical, "", "this is not canonical JSON (RFC 8785): \(error)")
        }
        guard json["source_map"]?.int == 1 else {
            throw SnapshotError(.unknownSchema, "/source_map", "this is no source map of version 1")
        }
        for member in json["places"]?.object ?? JSONValue.Members() {
            let fields = member.value
            guard let layer = fields[0]?.string.flatMap(PolicyLayer.init(rawValue:)), let file = fields[1]?.string,
                let line = fields[2]?.int, let column = fields[3]?.int, line >= 1, column >= 1, fields.array?.count == 4
            else { throw SnapshotError(.invalid, "/places/\(member.key)", "this is no place") }
            places[member.key] = Place(layer: layer, file: file, line: line, column: column)
        }
    }
}

extension CompileResult {
    /// Where each rule was written.
    public var sourceMap: SourceMap { SourceMap(layers) }
}
