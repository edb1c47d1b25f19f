import ArgumentParser
import Ledger
import ModelPolicy
import ProcessRunner

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

extension PolicyCommand {
    struct Approve: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "approve",
            abstract: "Sign the policy with your SSH key.",
            discussion: """
                Writes a statement about the workspace's policy, or with --spec about the spec's own file, into
                policy/approvals, and has ssh-keygen sign it. Commit both files. What is signed is the meaning: another
                layout needs no new signature.

                The key is the one of --key, else git's user.signingkey, else the first of ~/.ssh/id_ed25519, id_ecdsa
                and id_rsa; a public key will do when an agent holds the private one.

                Exit status: 0 signed, and it counts · 1 signed, and it does not count · 4 ssh-keygen did not sign ·
                66 no policy, no list of signers, or no key.
                """
        )

        @OptionGroup var subject: PolicySubject

        @Option(
            help: ArgumentHelp(
                "Sign a file of the gate as it stands: the list of signers or policy/gate.toml, from the root.",
                valueName: "file"
            )
        )
        var gateFile: String?

        @Option(help: ArgumentHelp("Sign with this SSH key.", valueName: "file"), completion: .file())
        var key: String?

        @Option(
            help: ArgumentHelp("Your name in the list of signers; needed when the key has several.", valueName: "name")
        )
        var principal: String?

        @Option(
            name: .customLong("author"),
            help: ArgumentHelp(
                "Someone who made the change, besides those that git names; may be repeated.",
                valueName: "name"
            )
        )
        var authors: [String] = []

        @Flag(name: .customLong("print"), help: "Write the statement, and print the command that signs it.")
        var prints = false

        func validate() throws {
            if gateFile != nil, subject.spec != nil || subject.layer != nil {
                throw ValidationError("--gate-file signs a file as it stands, and goes without --spec and --layer")
            }
        }

        func run() throws {
            let setting = try ApprovalSetting(subject)
            setting.tellOfList()
            let wanted: PolicyLayer = subject.spec != nil || subject.layer != nil ? .spec : .workspace
            guard let layer = try gateSubject(setting) ?? setting.subjects.first(where: { $0.layer == wanted }) else {
                throw Failure(.noCapsule, "there is no file of that spec to approve")
            }
            let key = try SigningKey(option: key, workspace: setting.load.workspace)
            let approver = try approver(key, setting)
            let statement: ApprovalStatement
            do throws(ApprovalStatementError) {
                statement = try ApprovalStatement(
                    layer,
                    approver: approver,
                    authors: named(layer, setting),
                    time: setting.now
                )
            } catch {
                throw Failure(.malformedInput, "this cannot be signed: \(error)")
            }
            let relative = "\(ApprovalFolder.path(for: layer))/\(Self.fileName(approver)).json"
            let path = setting.load.workspace.root.pushing(FilePath(relative)).string
            try makeFolders(FilePath(path).removingLastComponent())
            unlink("\(path).sig")
            try TextFile(path).replace(with: statement.canonicalJSON)
            complain(
                "\(approver) approves \(layer.file) of \(layer.policyName) \(layer.policyVersion), \(layer.digest)"
            )
            let words = ["ssh-keygen", "-Y", "sign", "-n", ApprovalStatement.namespace, "-f", key.path, path]
            if prints { return Output.line(words.map(Shell.quoted).joined(separator: " ")) }
            try Self.sign(words)
            Output.line(path)
            Output.line("\(path).sig")
            if gateFile == nil { try judge(relative, layer, setting) }
        }

        /// The file of the gate that is to be signed.
        private func gateSubject(_ setting: ApprovalSetting) throws -> ApprovalSubject? {
            guard let gateFile else { return nil }
            let path = setting.load.workspace.root.pushing(FilePath(gateFile)).string
            let bytes = try readInput(path, limit: PolicyLimits.sourceBytes)
            return ApprovalSubject(file: gateFile, bytes: bytes, of: setting.snapshot.policy)
        }

        /// The signature is told apart by what it says, not by its name: this one is for people.
        private static func fileName(_ approver: String) -> String {
            let name = String(
                approver.map { $0.isASCII && ($0.isLetter || $0.isNumber || "@._+-".contains($0)) ? $0 : "_" }
            )
            return name.hasPrefix(".") || name.hasPrefix("-") ? "_" + name.dropFirst() : name
        }

        private func named(_ layer: ApprovalSubject, _ setting: ApprovalSetting) -> [String] {
            guard setting.rules.excludesAuthors, gateFile == nil,
                case .known(let found) = WorkspaceApprovals().authors(
                    of: layer,
                    setting.load,
                    setting.rules,
                    setting.now
                )
            else { return authors }
            // Git knows the others as well, whether or not they can be written down.
            let texts = found.map(\.description).filter(ApprovalStatement.isName)
            return texts + authors.filter { !texts.contains($0) }
        }

        private func approver(_ key: SigningKey, _ setting: ApprovalSetting) throws -> String {
            if let principal { return principal }
            let names = key.publicKey.map { setting.list.signers?.principals(of: $0) ?? [] } ?? []
            if names.count == 1 { return names[0] }
            if let address = Self.git(setting, "user.email"), names.contains(address) { return address }
            guard names.isEmpty else {
                let all = names.prefix(5).joined(separator: ", ")
                throw Failure(
                    .refused,
                    "this key has several names in \(setting.list.path): \(all); say which with --principal"
                )
            }
            throw Failure(
                .refused,
                "\(setting.list.path) does not list the key \(key.path); add a line with your name and the key there, "
                    + "or name yourself with --principal"
            )
        }

        static func git(_ setting: ApprovalSetting, _ key: String) -> String? {
            GitRepository(setting.load.workspace.root).setting(key)
        }

        static func sign(_ words: [String]) throws {
            let end: ProcessRunner.Exit
            do throws(ProcessRunnerError) {
                end = try ProcessRunner(argumentVector: words.map { Array($0.utf8) }).run { _, _ in }.exit
            } catch {
                throw Failure(.system, "\(error); ssh-keygen is part of OpenSSH (openssh-client)")
            }
            guard end == .exited(0) else { throw Failure(.system, "ssh-keygen did not sign; its own words are above") }
        }

        /// Says whether the new approval counts.
        private func judge(_ file: String, _ layer: ApprovalSubject, _ setting: ApprovalSetting) throws {
            guard let verdict = try setting.judge().layers.first(where: { $0.subject == layer }) else { return }
            if let refusal = verdict.refused.first(where: { $0.path == file }) {
                throw Failure(.no, "signed, and it does not count: \(refusal.detail) [\(refusal.reason.rawValue)]")
            }
            let missing = verdict.required - verdict.counted.count
            complain(missing > 0 ? "signed; \(missing) more needed" : "signed; \(layer.file) is approved")
        }
    }
}

