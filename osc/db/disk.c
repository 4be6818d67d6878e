#include "osc/db/disk.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include "osc/base/fail.h"
#include "osc/base/human.h"
#include "osc/db/dialect.h"
#include "osc/db/driver.h"
#include "osc/db/server.h"

enum { RESERVE_PART = 50 /* a fiftieth of the file system, but not more than: */ };
#define MOST_RESERVE (UINT64_C(1) << 30)

static bool measure(struct disk_place *place)
{
    struct statvfs room;

    if (statvfs(place->path, &room) != 0 || !room.f_blocks)
        return false;
    const uint64_t part = (uint64_t)room.f_blocks * room.f_frsize / RESERVE_PART;
    place->free_bytes = (uint64_t)room.f_bavail * room.f_frsize;
    place->reserve_bytes = TUNED("DISK_RESERVE", part < MOST_RESERVE ? part : MOST_RESERVE);
    return true;
}

void disk_add(struct disk *disk, const char *what, const char *path, unsigned writes)
{
    struct disk_place place = {.what = what, .path = path, .writes = writes};
    struct stat found;

    if (disk->n == ARRAY_SIZE(disk->places) || stat(path, &found) != 0 || !measure(&place))
        return;
    place.device = (uint64_t)found.st_dev;
    place.path = arena_string(disk->arena, path);
    disk->places[disk->n++] = place;
}

bool disk_find(struct db *db, struct disk *disk, struct error *err)
{
    disk->n = 0;
    return db->dialect->server->find_files(db, disk, err);
}

const struct disk_place *disk_lacking(const struct disk *disk, uint64_t table_bytes,
                                      uint64_t log_bytes, uint64_t *needed)
{
    for (size_t i = 0; i < disk->n; i++) {
        const struct disk_place *place = &disk->places[i];
        unsigned writes = 0;
        for (size_t k = 0; k < disk->n; k++)
            writes |= disk->places[k].device == place->device ? disk->places[k].writes : 0;
        *needed = (writes & DISK_TABLES ? table_bytes : 0) + (writes & DISK_LOG ? log_bytes : 0);
        if (*needed && place->free_bytes < *needed + place->reserve_bytes)
            return place;
    }
    return NULL;
}

bool disk_check(struct disk *disk, struct error *err)
{
    for (size_t i = 0; i < disk->n; i++) {
        struct disk_place *place = &disk->places[i];
        if (measure(place) && place->free_bytes < place->reserve_bytes)
            return error_set(err, ERROR_FULL,
                             "the disk of %s (%s) has %s left, and %s are to stay free for the "
                             "application",
                             place->what, place->path, human_bytes(place->free_bytes).text,
                             human_bytes(place->reserve_bytes).text);
    }
    return true;
}
