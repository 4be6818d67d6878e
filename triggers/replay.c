#include "triggers/replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "osc/base/clock.h"
#include "osc/base/fail.h"
#include "osc/base/group.h"
#include "osc/base/metrics.h"
#include "osc/db/dialect.h"
#include "triggers/apply.h"
#include "triggers/capture_dialect.h"
#include "triggers/culprit.h"
#include "triggers/journal.h"
#include "triggers/race.h"

enum {
    BATCH_ENTRIES = 4000,
    SPREAD_FROM = 400,    /* smaller batches are not worth several connections */
    MOST_TRIES = 12,      /* on connections that break */
    TELL_FROM_TRY = 2,    /* a lock that is held for a moment is no news */
    MOST_AT_ONCE = 30000, /* longer lists make servers scan the journal */
    IDLE_MS = 20,
    MOST_COUNTED = 100000, /* of the backlog; beyond it the server's statistics must do */
    COUNT_PAUSES = 50,     /* as long as a count took, until the next one */
    WARY_ROUNDS = 8,       /* in which rows in the way are expected: they come in swarms */
    ALONE_ROUNDS = 16,     /* of one lane, where two have met; twice as many each time */
    MOST_ALONE = 4096,
};

struct replay {
    const struct replay_job *job;
    struct cancel *cancel;
    struct db **lanes; /* lane 0 reads the journal as well */
    struct journal journal;
    struct arena *arena;              /* of the batch */
    atomic_bool is_stale;             /* the batch: a reply was lost */
    atomic_size_t left_out;           /* entries of the batch whose row another one kept out */
    atomic_bool is_met;               /* the batch: a row was in the way */
    bool leaves_out, left_out_before; /* there were some in this pass; in the one before */
    const struct deadline *until;     /* for everything together; NULL: for each wait its own */
    struct deadline next_count;       /* of the backlog */
    unsigned alone;                   /* so many batches are left to one lane */
    unsigned next_alone;
    unsigned wary; /* so many batches expect rows in their way */
};

struct lane_work {
    struct replay *replay;
    const struct batch *batch;
    unsigned lane, step;
    bool is_wary;
};

/* ---- one batch on one connection ---- */

static bool connect_lane(struct replay *replay, unsigned lane, struct error *err)
{
    const struct plan *plan = replay->job->plan;
    char role[32];

    db_close(replay->lanes[lane]);
    (void)snprintf(role, sizeof role, "replay-%u", lane);
    replay->lanes[lane] = db_open_patiently(replay->job->dsn, role, replay->cancel, err);
    return replay->lanes[lane] &&
           server_fence(replay->lanes[lane], plan->table_key, plan->run, role, err) &&
           apply_prepare(replay->lanes[lane], plan, err);
}

/* Behind somebody's DDL, say: told by one lane, waited for by all; it costs only our own time. */
static bool is_worth_waiting(struct replay *replay, unsigned lane, unsigned n,
                             struct lookout *lookout, const struct deadline *until,
                             struct error *err)
{
    if (err->kind != ERROR_TRANSIENT)
        return false;
    const bool is_over = deadline_passed(replay->until ? replay->until : until);
    if (is_over || (lane == 0 && n >= TELL_FROM_TRY))
        lookout_explain(lookout, replay->lanes[lane], err);
    if (is_over)
        lookout_advise(lookout, "", "osc resume", err);
    return !is_over;
}

static bool apply_cheaply(struct db *db, const struct plan *plan, const char *condition,
                          struct arena *arena, struct error *err)
{
    bool is_known = false;

    return apply_overwriting(db, plan, condition, arena, &is_known, err) &&
           (is_known ||
            apply_entries(db, plan, plan->dialect->capture->replay_insert, condition, arena, err));
}

/*
 * A row in the way is one whose own entry is yet to come, or that a chunk has inserted since our
 * delete.  Where keys may merge it may be the row itself under another key: beside the copy the
 * verification will tell, later replay does.
 */
static bool may_leave_out(const struct replay_job *job)
{
    return job->beside_copy || !job->plan->key_may_merge;
}

/*
 * To meet such rows does no harm: nothing in this transaction stays of it.  Beside other lanes it
 * is most likely one of theirs, and a conflict.
 */
static bool apply_all_that_fit(const struct lane_work *work, const char *condition,
                               struct arena *arena, size_t *left_out, struct error *err)
{
    const struct replay_job *job = work->replay->job;
    struct db *db = work->replay->lanes[work->lane];

