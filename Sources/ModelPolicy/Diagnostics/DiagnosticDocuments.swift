import JSONText

/// Diagnostics for machines.
enum DiagnosticDocuments {
    static func json(_ diagnostics: [Diagnostic]) -> JSONValue {
        .array(
            diagnostics.map { diagnostic in
                var members = JSONValue.Members()
                members.append("code", .string(diagnostic.code.rawValue))
                members.append("severity", .string(diagnostic.severity.rawValue))
                members.append("file", .string(diagnostic.file))
                members.append("layer", .string(diagnostic.layer.rawValue))
                members.append("line", number(diagnostic.span.start.line))
                members.append("column", number(diagnostic.span.start.column))
                members.append("end_line", number(diagnostic.span.end.line))
                members.append("end_column", number(diagnostic.span.end.column))
                members.append("message", .string(diagnostic.message))
                if let help = diagnostic.help { members.append("help", .string(help)) }
                members.append("source", .string(diagnostic.line))
                return .object(members)
            }
        )
    }

    static func sarif(_ diagnostics: [Diagnostic], _ toolVersion: String) -> JSONValue {
        let codes = DiagnosticCode.allCases.filter { code in diagnostics.contains { $0.code == code } }
        let rules = codes.map { code -> JSONValue in
            [
                "id": .string(code.rawValue), "shortDescription": ["text": .string(code.guide.title)],
                "help": ["text": .string(code.guide.explanation)],
                "defaultConfiguration": ["level": .string(code.severity.rawValue)],
            ]
        }
        let driver: JSONValue = [
            "name": "capsule-tool", "semanticVersion": .string(toolVersion), "rules": .array(rules),
        ]
        let results = diagnostics.map { diagnostic -> JSONValue in
            let text = diagnostic.message + (diagnostic.help.map { "; \($0)" } ?? "")
            let region: JSONValue = [
                "startLine": number(diagnostic.span.start.line), "startColumn": number(diagnostic.span.start.column),
                "endLine": number(diagnostic.span.end.line), "endColumn": number(diagnostic.span.end.column),
            ]
            let place: JSONValue = [
                "physicalLocation": ["artifactLocation": ["uri": .string(uri(diagnostic.file))], "region": region]
            ]
            return [
                "ruleId": .string(diagnostic.code.rawValue),
                "ruleIndex": number(codes.firstIndex(of: diagnostic.code) ?? 0),
                "level": .string(diagnostic.severity.rawValue), "message": ["text": .string(text)],
                "locations": [place],
            ]
        }
        return [
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
            "runs": [
                ["tool": ["driver": driver], "columnKind": "unicodeCodePoints", "results": .array(results)]
            ],
        ]
    }

    private static func number(_ number: Int) -> JSONValue { .number(JSONNumber(number)) }

    /// A path as a relative reference (RFC 3986).
    private static func uri(_ path: String) -> String {
        var uri = ""
        for byte in path.utf8 {
            let isPlain =
                (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte)
                || "-._~/".utf8.contains(byte)
            uri +=
                isPlain
                ? String(Unicode.Scalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }
        return uri
    }
}

extension Diagnostic {
    /// `::error file=…,line=…::…`, escaped as GitHub's runner reads it.
    var githubAnnotation: String {
        func escaped(_ text: String, _ isProperty: Bool) -> String {
            var result = ""
            for scalar in text.unicodeScalars {
                switch scalar {
                case "%": result += "%25"
                case "\r": result += "%0D"
                case "\n": result += "%0A"
                case ":" where isProperty: result += "%3A"
                case "," where isProperty: result += "%2C"
                default: result.unicodeScalars.append(scalar)
                }
            }
            return result
        }
        let text = message + (help.map { "; \($0)" } ?? "")
        let (start, end) = (span.start, span.end)
        // GitHub takes columns only within one line.
        let columns =
            start.line == end.line ? ",col=\(start.column),endColumn=\(max(start.column, end.column - 1))" : ""
        return "::\(severity.rawValue) file=\(escaped(file, true)),line=\(start.line),endLine=\(end.line)\(columns),"
            + "title=\(code.rawValue)::\(escaped(text, false))"
    }
}