/// The key to sign with: a file of a private key, or of a public one whose private half an agent holds.
struct SigningKey {
    let path: String
    /// Nil when there is no public half beside it, or of a type that is not verified.
    let publicKey: SSHPublicKey?

    init(option: String?, workspace: PolicyWorkspace) throws {
        guard let path = option ?? Self.configured(workspace) ?? Self.usual() else {
            throw Failure(
                .noCapsule,
                "no SSH key was found; name one with --key, or make one with 'ssh-keygen -t ed25519'"
            )
        }
        guard TextFile(path).exists else { throw Failure(.noCapsule, "there is no key \(path)") }
        self.path = path
        let file = path.hasSuffix(".pub") ? path : "\(path).pub"
        let bytes = TextFile(file).exists ? try? readInput(file, limit: ApprovalLimits.signatureBytes) : nil
        publicKey = bytes.flatMap { try? SSHPublicKey(line: String(decoding: $0, as: UTF8.self)) }
    }

    private static func configured(_ workspace: PolicyWorkspace) -> String? {
        let git = GitRepository(workspace.root)
        guard git.setting("gpg.format") == "ssh", let key = git.setting("user.signingkey") else { return nil }
        guard key.hasPrefix("~/"), let home = Terminal.environment("HOME") else {
            return key.hasPrefix("/") ? key : nil
        }
        return home + key.dropFirst()
    }

    private static func usual() -> String? {
        guard let home = Terminal.environment("HOME") else { return nil }
        return ["id_ed25519", "id_ecdsa", "id_rsa"].map { "\(home)/.ssh/\($0)" }.first { TextFile($0).exists }
    }
}

extension GitRepository {
    /// A value of git's configuration; nil when it is not set.
    fileprivate func setting(_ key: String) -> String? {
        guard let output = run(["config", "--get", key]) else { return nil }
        let text = String(decoding: output, as: UTF8.self).split(separator: "\n").first.map(String.init) ?? ""
        return text.isEmpty ? nil : text
    }
}

/// Words as a shell reads them.
enum Shell {
    static func quoted(_ word: String) -> String {
        let isPlain =
            !word.isEmpty
            && word.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                    || "@%+=:,./-_".utf8.contains(byte)
            }
        return isPlain ? word : "'" + word.replacing("'", with: "'\\''") + "'"
    }
}