    if (!work->is_wary) {
        if (apply_cheaply(db, job->plan, condition, arena, err))
            return true;
        if (err->kind == ERROR_LOST || err->kind == ERROR_TRANSIENT || !may_leave_out(job))
            return false;
        error_clear(err);
        db_rollback(db);
        atomic_store(&work->replay->is_met, true);
        if (!db_begin(db, err))
            return false;
    }
    if (!apply_where_free(db, job->plan, condition, arena, left_out, err))
        return false;
    return work->step == 1 || !*left_out ||
           error_set(err, ERROR_CONFLICT, "%zu entries meet those of another lane", *left_out);
}

static bool apply_once(const struct lane_work *work, const char *condition, struct arena *arena,
                       size_t *left_out, struct error *err)
{
    struct db *db = work->replay->lanes[work->lane];

    *left_out = 0;
    if (!db_begin(db, err))
        return false;
    if (!apply_all_that_fit(work, condition, arena, left_out, err)) {
        db_rollback(db);
        return false;
    }
    FAILPOINT("replay-before-commit");
    const uint64_t started = clock_us();
    const bool good = db_commit(db, err);
    throttle_note_commit(work->replay->job->throttle, clock_us() - started);
    return good;
}

/*
 * Lanes have keys of their own.  But where rows exchange a value of another unique key, one lane
 * meets a row that the other is yet to move, or both wait for each other until the server ends one,
 * which takes PostgreSQL a second.  Beside the copy a lane waits for chunks, and tries again.
 */
static bool lanes_met(const struct replay *replay, unsigned lanes, const struct error *err)
{
    return lanes > 1 && (err->kind == ERROR_CONFLICT ||
                         (err->kind == ERROR_TRANSIENT && !replay->job->beside_copy));
}

/*
 * Where the reply was lost the entries may be forgotten already, and other ones
 * may have their places by now (a ctid is used again): for those nobody waited for the
 * chunks.  So the batch is given up, and the journal is read anew.
 */
static bool apply_lane(const struct lane_work *work, struct error *err)
{
    struct replay *replay = work->replay;
    const unsigned lane = work->lane, step = work->step;
    struct arena *arena = arena_new();
    struct lookout lookout = {.plan = replay->job->plan, .patience = &replay->job->patience};
    const struct deadline until = patience_deadline(&replay->job->patience);
    size_t count = 0, left_out = 0;
    const char *condition =
        journal_condition(replay->job->plan, work->batch, lane, step, &count, arena);
    bool good = true;

    for (unsigned n = 0; count; n++) {
        error_clear(err);
        good = apply_once(work, condition, arena, &left_out, err);
        if (good) {
            atomic_fetch_add(&replay->left_out, left_out);
            break;
        }
        if (err->kind == ERROR_LOST) {
            atomic_store(&replay->is_stale, true);
            error_clear(err);
            good = connect_lane(replay, lane, err);
            break;
        }
        if (lanes_met(replay, step, err) ||
            !is_worth_waiting(replay, lane, n, &lookout, &until, err))
            break;
        if (!cancel_sleep_ms(replay->cancel, backoff_ms(n, 5, 1000))) {
            (void)!cancel_check(replay->cancel, err); /* uncovered: cancelled in this pause */
            break;                                    /* uncovered: the same */
        }
    }
    arena_free(arena);
    return good;
}

static bool run_lane(void *argument, struct cancel *cancel, struct error *err)
{
    (void)cancel; /* a started batch is brought to its end */
    return apply_lane(argument, err);
}

static bool apply_spread(struct replay *replay, const struct batch *batch, unsigned lanes,
                         bool is_wary, struct error *err)
{
    struct lane_work *work = must_alloc(sizeof *work * lanes);
    struct group *group = group_new(NULL);
    bool good = true;

    for (unsigned lane = 0; good && lane < lanes; lane++) {
        work[lane] = (struct lane_work){replay, batch, lane, lanes, is_wary};
        if (lane > 0)
            good = group_start(group, "replay", run_lane, &work[lane], err);
    }
    struct error mine = ERROR_INIT;
    const bool first = good && run_lane(&work[0], NULL, &mine);
    good = group_join(group, err) && first;
    if (mine.kind != ERROR_NONE)
        *err = mine; /* uncovered: only the first lane fails */
    free(work);
    return good;
}

/* ---- unique conflicts ---- */

static bool settle_with(struct replay *replay, struct arena *arena, struct error *err)
{
    const struct plan *plan = replay->job->plan;
    struct batch batch;
    size_t count = 0;

    journal_start_over(&replay->journal);
    if (!journal_read(&replay->journal, replay->lanes[0], MOST_AT_ONCE, &batch, arena, err) ||
        !grace_wait(replay->job->grace, replay->cancel, err))
        return false;
    if (!batch.n)
        return true;
    const char *entries = journal_condition(plan, &batch, 0, 1, &count, arena);
    if (!apply_check_loss(replay->lanes[0], plan, entries, arena, err) ||
        !plan->dialect->capture->settle(replay->lanes[0], plan, entries, err))
        return false;
    atomic_fetch_add(&replay->job->progress->replayed, batch.n);
    return true;
}

