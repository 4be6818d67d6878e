#include "copier/copier.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "copier/blame.h"
#include "copier/chunker.h"
#include "copier/copy_dialect.h"
#include "copier/pace.h"
#include "osc/base/clock.h"
#include "osc/base/fail.h"
#include "osc/base/group.h"
#include "osc/base/metrics.h"
#include "osc/db/dialect.h"

enum {
    MOST_TRIES = 10,   /* on connections that break */
    TELL_FROM_TRY = 2, /* a lock that is held for a moment is no news */
    SAVE_EVERY_MS = 1000,
};

struct copier {
    const struct copy_job *job;
    struct chunker *chunker;
    struct extent extent;
    struct group *group;
    struct worker *workers; /* MOST_THREADS */
    unsigned started;
    atomic_uint working;      /* workers that still run */
    atomic_bool is_cut_short; /* some left although there was more */
};

struct worker {
    struct copier *copier;
    unsigned number;
    struct db *db;
    struct pace pace;
    struct chunk chunk;
    struct cancel *cancel;
};

/* A connection whose role is ours alone: an earlier holder is dead for sure.  NULL otherwise. */
static bool connect_worker(struct worker *worker, struct error *err)
{
    const struct copy_job *job = worker->copier->job;
    char role[32];

    db_close(worker->db);
    (void)snprintf(role, sizeof role, "copy-%u", worker->number);
    worker->db = db_open_patiently(job->dsn, role, worker->cancel, err);
    if (worker->db && server_fence(worker->db, job->plan->table_key, job->plan->run, role, err))
        return true;
    db_close(worker->db);
    worker->db = NULL;
    return false;
}

const char *copy_statement(const struct plan *plan)
{
    return plan->is_bare ? plan->dialect->copy->bare_chunk : plan->dialect->copy->chunk;
}

/*
 * Without an index nothing would notice that a chunk is copied a second time.
 * So a record of it is committed with its rows: both are there, or neither.
 */
static bool record_chunk(struct worker *worker, uint64_t rows, struct error *err)
{
    const struct plan *plan = worker->copier->job->plan;
    struct sql_env env = {.arena = worker->chunk.arena, .outer = &plan->env};

    if (!plan->is_bare || MUTANT("no-record"))
        return true;
    sql_bind_u64(&env, "first", worker->chunk.from);
    sql_bind_u64(&env, "last", worker->chunk.to);
    sql_bind_u64(&env, "rows", rows);
    return sql_exec(worker->db, plan->dialect->copy->record, &env, NULL, err);
}

/* Asked before a second try: the first may have been committed, and only its answer was lost. */
static bool is_recorded(struct worker *worker, bool *recorded, uint64_t *rows, struct error *err)
{
    const struct plan *plan = worker->copier->job->plan;
    struct sql_env env = {.arena = worker->chunk.arena, .outer = &plan->env};
    const char *copied = NULL;

    *recorded = false;
    if (!plan->is_bare)
        return true;
    sql_bind_u64(&env, "first", worker->chunk.from);
    sql_bind_u64(&env, "last", worker->chunk.to);
    if (!db_value(worker->db, env.arena, &copied,
                  sql_renders(env.arena, plan->dialect->copy->recorded, &env), err))
        return false; /* uncovered: a second failure within the handling of the first */
    *recorded = copied != NULL;
    if (copied)
        *rows = strtoull(copied, NULL, 10);
    return true;
}

static bool insert_chunk(struct worker *worker, uint64_t *inserted, struct error *err)
{
    const struct plan *plan = worker->copier->job->plan;
    struct sql_env env = {.arena = worker->chunk.arena, .outer = &plan->env};

    sql_bind_sql(&env, "range", worker->chunk.range);
    if (!db_begin(worker->db, err))
        return false;
    if (!sql_exec(worker->db, copy_statement(plan), &env, inserted, err) ||
        !record_chunk(worker, *inserted, err)) {
        db_rollback(worker->db);
        return false;
    }
    FAILPOINT("chunk-before-commit");
    if (!db_commit(worker->db, err))
        return false;
    FAILPOINT("chunk-committed");
    return true;
}

