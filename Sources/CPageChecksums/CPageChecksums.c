#include "CPageChecksums.h"

#include <ccrc32c.h>
#include <pthread.h>
#include <sqlite3.h>
#include <string.h>

// Not 8 bytes: that would say to some builds of SQLite that they know the sum.
enum { RESERVED = 4, SMALLEST_PAGE = 512, LARGEST_PAGE = 65536 };

const char *const cpagechecksums_name = "capsule-pages";

/// An open database file; the system's file object follows it in memory.
struct file {
    sqlite3_file base;
    sqlite3_file *real;
};

static sqlite3_vfs *system_vfs;

static sqlite3_file *real(sqlite3_file *file) { return ((struct file *)file)->real; }

// MARK: Checksums

/// Whether bytes of a database file are a whole page. Parts of the header are read alone too.
static int is_page(int size, sqlite3_int64 offset) {
    return size >= SMALLEST_PAGE && size <= LARGEST_PAGE && (size & (size - 1)) == 0 && offset % size == 0;
}

static void checksum(const void *page, int size, sqlite3_int64 offset, unsigned char sum[RESERVED]) {
    unsigned char place[8];
    for (int byte = 0; byte < 8; byte += 1) place[byte] = (unsigned char)((uint64_t)offset >> (8 * byte));
    uint32_t crc = ccrc32c_extend(ccrc32c_extend(0, place, sizeof place), page, (size_t)(size - RESERVED));
    for (int byte = 0; byte < RESERVED; byte += 1) sum[byte] = (unsigned char)(crc >> (8 * byte));
}

void cpagechecksums_seal(void *page, int size, int64_t offset) {
    checksum(page, size, offset, (unsigned char *)page + size - RESERVED);
}

static int read_page(sqlite3_file *file, void *buffer, int size, sqlite3_int64 offset) {
    int result = real(file)->pMethods->xRead(real(file), buffer, size, offset);
    if (result != SQLITE_OK || !is_page(size, offset)) return result;
    unsigned char sum[RESERVED];
    checksum(buffer, size, offset, sum);
    if (memcmp(sum, (unsigned char *)buffer + size - RESERVED, RESERVED) == 0) return SQLITE_OK;
    // Nobody shall use it, not even who ignores the result.
    memset(buffer, 0, (size_t)size);
    return SQLITE_IOERR_DATA;
}

static int write_page(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset) {
    if (!is_page(size, offset)) return real(file)->pMethods->xWrite(real(file), bytes, size, offset);
    // The pager's own copy stays as it is: while it waits in the log, its sum there is of these very bytes.
    unsigned char page[LARGEST_PAGE];
    memcpy(page, bytes, (size_t)(size - RESERVED));
    cpagechecksums_seal(page, size, offset);
    return real(file)->pMethods->xWrite(real(file), page, size, offset);
}

// MARK: Handed on

static int close_file(sqlite3_file *file) { return real(file)->pMethods->xClose(real(file)); }
static int truncate_file(sqlite3_file *file, sqlite3_int64 size) {
    return real(file)->pMethods->xTruncate(real(file), size);
}
static int sync_file(sqlite3_file *file, int flags) { return real(file)->pMethods->xSync(real(file), flags); }
static int file_size(sqlite3_file *file, sqlite3_int64 *size) {
    return real(file)->pMethods->xFileSize(real(file), size);
}
static int lock_file(sqlite3_file *file, int level) { return real(file)->pMethods->xLock(real(file), level); }
static int unlock_file(sqlite3_file *file, int level) { return real(file)->pMethods->xUnlock(real(file), level); }
static int check_reserved_lock(sqlite3_file *file, int *result) {
    return real(file)->pMethods->xCheckReservedLock(real(file), result);
}
static int file_control(sqlite3_file *file, int operation, void *argument) {
    return real(file)->pMethods->xFileControl(real(file), operation, argument);
}
static int sector_size(sqlite3_file *file) { return real(file)->pMethods->xSectorSize(real(file)); }
static int characteristics(sqlite3_file *file) { return real(file)->pMethods->xDeviceCharacteristics(real(file)); }
static int map_shared(sqlite3_file *file, int region, int size, int extend, void volatile **memory) {
    return real(file)->pMethods->xShmMap(real(file), region, size, extend, memory);
}
static int lock_shared(sqlite3_file *file, int offset, int count, int flags) {
    return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
}
static void shared_barrier(sqlite3_file *file) { real(file)->pMethods->xShmBarrier(real(file)); }
static int unmap_shared(sqlite3_file *file, int delete) {
    return real(file)->pMethods->xShmUnmap(real(file), delete);
}

/// Version 2: without xFetch, by which pages would be mapped instead of read.
static const sqlite3_io_methods shared_methods = {
    .iVersion = 2,
    .xClose = close_file,
    .xRead = read_page,
    .xWrite = write_page,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = file_size,
    .xLock = lock_file,
    .xUnlock = unlock_file,
    .xCheckReservedLock = check_reserved_lock,
    .xFileControl = file_control,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
    .xShmMap = map_shared,
    .xShmLock = lock_shared,
    .xShmBarrier = shared_barrier,
    .xShmUnmap = unmap_shared,
};

// MARK: The VFS

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *opened, int flags, int *result_flags) {
    (void)vfs;
    // Logs, journals and temporary files are the system's alone.
    if ((flags & SQLITE_OPEN_MAIN_DB) == 0) return system_vfs->xOpen(system_vfs, name, opened, flags, result_flags);
    struct file *file = (struct file *)opened;
    file->base.pMethods = NULL;
    file->real = (sqlite3_file *)(file + 1);
    memset(file->real, 0, (size_t)system_vfs->szOsFile);
    int result = system_vfs->xOpen(system_vfs, name, file->real, flags, result_flags);
    if (file->real->pMethods == NULL) return result;
    if (file->real->pMethods->iVersion < 2) {
        // Without shared memory there is no log that several can read, and our index needs one.
        file->real->pMethods->xClose(file->real);
        return SQLITE_CANTOPEN;
    }
    // If opening failed with methods set, SQLite closes through them.
    file->base.pMethods = &shared_methods;
    return result;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int outcome = SQLITE_OK;

static void register_once(void) {
    static sqlite3_vfs vfs;
    if (!sqlite3_compileoption_used("USE_URI")) {
        outcome = SQLITE_MISUSE;
        return;
    }
    system_vfs = sqlite3_vfs_find(NULL);
    if (system_vfs == NULL) {
        outcome = SQLITE_ERROR;
        return;
    }
    vfs = *system_vfs;
    vfs.pNext = NULL;
    vfs.zName = cpagechecksums_name;
    vfs.szOsFile = (int)sizeof(struct file) + system_vfs->szOsFile;
    vfs.xOpen = open_file;
    outcome = sqlite3_vfs_register(&vfs, 0);
}

int cpagechecksums_register(void) {
    int failure = pthread_once(&once, register_once);
    return failure != 0 ? SQLITE_ERROR : outcome;
}

int cpagechecksums_reserve(sqlite3 *database) {
    int bytes = RESERVED;
    return sqlite3_file_control(database, "main", SQLITE_FCNTL_RESERVE_BYTES, &bytes);
}

int cpagechecksums_leave_log(sqlite3 *database) {
    return sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}