static bool settle_once(struct replay *replay, struct error *err)
{
    struct arena *arena = arena_new();
    const bool good = settle_with(replay, arena, err);

    arena_free(arena);
    return good;
}

/*
 * A row in the way is one whose own entry was not in the batch, or not to be seen yet: source rows
 * are read later than the batch.  Read from one snapshot together with every visible entry they
 * cannot conflict, unless the data does.
 */
static bool settle(struct replay *replay, struct error *err)
{
    struct lookout lookout = {.plan = replay->job->plan, .patience = &replay->job->patience};
    const struct deadline until = patience_deadline(&replay->job->patience);

    for (unsigned n = 0;; n++) {
        error_clear(err);
        if (settle_once(replay, err))
            return true;
        if (err->kind == ERROR_CONFLICT && n >= 2) {
            error_hint(err,
                       "rows of %s violate a unique key of the new schema: osc abort, then "
                       "make them unique",
                       replay->job->plan->source->name);
            return error_prefix(err, "the source holds rows that the new schema does not allow");
        }
        const bool may_vanish = err->kind == ERROR_LOST || err->kind == ERROR_CONFLICT;
        if (may_vanish ? n == MOST_TRIES : !is_worth_waiting(replay, 0, n, &lookout, &until, err))
            return false; /* uncovered: so many failures in a row */
        if (!cancel_sleep_ms(replay->cancel, backoff_ms(n, 5, 1000)))
            return cancel_check(replay->cancel, err); /* uncovered: cancelled in this pause */
        if (db_is_lost(replay->lanes[0]) && !connect_lane(replay, 0, err))
            return false; /* uncovered: a second failure within the handling of the first */
    }
}

/*
 * What was left out in one pass comes in the next: the row in its way was replayed in between, or
 * left out in turn.  Two such passes may still be the writers' doing; everything together tells.
 * It costs as much as the journal is long, which after a pass it is not.
 */
static bool end_pass(struct replay *replay, struct error *err)
{
    const bool is_enough = replay->leaves_out && replay->left_out_before;

    replay->left_out_before = replay->leaves_out && !is_enough;
    replay->leaves_out = false;
    if (!is_enough)
        return true;
    FAILPOINT("all-settled");
    return settle(replay, err);
}

/* ---- the loop ---- */

static unsigned lanes_for(struct replay *replay, const struct batch *batch)
{
    if (batch->n < SPREAD_FROM)
        return 1;
    if (!replay->alone)
        return replay->job->lanes;
    replay->alone--;
    return 1;
}

/* Other lanes may have forgotten their entries: the journal is read anew, for one lane. */
static bool leave_to_one_lane(struct replay *replay, struct error *err)
{
    error_clear(err);
    replay->alone = replay->next_alone;
    replay->next_alone = 2 * replay->alone < MOST_ALONE ? 2 * replay->alone : MOST_ALONE;
    atomic_store(&replay->is_stale, true);
    return true;
}

static bool apply_batch(struct replay *replay, const struct batch *batch, struct error *err)
{
    const unsigned lanes = lanes_for(replay, batch);
    const bool is_wary = replay->wary > 0;

    replay->wary -= is_wary;
    atomic_store(&replay->left_out, 0);
    const bool good = apply_spread(replay, batch, lanes, is_wary, err);
    if (atomic_exchange(&replay->is_met, false))
        replay->wary = WARY_ROUNDS;
    if (good)
        return true;
    if (lanes_met(replay, lanes, err))
        return leave_to_one_lane(replay, err);
    if (err->kind != ERROR_CONFLICT)
        return false;
    error_clear(err);
    FAILPOINT("batch-settled");
    return settle(replay, err);
}

/* The server's text tells what does not fit; which row, and what to do, is told here. */
static bool explain(struct replay *replay, const struct batch *batch, struct error *err)
{
    const struct plan *plan = replay->job->plan;

    if (err->kind == ERROR_DATA && !*err->hint) {
        culprit_name(replay->lanes[0], plan, batch, err);
        apply_advise(plan, err);
    }
    return error_prefix(err, "replaying writes to %s", plan->source->name);
}

/* Reads a batch and applies it; *entries: how many there were, *is_short: it was a whole pass. */
static bool replay_batch(struct replay *replay, size_t *entries, bool *is_full_pass,
                         struct error *err)
{
    struct batch batch;

