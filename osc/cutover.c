#include "osc/cutover.h"

#include <inttypes.h>

#include "osc/base/fail.h"
#include "osc/base/human.h"
#include "osc/base/log.h"
#include "osc/base/metrics.h"
#include "osc/db/dialect.h"
#include "osc/state.h"
#include "triggers/capture.h"
#include "triggers/journal.h"

enum {
    SHORT_BACKLOG = 500, /* is drained in a few milliseconds */
    GENTLE_MS = 30000,   /* before we queue for the lock, unless half of our time has passed */
    ROUND_MS = 2000,     /* of gentle tries, before the backlog is looked at again */
    GENTLE_PAUSE_MS = 2,
    FIRST_PAUSE_MS = 100, /* before another round */
    LONGEST_PAUSE_MS = 10000,
    LOOK_EVERY_MS = 50,   /* for an order, meanwhile */
    LOCKED_PAUSE_MS = 10, /* after a try that made writers wait */
    SETTLE_MS = 60000,    /* for the server to come back and say what became of the swap */
};

static struct db *connect_fenced(const struct plan *plan, const struct dsn *dsn, struct error *err)
{
    struct db *db = db_open(dsn, "cutover-0", err);

    if (db && server_fence(db, plan->table_key, plan->run, "cutover-0", err))
        return db;
    db_close(db);
    return NULL;
}

/* The lease may have been lost with the reply: then it is taken again, unless another run has it.
 */
static bool settle_once(const struct plan *plan, const struct dsn *dsn, enum owner *owner,
                        struct error *err)
{
    struct db *db = db_open(dsn, "settle", err);
    bool has_lease = false;

    const bool good = db && server_has_lease(db, plan->table_key, plan->run, &has_lease, err) &&
                      (has_lease || server_take_lease(db, plan->table_key, plan->run, err)) &&
                      state_check_run(db, plan->source->schema, plan->id, plan->run, err) &&
                      server_fence_off(db, plan->table_key, "cutover-", 0, 2, err) &&
                      plan->dialect->cutover->owner(db, plan, owner, err);
    db_close(db);
    return good;
}

/* Who owns the name now.  The server may be on its way up again. */
static bool settle(const struct plan *plan, const struct dsn *dsn, struct cancel *cancel,
                   enum owner *owner, struct error *err)
{
    const struct deadline until = deadline_in_ms(SETTLE_MS);

    for (unsigned n = 0;; n++) {
        error_clear(err);
        if (settle_once(plan, dsn, owner, err))
            return true;
        /* uncovered: the pause, for a server that is not back at once */
        if ((err->kind != ERROR_LOST && err->kind != ERROR_TRANSIENT) || deadline_passed(&until) ||
            !cancel_sleep_ms(cancel, backoff_ms(n, 100, 2000)))
            return false;
    }
}

static bool be_connected(const struct cutover_job *job, struct db **db, struct error *err)
{
    if (*db && !db_is_lost(*db))
        return true;
    db_close(*db);
    *db = connect_fenced(job->plan, job->dsn, err);
    return *db != NULL;
}

static bool check_nothing_came(const struct plan *plan, struct db *db, struct error *err)
{
    uint64_t entries = 0;

    return journal_backlog(db, plan, 2, &entries, err) &&
           (!entries || error_set(err, ERROR_TRANSIENT, "writes came before the lock"));
}

/* Under the lock: everything written is in the shadow, the world is as we planned, and then the
 * swap. */
static bool drain_and_swap(const struct cutover_job *job, struct db *db, bool insists,
                           struct error *err)
{
    const struct plan *plan = job->plan;
    const struct deadline until = deadline_in_ms(job->drain_ms);
    const uint64_t locked = clock_us();
    uint64_t drained = 0;

    FAILPOINT("locked");
    if (!(insists ? replay_drain(db, plan, &until, &drained, err)
                  : check_nothing_came(plan, db, err)))
        return false;
    FAILPOINT("drained");
    const uint64_t ready = clock_us();
    /* An abort that was heard is obeyed up to here. */
    if (!cancel_check(job->patience.cancel, err) || !server_check_writable(db, err) ||
        !plan->dialect->cutover->close(db, plan, insists, err) ||
        !plan_check_source(plan, db, err) || !capture_check(db, plan, job->stamp, err) ||
        !plan->dialect->cutover->swap(db, plan, job->deferred, err))
        return false;
    FAILPOINT("swapped");
    LOG(LOG_INFO, "swapped", F("table", plan->source->name),
        F("manner", insists ? "queued" : "gentle"), FU("entries_drained", drained),
        FR("drain_ms", (double)(ready - locked) / 1000),
        FR("locked_ms", (double)(clock_us() - locked) / 1000));
    return true;
}

/* Gentle ones keep nobody waiting unless they are granted. */
static bool lock_and_swap(const struct cutover_job *job, struct db *db, bool insists,
                          bool *was_locked, struct error *err)
{
    const struct cutover_dialect *dialect = job->plan->dialect->cutover;

    if (!dialect->lock(db, job->plan, insists, job->patience.lock_ms, err))
        return false;
    *was_locked = true;
    if (drain_and_swap(job, db, insists, err))
        return true;
    dialect->unlock(db, job->plan);
    return false;
}

static bool attempt(const struct cutover_job *job, struct db *db, bool insists, bool *was_locked,
                    struct error *err)
{
    *was_locked = false;
    if (!insists && !replay_rest(db, job->plan, err))
        return false;
    FAILPOINT("before-lock");
    const uint64_t started = clock_us();
    metrics_add(insists ? COUNT_LOCKS_QUEUED : COUNT_LOCKS_GENTLE, 1);
    const bool good = lock_and_swap(job, db, insists, was_locked, err);
    if (!good)
        metrics_add(insists ? COUNT_LOCKS_QUEUED_FAILED : COUNT_LOCKS_GENTLE_FAILED, 1);
    if (insists || *was_locked)
        metrics_time(TIME_STALL, clock_us() - started);
    return good;
}

