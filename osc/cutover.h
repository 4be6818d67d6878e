/*
 * Cutover: lock, drain, swap.
 *
 * Short attempts, each given back on timeout and followed by a jittered pause;
 * blockers are looked for before we queue.  A swap whose reply was lost is
 * settled by asking the server who owns the name, never by trying again blind.
 */
#ifndef OSC_CUTOVER_H
#define OSC_CUTOVER_H

#include "osc/cutover_dialect.h"
#include "osc/plan/blockers.h"
#include "triggers/replay.h"

struct cutover_job {
    const struct plan *plan;
    const struct dsn *dsn;
    const struct replay_job *replay;
    const char *deferred, *stamp;
    struct patience patience;
    uint64_t drain_ms; /* longest drain while the application waits           */
    struct progress *progress;
    /* Asked before each attempt; false without an error: not now, and *is_held says so. */
    bool (*may_swap)(void *owner, struct error *err);
    void *owner;
    bool *is_held;
};

/* ERROR_TRANSIENT: every attempt failed, nothing was swapped; ERROR_AMBIGUOUS: ask osc status. */
bool cutover_swap(const struct cutover_job *job, struct error *err) MUST_CHECK;

#endif
