import Foundation
import JSONText
import Support
import Testing

@testable import Capsule

/// Where the repository is, from this file's own path.
let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

@Suite struct VectorTests {
    @Test func everyVectorReadsAsItsAuthorSays() throws {
        for vector in try Vectors.all() {
            let reading = try VectorReading.read(vector.bytes, note: vector.note)
            let findings = reading["findings"]?.array?.compactMap { $0["code"]?.string } ?? []
            let codes = reading["error"]?["code"]?.string.map { [$0] } ?? Array(Set(findings)).sorted()
            #expect(reading["status"]?.string == vector.status, "\(vector.name): \(reading)")
            #expect(codes == vector.codes, "\(vector.name)")
        }
    }

    @Test func theCommittedVectorsAreWhatTheGeneratorMakes() throws {
        let folder = repository.appendingPathComponent("spec/vectors")
        let rewrites = ProcessInfo.processInfo.environment["CAPSULE_WRITE_VECTORS"] != nil
        var expected: Set<String> = ["README.md"]
        for (name, bytes) in try files() {
            expected.insert(name)
            let url = folder.appendingPathComponent(name)
            if rewrites { try Data(bytes).write(to: url) }
            let committed = try Data(contentsOf: url)
            #expect(committed == Data(bytes), "\(name) differs; 'make vectors' writes it anew")
        }
        let present = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        if rewrites {
            for name in present where !expected.contains(name) {
                try FileManager.default.removeItem(at: folder.appendingPathComponent(name))
            }
        } else {
            #expect(Set(present) == expected)
        }
    }

    @Test func vectorsHaveNamesOfTheirOwn() throws {
        let names = try Vectors.all().map(\.name)
        #expect(Set(names).count == names.count)
    }

    private func files() throws -> [(String, [UInt8])] {
        try Vectors.all().flatMap { vector -> [(String, [UInt8])] in
            var files = [("\(vector.name).cpsl", vector.bytes)]
            var members = JSONValue.Members()
            members["description"] = .string(vector.description)
            if let note = vector.note {
                members["note"] = .string("\(vector.name).note")
                files.append(("\(vector.name).note", note))
            }
            if case .object(let reading) = try VectorReading.read(vector.bytes, note: vector.note) {
                for member in reading { members[member.key] = member.value }
            }
            files.append(("\(vector.name).json", JSONValue.object(members).encoded(.pretty) + [10]))
            return files
        }
    }

    @Test func thePythonReaderAgreesWithEveryVector() throws {
        let python = Process()
        python.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        python.arguments = [
            "python3", "-B", repository.appendingPathComponent("spec/reader/capsule_reader.py").path, "--check",
            repository.appendingPathComponent("spec/vectors").path,
        ]
        let pipe = Pipe()
        python.standardOutput = pipe
        python.standardError = pipe
        try python.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        python.waitUntilExit()
        #expect(python.terminationStatus == 0, "\(output.suffix(4000))")
    }
}
