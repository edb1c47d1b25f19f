// The file format: how events and the objects they refer to stand in one append-only file, and how they are read back.
//
// This module turns bytes into events and events into bytes, and judges what it reads. It never writes to a capsule by
// itself except to create one and to recover one under the lock of `WriterQueue`; it knows no SQLite, no TOML, no
// router, and imports no Foundation.
//
// Invariants that everything here keeps:
// - A batch is valid as a whole or not at all (checksums first, then content).
// - Bytes from a file never trap: every length is compared with what is left before it is used.
// - Memory is bounded by `Limits`, never by what a file claims.
// - A leaf depends on its envelope and its body's commitment only, not on where or how it is stored.
//
// The format is specified in `spec/format.md`. Where this code and that page differ, one of them has a bug.

@_exported import SystemPackage
