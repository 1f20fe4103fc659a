/*
 * An SQLite VFS, named "faulty", that passes everything to the default one, except that the n-th operation of a kind fails
 * or is cut short. For a database URL: ?vfs=faulty.
 */
#ifndef CORM_TEST_FAULTY_VFS_H
#define CORM_TEST_FAULTY_VFS_H

#include <stdbool.h>

typedef enum fault_kind {
    FAULT_NONE,
    FAULT_READ,       /* an I/O error */
    FAULT_SHORT_READ, /* half of it, then an error */
    FAULT_WRITE,
    FAULT_SHORT_WRITE, /* half of it, then an error */
    FAULT_DISK_FULL,
    FAULT_SYNC,
    FAULT_TRUNCATE,
    FAULT_LOCK,   /* the lock is held by another */
    FAULT_OPEN,   /* of a journal */
    FAULT_DELETE, /* of a journal: the commit itself */
    FAULT_KIND_COUNT
} fault_kind;

/* Call once before the first engine. */
void faulty_vfs_register(void);
/* The nth (from 0) operation of the kind fails; all: and those that follow. */
void faulty_vfs_arm(fault_kind kind, long nth, bool all);
/* Everything works again; true when something failed since it was armed. */
bool faulty_vfs_heal(void);
const char *fault_name(fault_kind kind);

#endif
