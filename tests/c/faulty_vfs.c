/* See faulty_vfs.h. */
#include "faulty_vfs.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

typedef struct faulty_file {
    sqlite3_file base;
    sqlite3_file *real; /* lies behind */
} faulty_file;

static struct {
    fault_kind kind;
    long until;
    bool all;
    bool failed;
} armed;

static bool fails(fault_kind kind) {
    if (armed.kind != kind || armed.until < 0) {
        return false;
    }
    if (armed.until > 0) {
        armed.until--;
        return false;
    }
    armed.failed = true;
    armed.until = armed.all ? 0 : -1;
    return true;
}

void faulty_vfs_arm(fault_kind kind, long nth, bool all) {
    armed.kind = kind;
    armed.until = nth;
    armed.all = all;
    armed.failed = false;
}

bool faulty_vfs_heal(void) {
    bool failed = armed.failed;
    armed.kind = FAULT_NONE;
    armed.failed = false;
    return failed;
}

const char *fault_name(fault_kind kind) {
    static const char *const names[] = {"none", "read",     "short read", "write", "short write", "disk full",
                                        "sync", "truncate", "lock",       "open",  "delete"};
    return names[kind];
}

/* ---- files ---- */

static sqlite3_file *real_of(sqlite3_file *file) {
    return ((faulty_file *)(void *)file)->real;
}

static int file_close(sqlite3_file *file) {
    sqlite3_file *real = real_of(file);
    return real->pMethods == NULL ? SQLITE_OK : real->pMethods->xClose(real);
}

static int file_read(sqlite3_file *file, void *to, int amount, sqlite3_int64 offset) {
    if (fails(FAULT_READ)) {
        return SQLITE_IOERR_READ;
    }
    if (fails(FAULT_SHORT_READ)) {
        real_of(file)->pMethods->xRead(real_of(file), to, amount / 2, offset);
        return SQLITE_IOERR_READ; /* IOERR_SHORT_READ would mean the end of the file, which is no error */
    }
    return real_of(file)->pMethods->xRead(real_of(file), to, amount, offset);
}

static int file_write(sqlite3_file *file, const void *from, int amount, sqlite3_int64 offset) {
    if (fails(FAULT_WRITE)) {
        return SQLITE_IOERR_WRITE;
    }
    if (fails(FAULT_DISK_FULL)) {
        return SQLITE_FULL;
    }
    if (fails(FAULT_SHORT_WRITE)) {
        real_of(file)->pMethods->xWrite(real_of(file), from, amount / 2, offset);
        return SQLITE_IOERR_WRITE;
    }
    return real_of(file)->pMethods->xWrite(real_of(file), from, amount, offset);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size) {
    return fails(FAULT_TRUNCATE) ? SQLITE_IOERR_TRUNCATE : real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int file_sync(sqlite3_file *file, int flags) {
    return fails(FAULT_SYNC) ? SQLITE_IOERR_FSYNC : real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size) {
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int file_lock(sqlite3_file *file, int level) {
    return fails(FAULT_LOCK) ? SQLITE_BUSY : real_of(file)->pMethods->xLock(real_of(file), level);
}

static int file_unlock(sqlite3_file *file, int level) {
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int file_check_lock(sqlite3_file *file, int *out) {
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}

static int file_control(sqlite3_file *file, int what, void *argument) {
    return real_of(file)->pMethods->xFileControl(real_of(file), what, argument);
}

static int file_sector(sqlite3_file *file) {
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int file_device(sqlite3_file *file) {
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int file_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out) {
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, out);
}

static int file_shm_lock(sqlite3_file *file, int offset, int count, int flags) {
    bool taking = (flags & SQLITE_SHM_LOCK) != 0;
    return taking && fails(FAULT_LOCK) ? SQLITE_BUSY
                                       : real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void file_shm_barrier(sqlite3_file *file) {
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int file_shm_unmap(sqlite3_file *file, int remove) {
    return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_lock,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_device,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

/* ---- the file system ---- */

static sqlite3_vfs *real_vfs;
static sqlite3_vfs faulty_vfs;

enum { JOURNALS = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL | SQLITE_OPEN_SUBJOURNAL };

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags) {
    faulty_file *opened = (faulty_file *)(void *)file;
    (void)vfs;
    opened->base.pMethods = NULL;
    opened->real = (sqlite3_file *)(void *)(opened + 1);
    if ((flags & JOURNALS) && fails(FAULT_OPEN)) {
        return SQLITE_CANTOPEN;
    }
    int code = real_vfs->xOpen(real_vfs, name, opened->real, flags, out_flags);
    if (opened->real->pMethods != NULL) {
        opened->base.pMethods = &methods;
    }
    return code;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync) {
    (void)vfs;
    return fails(FAULT_DELETE) ? SQLITE_IOERR_DELETE : real_vfs->xDelete(real_vfs, name, sync);
}

void faulty_vfs_register(void) {
    real_vfs = sqlite3_vfs_find(NULL);
    faulty_vfs = *real_vfs;
    faulty_vfs.pNext = NULL;
    faulty_vfs.zName = "faulty";
    faulty_vfs.szOsFile = (int)sizeof(faulty_file) + real_vfs->szOsFile;
    faulty_vfs.xOpen = vfs_open;
    faulty_vfs.xDelete = vfs_delete;
    if (sqlite3_vfs_register(&faulty_vfs, 0) != SQLITE_OK) {
        abort();
    }
}
