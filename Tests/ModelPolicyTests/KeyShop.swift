import Foundation
import Testing

@testable import ModelPolicy

/// A folder with real keys, signed with by the real `ssh-keygen`.
final class KeyShop {
    let folder = FileManager.default.temporaryDirectory.path + "/keys-\(UUID().uuidString)"
    private var made: Set<String> = []

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// The public key of a person, made when it is first asked for: `ssh-ed25519 AAAA…`.
    func key(_ name: String, _ type: [String] = ["ed25519"]) throws -> String {
        if made.insert(name).inserted {
            try #require(try run(["-q", "-t"] + type + ["-N", "", "-C", "", "-f", path(name)]) == 0)
        }
        let line = String(decoding: try bytes(name + ".pub"), as: UTF8.self)
        return line.split(separator: " ").prefix(2).joined(separator: " ").trimmingCharacters(in: .newlines)
    }

    func sign(
        _ message: [UInt8],
        by name: String,
        namespace: String = ApprovalStatement.namespace,
        options: [String] = []
    ) throws -> [UInt8] {
        _ = try key(name)
        let file = "message-\(UUID().uuidString)"
        try Data(message).write(to: URL(fileURLWithPath: path(file)))
        let sign = ["-q", "-Y", "sign", "-n", namespace, "-f", path(name)] + options
        try #require(try run(sign + [path(file)]) == 0)
        return try bytes(file + ".sig")
    }

    /// What `ssh-keygen -Y verify` says.
    func sshVerifies(
        _ signature: [UInt8],
        of message: [UInt8],
        signers: String,
        as principal: String,
        namespace: String = ApprovalStatement.namespace,
        at time: PolicyTime? = nil,
        zone: String = "UTC"
    ) throws -> Bool {
        let files = ["signature-\(UUID().uuidString)", "signers-\(UUID().uuidString)"]
        try Data(signature).write(to: URL(fileURLWithPath: path(files[0])))
        try Data(signers.utf8).write(to: URL(fileURLWithPath: path(files[1])))
        var arguments = [
            "-q", "-Y", "verify", "-n", namespace, "-I", principal, "-s", path(files[0]), "-f", path(files[1]),
        ]
        if let time {
            let digits = "\(time)".filter(\.isNumber)
            arguments += ["-O", "verify-time=\(digits)Z"]
        }
        return try run(arguments, input: message, zone: zone) == 0
    }

    func approve(
        _ subject: ApprovalSubject,
        by name: String,
        as approver: String? = nil,
        authors: [String] = [],
        at time: PolicyTime = KeyShop.now
    ) throws -> ApprovalFile {
        let approver = approver ?? "\(name)@example.com"
        let statement = try ApprovalStatement(subject, approver: approver, authors: authors, time: time).canonicalJSON
        return ApprovalFile(
            path: "\(name)-\(approver).json",
            statement: statement,
            signature: try sign(statement, by: name)
        )
    }

    /// A list of people, each under an address of its own.
    func signers(_ names: String...) throws -> String {
        try names.map { "\($0)@example.com \(try key($0))\n" }.joined()
    }

    static let now = PolicyTime("2026-11-01T12:00:00Z")!

    func path(_ name: String) -> String { "\(folder)/\(name)" }
    private func bytes(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: path(name))))
    }

    private func run(_ arguments: [String], input: [UInt8] = [], zone: String = "UTC") throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["ssh-keygen"] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(["TZ": zone]) { $1 }
        let file = path("input-\(UUID().uuidString)")
        try Data(input).write(to: URL(fileURLWithPath: file))
        process.standardInput = FileHandle(forReadingAtPath: file)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }
}

func allowed(_ text: String) -> (signers: AllowedSigners?, diagnostics: [Diagnostic]) {
    AllowedSigners.read(SourceFile(name: "policy/allowed_signers", bytes: Array(text.utf8)))
}
