#ifndef C_PAGE_CHECKSUMS_H
#define C_PAGE_CHECKSUMS_H

#include <stdint.h>

/// A checksum on every page of a SQLite database, which SQLite itself does not have: a VFS in front of the system's.
///
/// The last four bytes of a page, which SQLite keeps clear of when asked to, hold the CRC32C of
/// its offset (8 bytes, little endian) and of the bytes before them. It is written with every page that reaches the
/// database file and held against every page read from there; a page that does not agree cannot be read:
/// SQLITE_IOERR_DATA. Pages that still are in the log are guarded by the log's own sums, which any SQLite writes.

struct sqlite3;

/// The VFS's name, for `file:PATH?vfs=NAME`.
extern const char *const cpagechecksums_name;

/// Makes the VFS known to SQLite. As often and from as many threads as one likes.
///
/// Returns SQLITE_OK, SQLITE_MISUSE if this SQLite takes no URI for a file's name, or what SQLite says.
int cpagechecksums_register(void);

/// Reserves the bytes in the pages of `database`, if nothing was written to it yet. Returns what SQLite says.
int cpagechecksums_reserve(struct sqlite3 *database);

/// Leaves SQLite's log as it is when `database` is closed: who opened it without the VFS would take pages over from
/// there without their sums. Returns what SQLite says.
int cpagechecksums_leave_log(struct sqlite3 *database);

/// Gives a page that was changed behind the VFS its sum again: for tests that break an index in ways no sum shows.
void cpagechecksums_seal(void *page, int size, int64_t offset);

#endif
