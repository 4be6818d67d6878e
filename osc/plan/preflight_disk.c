#include "osc/plan/preflight_disk.h"

#include "osc/base/human.h"
#include "osc/db/disk.h"

uint64_t preflight_disk_bytes(const struct plan *plan)
{
    return (plan->source->data_bytes + plan->source->index_bytes) * 11 / 10;
}

/*
 * The new table may be smaller than the old one, which may be half empty: less
 * than half of the estimate is refused, less than all of it is told.  The disk is watched
 * anyway.
 */
bool preflight_disk(struct db *db, struct plan *plan, struct error *err)
{
    struct disk disk = {.arena = plan->arena};
    const uint64_t bytes = preflight_disk_bytes(plan);
    uint64_t needed = 0;

    if (!disk_find(db, &disk, err))
        return false;
    const struct disk_place *place =
        disk_lacking(&disk, bytes / 2, plan->source->data_bytes / 2, &needed);
    const enum finding_level level = place ? FINDING_REFUSAL : FINDING_WARNING;

    place = disk_lacking(&disk, bytes, plan->source->data_bytes, &needed);
    if (place)
        plan_find(plan, level, "disk", "make room there first",
                  "about %s are needed, and %s are free in %s, of which %s are to stay free",
                  human_bytes(needed).text, human_bytes(place->free_bytes).text, place->path,
                  human_bytes(place->reserve_bytes).text);
    return true;
}
