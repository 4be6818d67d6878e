#include "osc/cutover.h"

#include <inttypes.h>

#include "osc/base/fail.h"
#include "osc/base/log.h"
#include "osc/db/dialect.h"
#include "triggers/capture.h"

/* A backlog this short is drained in a few milliseconds. */
enum { SHORT_BACKLOG = 500 };

static struct db *connect_alone(const struct plan *plan, const struct dsn *dsn, struct error *err)
{
    struct db *db = db_open(dsn, "cutover-0", err);

    if (db && server_fence(db, plan->table_key, "cutover-0", err))
        return db;
    db_close(db);
    return NULL;
}

bool cutover_settle(const struct plan *plan, const struct dsn *dsn, enum owner *owner,
                    struct error *err)
{
    struct db *db = connect_alone(plan, dsn, err);
    const bool good = db && plan->dialect->cutover->owner(db, plan, owner, err);

    db_close(db);
    return good;
}

/* Under the lock: the world is as we planned, and everything written is in the shadow. */
static bool drain_and_swap(const struct cutover_job *job, struct db *db, struct error *err)
{
    const struct plan *plan = job->plan;
    const struct deadline drain_until = deadline_in_ms(job->drain_ms);
    const uint64_t locked = clock_us();
    uint64_t drained = 0;

    FAILPOINT("locked");
    if (!plan_check_source(plan, db, err) || !capture_check(db, plan, job->stamp, err) ||
        !replay_drain(db, plan, &drain_until, &drained, err))
        return false;
    FAILPOINT("drained");
    const uint64_t ready = clock_us();
    if (!plan->dialect->cutover->swap(db, plan, job->deferred, err))
        return false;
    FAILPOINT("swapped");
    LOG(LOG_INFO, "swapped", F("table", plan->source->name), FU("entries_drained", drained),
        FR("drain_ms", (double)(ready - locked) / 1000),
        FR("locked_ms", (double)(clock_us() - locked) / 1000));
    return true;
}

static bool attempt(const struct cutover_job *job, struct db *db, struct error *err)
{
    const struct cutover_dialect *dialect = job->plan->dialect->cutover;

    FAILPOINT("before-lock");
    if (!dialect->lock(db, job->plan, job->deferred, job->lock_ms, err))
        return false;
    if (drain_and_swap(job, db, err))
        return true;
    dialect->unlock(db, job->plan);
    return false;
}

/* True when the way is free; false with the blockers named (ERROR_TRANSIENT), or another error. */
static bool look_for_blockers(const struct cutover_job *job, struct db *db, struct error *err)
{
    AUTO(text) blockers = TEXT_INIT;

    if (!job->plan->dialect->cutover->peek(db, job->plan, &blockers, err))
        return false;
    if (!blockers.length)
        return true;
    return error_set(err, ERROR_TRANSIENT, "others hold %s:\n%s", job->plan->source->quoted,
                     blockers.bytes);
}

/* The reply of a swap was lost: *swapped says what became of it. */
static bool settle_lost(const struct cutover_job *job, bool *swapped, struct error *err)
{
    enum owner owner = OWNER_UNKNOWN;
    struct error why = *err;

    error_clear(err);
    if (!cutover_settle(job->plan, job->dsn, &owner, err)) {
        err->kind = ERROR_AMBIGUOUS;
        error_prefix(err, "the swap's outcome is unknown (%s)", why.text);
        return error_hint(err, "osc status, then osc resume");
    }
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
    const struct deadline until = deadline_in_ms(job->patience_ms);
    struct db *db = NULL;
    bool good = false, swapped = false;

    for (unsigned n = 0; !swapped; n++) {
        error_clear(err);
        if (db && db_is_lost(db)) {
            db_close(db);
            db = NULL;
        }
        if (!db)
            db = connect_alone(job->plan, job->dsn, err);
        good = db && replay_until_short(job->replay, SHORT_BACKLOG, &until, job->cancel, err) &&
               look_for_blockers(job, db, err);
        if (good) {
            atomic_fetch_add(&job->progress->attempts, 1);
            swapped = good = attempt(job, db, err);
        }
        if (!good && (err->kind == ERROR_LOST || err->kind == ERROR_AMBIGUOUS))
            good = settle_lost(job, &swapped, err);
        if (swapped || (!good && err->kind != ERROR_TRANSIENT))
            break;
        LOG(LOG_INFO, "cutover attempt failed, trying again", FU("attempt", n + 1),
            F("error", err->text));
        if (deadline_passed(&until)) {
            good = false;
            error_prefix(err, "no cutover within %" PRIu64 " s", job->patience_ms / 1000);
            error_hint(err, "end the blockers or raise --cutover-timeout, then osc resume");
            break;
        }
        if (!cancel_sleep_ms(job->cancel, backoff_ms(n, 100, 10000))) {
            good = cancel_check(job->cancel, err);
            break;
        }
    }
    db_close(db);
    return good;
}
