// Which model does a piece of work, and why: a pure function of a compiled policy and its inputs.
//
// The module reads no clock, no file and no environment. What it is asked is a `RoutingRequest`; what happened before
// in the run is a `RoutingState`, a fold over the run's earlier events; what it answers is a `RoutingDecision` with the
// evidence from which anyone can derive it again.
//
// Invariants:
// - Every input has a decision: a model, a refusal with a reason of a closed list, or "ask a human". Nothing traps.
// - What is missing, unknown or out of range never permits what its presence would not.
// - What a role requires, what the class of risk denies and what is left of a budget hold for every candidate alike:
//   first choice, fallback, escalation, and the model that a human named.
// - The same policy, state and request give the same bytes of evidence.

@_exported import ModelPolicy

/// What is common to every decision of this version.
public enum ModelRouter {
    /// The version of the router's meaning, written into each decision. A replay under another version cannot say
    /// anything about it.
    public static let semantics = 1
}

/// Bounds of what a request may say. Beyond them it is refused as invalid, and nothing is cut to fit.
public enum RoutingLimits {
    /// Bytes of a role, a task, a mode, a stage or a model's name.
    public static let nameBytes = 256
    /// Tokens of an input or an output.
    public static let tokens = PolicyLimits.tokens
    /// Overrides of a run that are counted; later ones count for nothing.
    public static let overrides = 1000
    /// Tasks whose state is kept in one run; a request for one more is refused.
    public static let tasks = 100_000
}
