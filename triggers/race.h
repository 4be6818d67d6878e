/*
 * Race: does the journal get shorter?
 *
 * Replay that is slower than the application never ends.  That is told with both
 * rates while it lasts, and ended when it has lasted for long.  A backlog that
 * shrinks may take as long as it takes.
 */
#ifndef OSC_TRIGGERS_RACE_H
#define OSC_TRIGGERS_RACE_H

#include "osc/base/clock.h"
#include "triggers/replay.h"

struct race {
    const struct replay_job *job;
    uint64_t next_ms, last_ms, stuck_ms; /* when to look, the last look, the last time it shrank */
    uint64_t backlog, replayed;          /* at the last look */
    uint64_t least, least_replayed;      /* the shortest backlog so far; replayed by then */
    double in, out;                      /* entries per second between the last two looks */
};

void race_begin(struct race *race, const struct replay_job *job);

/* Now and then looks; ERROR_TRANSIENT when it has not been won for job->patience. */
bool race_goes_on(struct race *race, struct db *db, struct error *err) MUST_CHECK;
bool race_lost(const struct race *race, struct error *err); /* says so; false */

#endif
