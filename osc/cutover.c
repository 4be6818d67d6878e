#include "osc/cutover.h"

#include <inttypes.h>

#include "osc/base/fail.h"
#include "osc/base/human.h"
#include "osc/base/log.h"
#include "osc/db/dialect.h"
#include "osc/state.h"
#include "triggers/capture.h"

enum {
    SHORT_BACKLOG = 500, /* is drained in a few milliseconds */
    QUICK_TRIES = 120,   /* gentle ones in a round */
    GENTLE_ROUNDS = 3,   /* before we insist, unless half of our time has passed */
    QUICK_PAUSE_MS = 15,
    SETTLE_MS = 60000, /* for the server to come back and say what became of the swap */
};

/* The connections of an attempt: one has the locks, one drains; the same where it must be. */
struct pair {
    struct db *locks, *drain;
};

static struct db *connect_alone(const struct plan *plan, const struct dsn *dsn, struct error *err)
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
        if ((err->kind != ERROR_LOST && err->kind != ERROR_TRANSIENT) || deadline_passed(&until) ||
            !cancel_sleep_ms(cancel, backoff_ms(n, 100, 2000)))
            return false;
    }
}

static void disconnect(struct pair *pair)
{
    if (pair->drain != pair->locks)
        db_close(pair->drain);
    db_close(pair->locks);
    *pair = (struct pair){.locks = NULL};
}

static bool connect_pair(const struct cutover_job *job, struct pair *pair, struct error *err)
{
    if (pair->locks && (db_is_lost(pair->locks) || db_is_lost(pair->drain)))
        disconnect(pair);
    if (pair->locks)
        return true;
    pair->drain = pair->locks = connect_alone(job->plan, job->dsn, err);
    if (!pair->locks || !job->plan->facts->drains_beside_lock)
        return pair->locks != NULL;
    pair->drain = db_open(job->dsn, "drain", err);
    if (pair->drain &&
        server_fence(pair->drain, job->plan->table_key, job->plan->run, "replay-15", err))
        return true;
    db_close(pair->drain);
    pair->drain = pair->locks;
    return false;
}

/* Everything written so far is in the shadow, and committed. */
static bool drain(const struct cutover_job *job, const struct pair *pair, bool insists,
                  uint64_t *drained, struct error *err)
{
    const struct deadline until = deadline_in_ms(job->drain_ms);

    if (insists)
        return replay_drain(pair->locks, job->plan, &until, drained, err);
    if (!db_begin(pair->drain, err))
        return false;
    if (replay_drain(pair->drain, job->plan, &until, drained, err))
        return db_commit(pair->drain, err);
    db_rollback(pair->drain);
    return false;
}

/* Under the lock: everything written is in the shadow, the world is as we planned, and then the
 * swap. */
static bool drain_and_swap(const struct cutover_job *job, const struct pair *pair, bool insists,
                           struct error *err)
{
    const struct plan *plan = job->plan;
    const uint64_t locked = clock_us();
    uint64_t drained = 0;

    FAILPOINT("locked");
    if (!drain(job, pair, insists, &drained, err))
        return false;
    FAILPOINT("drained");
    const uint64_t ready = clock_us();
    if (!plan->dialect->cutover->close(pair->locks, plan, insists, drained, err) ||
        !plan_check_source(plan, pair->locks, err) ||
        !capture_check(pair->locks, plan, job->stamp, err) ||
        !plan->dialect->cutover->swap(pair->locks, plan, job->deferred, err))
        return false;
    FAILPOINT("swapped");
    LOG(LOG_INFO, "swapped", F("table", plan->source->name), FU("entries_drained", drained),
        FR("drain_ms", (double)(ready - locked) / 1000),
        FR("locked_ms", (double)(clock_us() - locked) / 1000));
    return true;
}

/* Gently as long as that has a chance: each try costs the application a few milliseconds. */
static bool attempt(const struct cutover_job *job, const struct pair *pair, struct lookout *lookout,
                    bool may_insist, struct error *err)
{
    const struct cutover_dialect *dialect = job->plan->dialect->cutover;
    const unsigned gentle = job->plan->facts->drains_beside_lock ? QUICK_TRIES : 0;
    const unsigned tries = gentle + may_insist;

    for (unsigned n = 0;;) {
        const bool insists = n == gentle;
        error_clear(err);
        FAILPOINT("before-lock");
        if (dialect->lock(pair->locks, job->plan, insists, job->patience.lock_ms, err)) {
            if (drain_and_swap(job, pair, insists, err))
                return true;
            dialect->unlock(pair->locks, job->plan);
        }
        if (err->kind != ERROR_TRANSIENT || ++n == tries)
            return false;
        if (!cancel_sleep_ms(job->patience.cancel, backoff_ms(0, QUICK_PAUSE_MS, QUICK_PAUSE_MS)))
            return cancel_check(job->patience.cancel, err); /* uncovered: in this short pause */
        error_clear(err);
        if (!lookout_is_clear(lookout, pair->locks, err)) /* somebody has become a blocker */
            return false;
    }
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
    const struct deadline half = deadline_in_ms(job->patience.total_ms / 2);
    struct lookout lookout = {.plan = job->plan, .patience = &job->patience, .readers_count = true};
    struct pair pair = {.locks = NULL};
    unsigned rounds = 0;
    bool good = false, swapped = false;

    for (unsigned n = 0; !swapped; n++) {
        error_clear(err);
        /* Told before replay, which may itself have to wait for them. */
        if (connect_pair(job, &pair, err) && !lookout_is_clear(&lookout, pair.locks, err) &&
            err->kind == ERROR_TRANSIENT)
            error_clear(err);
        good = err->kind == ERROR_NONE &&
               replay_until_short(job->replay, SHORT_BACKLOG, &until, job->patience.cancel, err) &&
               lookout_is_clear(&lookout, pair.locks, err);
        if (good) {
            atomic_fetch_add(&job->progress->attempts, 1);
            const bool may_insist = !job->plan->facts->drains_beside_lock ||
                                    rounds++ >= GENTLE_ROUNDS || deadline_passed(&half);
            swapped = good = attempt(job, &pair, &lookout, may_insist, err);
            if (!good && err->kind == ERROR_TRANSIENT)
                lookout_explain(&lookout, pair.locks, err);
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
        if (!cancel_sleep_ms(job->patience.cancel, backoff_until_ms(&until, n, 100, 10000))) {
            good = cancel_check(job->patience.cancel, err); /* uncovered: in this pause */
            break;                                          /* uncovered: the same */
        }
    }
    disconnect(&pair);
    return good;
}