/* What the server did not object to, we do. */
static bool check_chunk(struct worker *worker, struct error *err)
{
    const struct plan *plan = worker->copier->job->plan;
    const char *range = worker->chunk.range;

    if (plan->silent_loss && !blame_silent_loss(worker->db, plan, range, err))
        return false;
    if (plan->copy_may_skip && !MUTANT("skip-silently"))
        return blame_skipped(worker->db, plan, range, err);
    return true;
}

/* What a worker does again and again until it is done, or it is not worth it any more. */
struct attempts {
    struct worker *worker;
    struct cancel *cancel;
    struct lookout lookout;
    struct deadline until;
    unsigned n;
};

static struct attempts attempts_at(struct worker *worker, struct cancel *cancel)
{
    const struct copy_job *job = worker->copier->job;

    return (struct attempts){
        .worker = worker,
        .cancel = cancel,
        .lookout = {.plan = job->plan, .patience = job->patience},
        .until = patience_deadline(job->patience),
    };
}

/* Who stands behind somebody's DDL waits, says so, and is in nobody's way. */
static bool is_worth_another(struct attempts *attempts, struct error *err)
{
    const unsigned n = attempts->n;

    if (err->kind == ERROR_LOST)
        return n < MOST_TRIES;
    if (err->kind != ERROR_TRANSIENT)
        return false;
    if (n >= TELL_FROM_TRY)
        lookout_explain(&attempts->lookout, attempts->worker->db, err);
    if (!deadline_passed(&attempts->until))
        return true;
    lookout_advise(&attempts->lookout, "", "osc resume", err);
    return false;
}

/* After a failure: true when it may be tried again, on a connection that is whole. */
static bool try_again(struct attempts *attempts, struct error *err)
{
    struct worker *worker = attempts->worker;

    if (!is_worth_another(attempts, err))
        return false;
    if (!cancel_sleep_ms(attempts->cancel, backoff_ms(attempts->n++, 20, 2000)))
        return cancel_check(attempts->cancel, err); /* uncovered: cancelled in this very pause */
    error_clear(err);
    return !db_is_lost(worker->db) || connect_worker(worker, err) ||
           error_prefix(err, "reconnecting"); /* uncovered: the server is gone for good */
}

/*
 * One try.  The chunk counts as running from before its statement is sent until
 * the server has answered; when the connection breaks, until the server has
 * shown that the old one is gone.
 */
static bool try_chunk(struct worker *worker, bool is_first, uint64_t *inserted, struct error *err)
{
    struct grace *grace = worker->copier->job->grace;
    struct error again = ERROR_INIT;
    bool recorded = false;

    if (!is_first && !is_recorded(worker, &recorded, inserted, err))
        return false; /* uncovered: the same */
    if (recorded)
        return true;
    const uint64_t ticket = grace_enter(grace);
    FAILPOINT("chunk-registered");
    const bool good = insert_chunk(worker, inserted, err);
    if (!good && err->kind == ERROR_LOST && !connect_worker(worker, &again)) {
        /* Not proved gone: the ticket stays, and the migration stops. */
        *err = again;
        return error_prefix(err, "making sure that a lost copy connection is gone");
    }
    grace_leave(grace, ticket);
    return good;
}

/*
 * A chunk of sparse keys is quick; the next may meet dense ones.  So it may hold
 * at most four times the rows that fit into the time.
 */
static void learn(struct worker *worker, uint64_t size, uint64_t inserted, uint64_t elapsed_us)
{
    struct pace *pace = &worker->pace;

    if (inserted)
        pace->most = 1 + 4 * (uint64_t)((double)inserted * (double)pace->target_us /
                                        (double)(elapsed_us + 1));
    pace_learn(pace, size, elapsed_us);
}

static bool copy_chunk(struct worker *worker, struct cancel *cancel, uint64_t *rows,
                       struct error *err)
{
    const struct copy_job *job = worker->copier->job;
    const uint64_t started = clock_us();
    struct attempts attempts = attempts_at(worker, cancel);
    uint64_t inserted = 0;

