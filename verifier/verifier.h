/*
 * Verifier: proves source and shadow equal, or says which rows are not.
 *
 * Range by range, each one statement and so one snapshot of both tables;
 * never a long transaction, no locks.  That rows differ is a verdict, not an
 * error.  Does not wait for replay: rows whose key is in the journal are in
 * flight and excused.
 */
#ifndef OSC_VERIFIER_VERIFIER_H
#define OSC_VERIFIER_VERIFIER_H

#include "osc/base/cancel.h"
#include "osc/base/progress.h"
#include "osc/db/throttle.h"
#include "verifier/verdict.h"

struct verify_job {
    const struct plan *plan;
    const struct dsn *dsn;
    struct throttle *throttle;
    unsigned threads;       /* to begin with; more are started where the throttle allows more */
    uint64_t chunk_time_ms; /* what the statement of one range should take */
    struct cancel *cancel;
    struct progress *progress; /* NULL is fine */
    bool has_journal;          /* in-flight keys are excused; otherwise a difference is looked at
                                  several times */
    uint64_t max_reported;     /* differences that are kept; all are counted */
    const struct bound *after; /* NULL: all rows; else those behind this key */
};

/* The verdict lives in `arena`. */
bool verify_tables(const struct verify_job *job, struct arena *arena, struct verdict *verdict,
                   struct error *err) MUST_CHECK;

/* Up to this key, which is open when there is none, all rows were equal: some `rows`. */
struct beginning {
    struct bound through;
    uint64_t rows;
};

/*
 * Compares ranges until told to stop by job->cancel, one is not equal at first sight, or only the
 * last is left, to which rows are added; of what is behind *found nothing is known.  It lives in
 * `arena`.  For a key that keeps its order.
 */
void verify_beginning(const struct verify_job *job, struct arena *arena, struct beginning *found);

/*
 * Journals the key of every row that differs in the verdict's ranges, so that
 * replay brings it up to date; *entries counts them.  Verify again afterwards.
 * ERROR_DIVERGED when there are too many ranges to call it a repair.
 */
bool verify_repair(const struct verify_job *job, const struct verdict *verdict, uint64_t *entries,
                   struct error *err) MUST_CHECK;

#endif
