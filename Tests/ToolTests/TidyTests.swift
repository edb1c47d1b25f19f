import Foundation
import Testing

/// What the house agreed on, as a test.
@Suite struct TidyTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private func files(under folder: String) throws -> [(name: String, lines: [String])] {
        let base = Self.root.appendingPathComponent(folder)
        let names = try FileManager.default.subpathsOfDirectory(atPath: base.path).filter { $0.hasSuffix(".swift") }
        return try names.sorted().map { name in
            let text = try String(contentsOf: base.appendingPathComponent(name), encoding: .utf8)
            return ("\(folder)/\(name)", text.components(separatedBy: "\n"))
        }
    }

    @Test func linesAreAtMost120Characters() throws {
        for file in try files(under: "Sources") {
            for (number, line) in file.lines.enumerated() where line.count > 120 {
                Issue.record("\(file.name):\(number + 1) has \(line.count) characters")
            }
        }
    }

    @Test func functionsFitOnAScreen() throws {
        for file in try files(under: "Sources") {
            var start: (line: Int, indent: Int)?
            for (number, line) in file.lines.enumerated() {
                let indent = line.prefix { $0 == " " }.count
                if line.range(of: #"^\s*((public|private|fileprivate|package|static|override|mutating|nonisolated|@\S+) )*(func|init)\b"#, options: .regularExpression) != nil, start == nil {
                    start = (number, indent)
                } else if let open = start, line == String(repeating: " ", count: open.indent) + "}" {
                    if number - open.line + 1 > 70 { Issue.record("\(file.name):\(open.line + 1) has \(number - open.line + 1) lines") }
                    start = nil
                } else if let open = start, indent <= open.indent, !line.isEmpty, !line.hasPrefix(String(repeating: " ", count: open.indent) + ")") {
                    start = nil
                }
            }
        }
    }

    @Test func nothingTrapsOrPrintsInALibrary() throws {
        for module in ["Capsule", "WriterQueue", "SnapshotIndex", "JSONText", "ModelPolicy", "ModelRouter", "PolicyTests", "PolicyGate", "Ledger", "ProcessRunner", "capsule-tool"] {
            for file in try files(under: "Sources/\(module)") {
                for (number, line) in file.lines.enumerated() where !line.contains("//") {
                    for bad in ["try!", " as! ", "= print(", "  print(", "fatalError("] where line.contains(bad) {
                        Issue.record("\(file.name):\(number + 1) has '\(bad)'")
                    }
                }
            }
        }
    }

    @Test func modulesImportOnlyWhatIsBelowThem() throws {
        let allowed: [String: Set<String>] = [
            "Capsule": ["CCRC32C", "CLZ4", "CSHA256", "Crypto", "SystemPackage"],
            "JSONText": [],
            // It knows no capsule and opens no file.
            "ModelPolicy": ["CTOML", "CYAML", "Crypto", "CryptoExtras", "JSONText"],
            // It reads no clock and no file.
            "ModelRouter": ["Crypto", "JSONText", "ModelPolicy"],
            // Texts come in, results go out.
            "PolicyTests": ["JSONText", "ModelPolicy", "ModelRouter"],
            // It knows no git, no capsule and no clock.
            "PolicyGate": ["ModelPolicy", "PolicyTests"],
            "ProcessRunner": ["CProcessRunner", "Synchronization"],
            "WriterQueue": ["Capsule", "Synchronization"],
            // GRDB gives and takes its blobs as Foundation's Data.
            "SnapshotIndex": ["CPageChecksums", "Capsule", "JSONText", "GRDB", "Synchronization", "Foundation"],
            "Ledger": ["Capsule", "JSONText", "Logging", "ModelPolicy", "ModelRouter", "SnapshotIndex", "WriterQueue", "Synchronization"],
            "capsule-tool": ["ArgumentParser", "CRE2", "Ledger", "Logging", "ModelPolicy", "PolicyGate", "PolicyTests", "ProcessRunner", "Synchronization"],
        ]
        let systems: Set<String> = ["Glibc", "Musl", "Darwin"]
        for (module, names) in allowed {
            for file in try files(under: "Sources/\(module)") {
                for line in file.lines where line.contains("import ") && !line.contains("//") {
                    guard let match = line.range(of: #"^\s*(@\S+ )?import (\S+)"#, options: .regularExpression) else { continue }
                    let name = String(line[match].split(separator: " ").last ?? "")
                    #expect(names.contains(name) || systems.contains(name), "\(file.name) imports \(name)")
                }
            }
        }
    }

    @Test func onlyCapsuleAndTheQueueWriteToFiles() throws {
        for module in ["SnapshotIndex", "ModelPolicy", "PolicyTests", "PolicyGate", "Ledger", "capsule-tool"] {
            for file in try files(under: "Sources/\(module)") {
                for (number, line) in file.lines.enumerated() where line.contains("readingAndWriting") || line.contains("pwrite(") {
                    Issue.record("\(file.name):\(number + 1) writes to a file")
                }
            }
        }
    }
}