    while (!try_chunk(worker, attempts.n == 0, &inserted, err) || !check_chunk(worker, err)) {
        if (worker->db && (err->kind == ERROR_DATA || err->kind == ERROR_CONFLICT))
            blame_row(worker->db, job->plan, worker->chunk.range, err);
        if (!worker->db || !try_again(&attempts, err))
            return error_prefix(err, "copying chunk %" PRIu64, worker->chunk.id);
    }
    const uint64_t elapsed = clock_us() - started;
    metrics_time(TIME_CHUNK, elapsed);
    if (chunker_is_numeric(worker->copier->chunker)) {
        const uint64_t size = worker->chunk.to - worker->chunk.from + 1;
        learn(worker, size, inserted, elapsed);
        atomic_fetch_add(&job->progress->units_copied, size);
    } else {
        pace_learn(&worker->pace, worker->pace.size, elapsed);
    }
    atomic_fetch_add(&job->progress->rows_copied, inserted);
    *rows = inserted;
    return true;
}

static bool take_chunk(struct worker *worker, struct cancel *cancel, bool *found, struct error *err)
{
    struct attempts attempts = attempts_at(worker, cancel);

    while (!chunker_take(worker->copier->chunker, worker->number, worker->db, worker->pace.size,
                         &worker->chunk, found, err))
        if (!try_again(&attempts, err))
            return false; /* uncovered: torture breaks connections, which may be tried again */
    return true;
}

static bool skip_gap(struct worker *worker, struct cancel *cancel, struct error *err)
{
    struct attempts attempts = attempts_at(worker, cancel);

    while (!chunker_skip_gap(worker->copier->chunker, worker->number, worker->db, err))
        /* uncovered: a gap lies behind a chunk, and torture has one chunk */
        if (!try_again(&attempts, err))
            return false;
    return true;
}

/* Takes a chunk and copies it; *found is false when nothing is left. */
static bool copy_next(struct worker *worker, struct cancel *cancel, bool *found, struct error *err)
{
    struct copier *copier = worker->copier;
    uint64_t rows = 0;

    if (copier->job->is_enough && atomic_load(copier->job->is_enough)) {
        atomic_store(&copier->is_cut_short, true);
        *found = false;
        return true;
    }
    if (!take_chunk(worker, cancel, found, err))
        return false; /* uncovered: as there */
    if (!*found)
        return true;
    if (!copy_chunk(worker, cancel, &rows, err))
        return false;
    chunker_done(copier->chunker, worker->number, &worker->chunk);
    return rows || !chunker_is_numeric(copier->chunker) || skip_gap(worker, cancel, err);
}

static bool copy_chunks(struct worker *worker, struct cancel *cancel, struct error *err)
{
    const struct copy_job *job = worker->copier->job;
    struct throttle *throttle = job->throttle;
    bool good = true, found = true;

    while (good && found && throttle_enter(throttle, cancel, err)) {
        const uint64_t started = clock_us();
        pace_aim(&worker->pace, throttle_piece_us(throttle, job->chunk_time_ms * 1000));
        good = copy_next(worker, cancel, &found, err);
        throttle_leave(throttle, clock_us() - started);
    }
    return good && !found;
}

static bool run_worker(void *argument, struct cancel *cancel, struct error *err)
{
    struct worker *worker = argument;
    struct copier *copier = worker->copier;

    worker->cancel = cancel;
    worker->chunk.arena = arena_new();
    worker->pace = (struct pace){
        .target_us = copier->job->chunk_time_ms * 1000,
        .size = TUNED("CHUNK", copier->extent.chunk_positions),
        .least = TUNED("CHUNK", copier->extent.chunk_positions / 8),
        .most = chunker_is_numeric(copier->chunker) ? copier->extent.chunk_positions
                                                    : UINT64_C(1) << 30,
    };
    atomic_fetch_add(&copier->job->progress->threads, 1);
    const bool good = connect_worker(worker, err) && copy_chunks(worker, cancel, err);
    atomic_fetch_sub(&copier->job->progress->threads, 1);
    db_close(worker->db);
    arena_free(worker->chunk.arena);
    atomic_fetch_sub(&copier->working, 1);
    return good;
}

static bool start_workers(struct copier *copier, unsigned n, struct error *err)
{
    bool good = true;

    for (; good && copier->started < n; copier->started++) {
        struct worker *worker = &copier->workers[copier->started];
        char name[16];
        *worker = (struct worker){.copier = copier, .number = copier->started};
        (void)snprintf(name, sizeof name, "copy-%u", worker->number);
        atomic_fetch_add(&copier->working, 1);
        good = group_start(copier->group, name, run_worker, worker, err);
    }
    return good;
}

