import ArgumentParser
import Ledger

/// The root of the command line.
struct CapsuleTool: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "capsule-tool",
        abstract: "Record what AI agents did, under which policy, in one tamper-evident file.",
        discussion: """
            The capsule is found by --capsule, then by the variable CAPSULE_FILE, then upwards from the current folder
            (runs.cpsl, or the only *.cpsl). A run is named by its ID, by a unique prefix of it, or by its own name.

            Exit status: 0 done, or yes · 1 no (verify found something, an event is not there) · 2 refused (unknown or
            ended run, missing token, same key with other content) · 3 the capsule cannot be read or is damaged ·
            4 the system said no (disk full, permissions) · 5 another writer holds the capsule · 64 usage ·
            65 malformed input (not JSON, too large) · 66 no capsule, or no policy · 73 the file exists already ·
            78 the policy does not load, or lacks approvals that it enforces: a run of high risk was refused, and
            recorded as refused.
            'record' exits as the command does.

            --verbose, or the variable CAPSULE_LOG=debug, tells on standard error what happens within; --log-file FILE,
            or CAPSULE_LOG_FILE, appends it to a file, a JSON object a line.
            """,
        version: "capsule-tool \(CapsuleLedger.version) (format 1)",
        subcommands: [
            InitCommand.self, StartCommand.self, AppendCommand.self, StageCommand.self, CheckpointCommand.self,
            EndCommand.self, RecordCommand.self, RouteCommand.self, CallCommand.self, SettleCommand.self,
            AnswerCommand.self,
            GateCommand.self, OverrideCommand.self, WhyCommand.self, ReplayCommand.self, ReportCommand.self,
            RunsCommand.self, ShowCommand.self, TailCommand.self,
            CheckpointsCommand.self, SnapshotCommand.self, PolicyCommand.self, CICommand.self, VerifyCommand.self,
            ExportCommand.self,
            StatsCommand.self, DuCommand.self, IndexCommand.self, DoctorCommand.self, SalvageCommand.self,
            AdoptCommand.self,
        ]
    )
}

@main
enum Main {
    static func main() async {
        // A reader that went away ends our output, not our work.
        ignoreBrokenPipes()
        fillClosedStandardDescriptors()
        do {
            try Arguments.check()
            var command = try CapsuleTool.parseAsRoot(try LocalLog.begin(CommandLine.arguments.dropFirst()))
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            Output.finish()
        } catch let error as QuietFailure {
            Output.finish()
            ExitStatus.end(with: error)
        } catch let error as ValidationError {
            Output.finish()
            ExitStatus.endForUsage(error.message)
        } catch {
            Output.finish()
            ExitStatus.end(with: error)
        }
    }
}
