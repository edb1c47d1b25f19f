import ArgumentParser
import Ledger
import ModelPolicy

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Which policy a run begins under.
struct PolicyChoice: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Instead of the workspace's policy: a file of canonical JSON, or sha256:… of a snapshot in the capsule.",
            valueName: "file|id"
        )
    )
    var snapshot: String?

    @OptionGroup var files: PolicyFiles

    func validate() throws {
        if snapshot != nil, files.policy != nil || files.policyLayer != nil {
            throw ValidationError("--snapshot takes a policy as it is; it does not go with --policy or --policy-layer")
        }
    }

    func runStart(in ledger: CapsuleLedger, spec: String?, risk: String?) async throws -> RunStart {
        if let snapshot { return RunStart(try policyArgument(snapshot, state: await ledger.queue.state())) }
        let load = try files.workspace().load(spec: spec)
        return RunStart(try ledger.bind(load, risk: risk))
    }
}

/// Which files a policy is compiled from.
struct PolicyFiles: ParsableArguments {
    @Option(
        help: ArgumentHelp("The policy file, instead of the workspace's model_policy.toml.", valueName: "file"),
        completion: .file(extensions: ["toml", "yaml", "yml"])
    )
    var policy: String?

    @Option(
        help: ArgumentHelp("A spec's own file, instead of policy/specs/SPEC.toml.", valueName: "file"),
        completion: .file(extensions: ["toml", "yaml", "yml"])
    )
    var policyLayer: String?

    func workspace() throws -> PolicyWorkspace {
        try PolicyWorkspace.find(option: policy, layer: policyLayer, directory: currentFolder())
    }
}

/// The folder that the tool was called in.
func currentFolder() -> FilePath {
    let folder = getcwd(nil, 0)
    defer { free(folder) }
    return FilePath(folder.map { String(cString: $0) } ?? ".")
}
