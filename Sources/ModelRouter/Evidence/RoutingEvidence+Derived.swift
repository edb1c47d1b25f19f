/// The derived inputs, as they are recorded and compared in a replay.
extension RoutingEvidence {
    static func write(_ derived: DerivedInputs, _ writer: inout EvidenceWriter) {
        writer.object { writer in
            if !derived.alerts.isEmpty {
                writer.key("alerts")
                write(derived.alerts, &writer)
            }
            writer.key("enforcement")
            write(derived.enforcement, &writer)
            if !derived.failing.isEmpty {
                writer.key("failing")
                table(derived.failing, &writer) { failure, writer in
                    writer.object { writer in
                        writer.key("failures")
                        writer.integer(failure.failures)
                        writer.key("latest_ms")
                        writer.integer(failure.latest)
                    }
                }
            }
            if !derived.gates.isEmpty {
                writer.key("gates")
                table(derived.gates, &writer) { measures, writer in table(measures, &writer, write) }
            }
            writer.key("latest_ms")
            writer.integer(derived.latest)
            if !derived.overrides.isEmpty {
                writer.key("overrides")
                writer.array(derived.overrides) { write($1, &$0) }
            }
            writer.key("reserved_usd")
            writer.dollars(derived.reserved)
            writer.key("risk")
            writer.word(derived.risk)
            writer.key("spent_usd")
            writer.dollars(derived.spent)
            if let stage = derived.stage {
                writer.key("stage")
                writer.string(stage)
            }
            writer.key("task")
            write(derived.task, &writer)
            writer.key("tokens")
            table(derived.tokens, &writer) { $1.integer($0) }
        }
    }

    /// A table by names. Keys of canonical JSON are ordered by their UTF-16 units.
    private static func table<Value>(
        _ table: [String: Value],
        _ writer: inout EvidenceWriter,
        _ write: (Value, inout EvidenceWriter) -> Void
    ) {
        if table.count <= 1 {
            writer.object { writer in
                for (name, value) in table {
                    writer.key(name)
                    write(value, &writer)
                }
            }
            return
        }
        let sorted = table.sorted { $0.key.utf16.lexicographicallyPrecedes($1.key.utf16) }
        writer.object { writer in
            for (name, value) in sorted {
                writer.key(name)
                write(value, &writer)
            }
        }
    }

    private static func write(_ alerts: [BudgetAlert.Kind: Int64], _ writer: inout EvidenceWriter) {
        let sorted = alerts.sorted { left, right in
            (left.key.budget, left.key.level.rawValue) < (right.key.budget, right.key.level.rawValue)
        }
        writer.array(sorted) { writer, alert in
            writer.object { writer in
                writer.key("budget")
                writer.string(alert.key.budget)
                writer.key("level")
                writer.word(alert.key.level)
                writer.key("limit")
                if alert.key.budget == Deciding.moneyRule {
                    writer.dollars(USD(picodollars: alert.value))
                } else {
                    writer.integer(RoutingRequest.recorded(alert.value))
                }
            }
        }
    }

    private static func write(_ enforcement: Enforcement, _ writer: inout EvidenceWriter) {
        writer.object { writer in
            writer.key("budgets")
            writer.word(enforcement.budgets)
            writer.key("gates")
            writer.word(enforcement.gates)
            writer.key("routing")
            writer.word(enforcement.routing)
        }
    }

    private static func write(_ measure: GateMeasure, _ writer: inout EvidenceWriter) {
        writer.object { writer in
            writer.key("millionths")
            writer.integer(RoutingRequest.recorded(measure.value.millionths))
            writer.key("samples")
            writer.integer(measure.samples)
            writer.key("time_ms")
            writer.integer(measure.time)
        }
    }

    private static func write(_ override: RoutingOverride, _ writer: inout EvidenceWriter) {
        writer.object { writer in
            switch override.effect {
            case .breakGlass:
                writer.key("break_glass")
                writer.bool(true)
            default: break
            }
            writer.key("event")
            writer.integer(override.sequence)
            if let expires = override.expires {
                writer.key("expires_ms")
                writer.integer(expires)
            }
            switch override.effect {
            case .gate(let gate):
                writer.key("gate")
                writer.string(gate)
            case .tokens(let stage, let count):
                writer.key("stage")
                writer.string(stage)
                writer.key("tokens")
                writer.integer(count)
            case .money(let amount):
                writer.key("usd")
                writer.dollars(amount)
            case .breakGlass: break
            }
        }
    }

    private static func write(_ task: TaskState, _ writer: inout EvidenceWriter) {
        writer.object { writer in
            if let answer = task.answer {
                writer.key("answer")
                switch answer {
                case .proceed: writer.plain("proceed")
                case .stop: writer.plain("stop")
                case .model(let name):
                    writer.object { writer in
                        writer.key("model")
                        writer.string(name)
                    }
                }
            }
            if let asked = task.asked {
                writer.key("asked")
                writer.integer(asked)
            }
            writer.key("attempts")
            writer.integer(task.attempts)
            if !task.excluded.isEmpty {
                writer.key("excluded")
                writer.array(task.excluded) { $0.string($1) }
            }
            if !task.failures.isEmpty {
                writer.key("failures_ms")
                table(task.failures, &writer) { $1.integer($0) }
            }
            if !task.fired.isEmpty {
                writer.key("fired")
                table(task.fired, &writer) { fired, writer in
                    writer.object { writer in
                        writer.key("attempts")
                        writer.integer(fired.attempts)
                        writer.key("settled")
                        writer.integer(fired.settled)
                    }
                }
            }
            if let mode = task.mode {
                writer.key("mode")
                writer.string(mode)
            }
            writer.key("settled")
            writer.integer(task.settled)
            if task.tierAtLeast > 0 {
                writer.key("tier_at_least")
                writer.integer(task.tierAtLeast)
            }
            if !task.tried.isEmpty {
                writer.key("tried")
                writer.array(task.tried) { $0.string($1) }
            }
        }
    }
}
