// Runs: what a runner writes and an auditor reads, on top of the capsule.
//
// This module binds a run to its policy snapshot, checks what events say against their published schemas, resolves the
// names that
// people use, and puts runs back together from the file with what is proved about them. It decides nothing about bytes
// (that is
// `Capsule`) or about who writes when (that is `WriterQueue`).
//
// Invariants:
// - A body is stored exactly as it was given; what does not fit its schema is refused, never mended.
// - What is shown about a run was read from the capsule and checked; an index only says where to look.

@_exported import Capsule
@_exported import JSONText
@_exported import ModelRouter
@_exported import WriterQueue