    arena_reset(replay->arena);
    if (db_is_lost(replay->lanes[0]) && !connect_lane(replay, 0, err))
        return false; /* uncovered: the server is gone for good */
    if (!journal_read(&replay->journal, replay->lanes[0], TUNED("BATCH", BATCH_ENTRIES), &batch,
                      replay->arena, err))
        return err->kind == ERROR_LOST
                   ? (*entries = 0, *is_full_pass = false, error_clear(err), true)
                   : false;
    *entries = batch.n;
    *is_full_pass = batch.is_full_pass;
    if (!batch.n)
        return end_pass(replay, err);
    FAILPOINT("batch-read");
    /* Chunks that may hold an older image of these rows end first; their rows are then replaced. */
    if (!MUTANT("no-grace") && !grace_wait(replay->job->grace, replay->cancel, err))
        return false;
    const uint64_t started = clock_us();
    if (!apply_batch(replay, &batch, err))
        return explain(replay, &batch, err);
    metrics_time(TIME_BATCH, clock_us() - started);
    if (atomic_exchange(&replay->is_stale, false)) {
        journal_start_over(&replay->journal);
        *is_full_pass = false;
        return true;
    }
    FAILPOINT("batch-replayed");
    const size_t left_out = atomic_load(&replay->left_out);
    atomic_fetch_add(&replay->job->progress->replayed, batch.n - left_out);
    replay->leaves_out |= left_out > 0;
    return !replay->journal.from_first || end_pass(replay, err) || explain(replay, &batch, err);
}

static bool replay_open(struct replay *replay, const struct replay_job *job, struct cancel *cancel,
                        struct error *err)
{
    *replay = (struct replay){.job = job, .cancel = cancel, .next_alone = ALONE_ROUNDS};
    replay->lanes = must_alloc(sizeof(struct db *) * job->lanes);
    replay->arena = arena_new();
    journal_init(&replay->journal, job->plan);
    for (unsigned lane = 0; lane < job->lanes; lane++)
        if (!connect_lane(replay, lane, err))
            return false;
    return true;
}

static void replay_close(struct replay *replay)
{
    for (unsigned lane = 0; lane < replay->job->lanes; lane++)
        db_close(replay->lanes[lane]);
    free(replay->lanes);
    journal_release(&replay->journal);
    arena_free(replay->arena);
}

/* What was read is all there is, unless it filled the batch: then the rest is counted now and then.
 */
static void tell_backlog(struct replay *replay, size_t entries)
{
    struct error ignored = ERROR_INIT;
    const uint64_t began = clock_ms();
    uint64_t backlog = entries;

    if (entries >= BATCH_ENTRIES) {
        if (!deadline_passed(&replay->next_count))
            return;
        if (!journal_backlog(replay->lanes[0], replay->job->plan, MOST_COUNTED, &backlog, &ignored))
            return; /* uncovered: a connection that broke is noticed by the next batch */
        replay->next_count = deadline_in_ms(500 + COUNT_PAUSES * (clock_ms() - began));
    }
    atomic_store(&replay->job->progress->backlog, backlog);
}

bool replay_service(void *argument, struct cancel *cancel, struct error *err)
{
    const struct replay_job *job = argument;
    struct replay replay;
    size_t entries = 0;
    bool is_full_pass = false;

    bool good = replay_open(&replay, job, cancel, err);
    while (good && !cancel_is_set(cancel)) {
        good = replay_batch(&replay, &entries, &is_full_pass, err);
        if (good)
            tell_backlog(&replay, entries);
        if (good && entries < BATCH_ENTRIES / 20)
            (void)!cancel_sleep_ms(cancel, IDLE_MS + replay.journal.pass_us / 200);
    }
    replay_close(&replay);
    if (!good && err->kind == ERROR_CANCELLED && cancel_is_set(cancel))
        good = true; /* being stopped is how a service ends */
    if (good)
        error_clear(err);
    return good;
}

bool replay_until_short(const struct replay_job *job, uint64_t wanted, const struct deadline *until,
                        struct cancel *cancel, struct error *err)
{
    struct replay replay;
    size_t entries = 0;
    bool is_full_pass = false;
    struct race race;
    bool good = replay_open(&replay, job, cancel, err);

    replay.until = until;
    race_begin(&race, job);
    while (good) {
        good = cancel_check(cancel, err) && replay_batch(&replay, &entries, &is_full_pass, err);
        if (good)
            tell_backlog(&replay, entries);
        if (good && is_full_pass && entries <= wanted)
            break;
        good = good && race_goes_on(&race, replay.lanes[0], err);
        if (good && until && deadline_passed(until))
            good = race_lost(&race, err); /* uncovered: the last moment of a race */
    }
    good = good && settle(&replay, err);
    replay_close(&replay);
    return good;
}