/*
 * A moment is looked for in which nobody writes, nothing was written since the last
 * replay, and nobody has a snapshot from before it.  Tries that find somebody writing cost the
 * application nothing, others a millisecond.
 */
static bool attempt_gently(const struct cutover_job *job, struct db *db,
                           const struct deadline *gently, struct lookout *lookout,
                           struct error *err)
{
    const struct deadline until = deadline_in_ms(ROUND_MS);
    bool was_locked = false;

    for (;;) {
        if (attempt(job, db, false, &was_locked, err))
            return true;
        if (err->kind != ERROR_TRANSIENT || deadline_passed(&until) || deadline_passed(gently))
            return false;
        const uint64_t pause = was_locked ? LOCKED_PAUSE_MS : GENTLE_PAUSE_MS;
        if (!cancel_sleep_ms(job->patience.cancel, backoff_ms(0, pause, pause)))
            return cancel_check(job->patience.cancel, err); /* uncovered: in this short pause */
        error_clear(err);
        if (!lookout_is_clear(lookout, db, err)) /* somebody has become a blocker */
            return false;
    }
}

/* Long while somebody is in the way for long; an order ends it: whoever gave it sees it act. */
static bool pause_before_another(const struct cutover_job *job, const struct deadline *until,
                                 unsigned n)
{
    const struct deadline next = deadline_in_ms(
        backoff_until_ms(until, n, TUNED("CUTOVER_PAUSE_MS", FIRST_PAUSE_MS), LONGEST_PAUSE_MS));
    const uint64_t heeded = atomic_load(&job->progress->heeded);

    do
        if (!cancel_sleep_ms(job->patience.cancel, LOOK_EVERY_MS))
            return false; /* uncovered: cancelled in this very pause */
    while (!deadline_passed(&next) && atomic_load(&job->progress->heeded) == heeded);
    return true;
}

/* The reply of a swap was lost: *swapped says what became of it. */
static bool settle_lost(const struct cutover_job *job, bool *swapped, struct error *err)
{
    enum owner owner = OWNER_UNKNOWN;
    struct error why = *err;

    error_clear(err);
    if (!settle(job->plan, job->dsn, job->patience.cancel, &owner, err)) {
        err->kind = ERROR_AMBIGUOUS;
        error_prefix(err, "the swap's outcome is unknown (%s)", why.text);
        return error_hint(err, "osc status, then osc resume");
    }
    /* uncovered: somebody would have to rename it just when the reply is lost */
    if (owner == OWNER_UNKNOWN)
        return error_set(err, ERROR_AMBIGUOUS,
                         "after a lost connection neither the source nor the shadow owns %s",
                         job->plan->source->quoted);
    *swapped = owner == OWNER_SHADOW;
    LOG(LOG_WARN, "connection lost in the cutover, outcome settled by asking the server",
        F("outcome", *swapped ? "swapped" : "not swapped"), F("error", why.text));
    return true;
}

bool cutover_swap(const struct cutover_job *job, struct error *err)
{
    const struct deadline until = deadline_in_ms(job->patience.total_ms);
    const struct deadline gently = deadline_in_ms(
        job->patience.total_ms / 2 < GENTLE_MS ? job->patience.total_ms / 2 : GENTLE_MS);
    struct lookout lookout = {.plan = job->plan, .patience = &job->patience, .readers_count = true};
    struct db *db = NULL;
    bool was_locked = false, good = false, swapped = false;

    for (unsigned n = 0; !swapped; n++) {
        error_clear(err);
        good = job->may_swap(job->owner, err);
        if (!good) {
            *job->is_held = err->kind == ERROR_NONE;
            break;
        }
        /* Told before replay, which may itself have to wait for them. */
        if (be_connected(job, &db, err) && !lookout_is_clear(&lookout, db, err) &&
            err->kind == ERROR_TRANSIENT)
            error_clear(err);
        good = err->kind == ERROR_NONE && journal_tidy(db, job->plan, n == 0, err) &&
               replay_until_short(job->replay, SHORT_BACKLOG, &until, job->patience.cancel, err) &&
               lookout_is_clear(&lookout, db, err);
        if (good) {
            atomic_fetch_add(&job->progress->attempts, 1);
            swapped = good = job->plan->facts->swaps_gently && !deadline_passed(&gently)
                                 ? attempt_gently(job, db, &gently, &lookout, err)
                                 : attempt(job, db, true, &was_locked, err);
            if (!good && err->kind == ERROR_TRANSIENT)
                lookout_explain(&lookout, db, err);
        }
        if (!good && (err->kind == ERROR_LOST || err->kind == ERROR_AMBIGUOUS))
            good = settle_lost(job, &swapped, err);
        if (swapped || (!good && err->kind != ERROR_TRANSIENT))
            break;
        LOG(LOG_INFO, "cutover attempt failed, trying again", FU("attempt", n + 1),
            F("error", err->text));
        if (deadline_passed(&until)) {
            good = false;
            error_prefix(err, "no cutover within %s", human_setting(job->patience.total_ms).text);
            if (!*err->hint)
                lookout_advise(&lookout, "", "osc resume", err);
            break;
        }
        if (!pause_before_another(job, &until, n)) {
            good = cancel_check(job->patience.cancel, err); /* uncovered: in this pause */
            break;                                          /* uncovered: the same */
        }
    }
    db_close(db);
    return good;
}