/* While the workers work: the watermark is saved, the source is looked at, an order for more of
 * them is followed. */
static bool attend(struct copier *copier, struct error *err)
{
    const struct copy_job *job = copier->job;
    struct cancel *cancel = group_token(copier->group);
    struct arena *arena = arena_new();
    bool good = true;

    while (good && atomic_load(&copier->working)) {
        const struct deadline next = deadline_in_ms(SAVE_EVERY_MS);
        while (atomic_load(&copier->working) && !deadline_passed(&next))
            if (!cancel_sleep_ms(cancel, 5))
                break;
        if (cancel_is_set(cancel))
            break;
        if (!job->takes_turns && atomic_load(&copier->working))
            good = start_workers(copier, throttle_threads(job->throttle), err);
        arena_reset(arena);
        good = good && plan_check_source(job->plan, job->db, err) &&
               job->save(job->owner, chunker_watermark(copier->chunker, arena), err);
        /* Somebody's DDL in the queue keeps us from asking: the next look will tell. */
        if (!good && err->kind == ERROR_TRANSIENT) {
            error_clear(err);
            good = true;
        }
    }
    arena_free(arena);
    return good;
}

static bool run_workers(struct copier *copier, struct error *err)
{
    const struct copy_job *job = copier->job;
    struct error first = ERROR_INIT;

    copier->workers = must_alloc(sizeof *copier->workers * MOST_THREADS);
    copier->group = group_new(job->cancel);
    bool good = start_workers(copier, job->takes_turns ? 1 : job->threads, &first) &&
                attend(copier, &first);
    if (!good)
        group_cancel(copier->group);
    good = group_join(copier->group, err) && good;
    /* The reason of ours is the cause; a worker that was cancelled because of it is not. */
    if (first.kind != ERROR_NONE)
        *err = first;
    free(copier->workers);
    return good;
}

static bool read_records(struct db *db, const struct plan *plan, const struct extent *extent,
                         struct arena *arena, const char **watermark, struct error *err)
{
    struct sql_env env = {.arena = arena, .outer = &plan->env};
    const char *stretches = NULL;

    sql_bind_u64(&env, "last", extent->last);
    if (!db_value(db, arena, &stretches, sql_renders(arena, plan->dialect->copy->remaining, &env),
                  err))
        /* uncovered: torture resumes after the copy */
        return error_prefix(err, "reading which chunks are copied");
    *watermark = stretches ? arena_printf(arena, "{\"stretches\":[%s]}", stretches) : NULL;
    return true;
}

bool copy_remaining(struct db *db, const struct plan *plan, struct arena *arena,
                    const char **watermark, struct error *err)
{
    struct extent extent;

    *watermark = NULL;
    return plan->dialect->copy->extent(db, plan, &extent, err) &&
           (extent.is_empty || read_records(db, plan, &extent, arena, watermark, err));
}

bool copy_table(const struct copy_job *job, struct error *err)
{
    struct copier copier = {.job = job};
    struct arena *arena = arena_new();

    bool good = job->plan->dialect->copy->extent(job->db, job->plan, &copier.extent, err);
    if (good && !copier.extent.is_empty) {
        if (copier.extent.is_numeric)
            atomic_store(&job->progress->units_expected,
                         copier.extent.last - copier.extent.first + 1);
        const char *watermark = job->watermark;
        good = !job->plan->is_bare ||
               read_records(job->db, job->plan, &copier.extent, arena, &watermark, err);
        copier.chunker =
            good ? chunker_new(job->plan, &copier.extent, job->threads, watermark, err) : NULL;
        good = copier.chunker && run_workers(&copier, err);
        /* Saved also on the way out of a failure: a resume goes on from here. */
        struct error ignored = ERROR_INIT;
        if (copier.chunker)
            (void)!job->save(job->owner, chunker_watermark(copier.chunker, arena), &ignored);
    }
    if (job->is_enough)
        atomic_store(job->is_enough, atomic_load(&copier.is_cut_short));
    chunker_free(copier.chunker);
    arena_free(arena);
    return good;
}
