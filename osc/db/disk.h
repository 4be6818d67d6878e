/*
 * Disk: room for the server's files.  Known only where the server runs on this
 * host and tells us where they are; elsewhere nothing is said and nothing is watched.
 */
#ifndef OSC_DB_DISK_H
#define OSC_DB_DISK_H

#include "osc/db/db.h"

/* What a migration writes there. */
enum { DISK_TABLES = 1, DISK_LOG = 2 };

struct disk_place {
    const char *what, *path;
    unsigned writes;
    uint64_t device; /* places that share one share its room */
    uint64_t free_bytes, reserve_bytes;
};

struct disk {
    struct arena *arena;
    struct disk_place places[4];
    size_t n;
};

/* Nothing found is fine. */
bool disk_find(struct db *db, struct disk *disk, struct error *err) MUST_CHECK;

/* Bytes that tables and log may take until a place is down to its reserve, and which place. */
const struct disk_place *disk_lacking(const struct disk *disk, uint64_t table_bytes,
                                      uint64_t log_bytes, uint64_t *needed);

/* ERROR_FULL when a place is down to its reserve, which is left to the application. */
bool disk_check(struct disk *disk, struct error *err) MUST_CHECK;

/* ---- for the dialects: unknown directories are left out ---- */
void disk_add(struct disk *disk, const char *what, const char *path, unsigned writes);

#endif
