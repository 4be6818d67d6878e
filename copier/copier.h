/*
 * Copier: moves the existing rows into the shadow, chunk by chunk.
 *
 * Each chunk is one short transaction of its own that reads without row locks.
 * The copier never overwrites a shadow row and never silently skips one.  It
 * relies on replay for every row that changes meanwhile, and lets replay know
 * of its chunks through `grace`.
 */
#ifndef OSC_COPIER_COPIER_H
#define OSC_COPIER_COPIER_H

#include "osc/base/cancel.h"
#include "osc/base/grace.h"
#include "osc/base/progress.h"
#include "osc/db/throttle.h"
#include "osc/plan/blockers.h"

struct copy_job {
    const struct plan *plan;
    const struct dsn *dsn;
    struct db *db; /* the caller's, for the extent and the watermark */
    struct grace *grace;
    struct cancel *cancel;
    struct progress *progress;
    const struct patience *patience; /* with others that hold the source */
    struct throttle *throttle;
    unsigned threads;       /* to begin with; more are started where the throttle allows more */
    bool takes_turns;       /* more than one would only wait for each other */
    uint64_t chunk_time_ms; /* what a chunk should take */
    const char *watermark;  /* where an earlier run stopped; NULL: from the start */
    /* Makes a watermark durable; called now and then from the caller's thread. */
    bool (*save)(void *owner, const char *watermark, struct error *err);
    void *owner;
    /* save() may set it: the copy ends here.  True afterwards where that left something.  NULL:
     * nothing may be left. */
    atomic_bool *is_enough;
};

/*
 * Returns when every row of the extent is copied, or it is enough for now; then
 * no chunk runs.  ERROR_DATA or ERROR_CONFLICT names the row that does not fit.
 */
bool copy_table(const struct copy_job *job, struct error *err) MUST_CHECK;

/* By the records in a bare shadow's list of chunks; *watermark is NULL where nothing is copied. */
bool copy_remaining(struct db *db, const struct plan *plan, struct arena *arena,
                    const char **watermark, struct error *err) MUST_CHECK;

#endif
