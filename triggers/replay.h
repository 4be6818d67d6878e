/*
 * Replay: brings journalled keys up to date in the shadow.
 *
 * A batch is read, then every chunk that had started by then is waited for,
 * then in one transaction per lane the shadow's rows of these keys are deleted,
 * the source's current rows inserted, and the entries forgotten.  Why this and
 * the copier together are right: triggers/README.md.
 */
#ifndef OSC_TRIGGERS_REPLAY_H
#define OSC_TRIGGERS_REPLAY_H

#include "osc/base/clock.h"
#include "osc/base/grace.h"
#include "osc/base/progress.h"
#include "osc/db/throttle.h"
#include "osc/plan/blockers.h"

struct replay_job {
    const struct plan *plan;
    const struct dsn *dsn;
    struct grace *grace;
    struct progress *progress;
    struct throttle *throttle;
    unsigned lanes;           /* connections that replay side by side */
    struct patience patience; /* with others that hold the source, and a backlog that grows */
    bool beside_copy;         /* chunks run meanwhile */
};

/* A worker for a group: replays until its token is set, which is success. */
bool replay_service(void *job, struct cancel *cancel, struct error *err) MUST_CHECK;

/*
 * Replays until a whole pass finds at most `entries` and nothing in between has
 * to wait; ends with everything visible in one transaction, so that the shadow
 * is consistent with a recent moment of the source.  ERROR_TRANSIENT when the
 * deadline (NULL: none) passes first, or the backlog does not shrink for
 * job->patience: writes come faster than they are replayed.
 */
bool replay_until_short(const struct replay_job *job, uint64_t entries,
                        const struct deadline *until, struct cancel *cancel,
                        struct error *err) MUST_CHECK;

/*
 * Everything that is visible, quickly, in a transaction of its own, without a lock: for a
 * backlog that was short a moment ago.  ERROR_TRANSIENT: a round of replay_until_short() will tell.
 */
bool replay_rest(struct db *db, const struct plan *plan, struct error *err) MUST_CHECK;

/*
 * Instead of replay, while the shadow is bare and no chunk runs: deletes the
 * shadow's rows of every journalled key, and leaves the entries to replay.  What
 * stays are rows that nobody has written since capture began, each of them once.
 */
bool replay_purge(const struct replay_job *job, struct cancel *cancel,
                  struct error *err) MUST_CHECK;

/*
 * Replay to zero on the connection that holds the cutover lock; opens no
 * transaction of its own.  ERROR_TRANSIENT when there is too much of it, or the
 * deadline passes first: the application waits meanwhile.
 */
bool replay_drain(struct db *db, const struct plan *plan, const struct deadline *deadline,
                  uint64_t *drained, struct error *err) MUST_CHECK;

#endif
