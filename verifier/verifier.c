#include "verifier/verifier.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "osc/base/clock.h"
#include "osc/base/fail.h"
#include "osc/base/group.h"
#include "osc/base/metrics.h"
#include "verifier/narrow.h"
#include "verifier/walk.h"

enum {
    FIRST_ROWS = 2000,
    MOST_TRIES = 10,
    MOST_LOOKS = 3,       /* without a journal: how often a difference is looked at again */
    FIRST_PAUSE_MS = 200, /* and how long we wait before; doubles */
    PATIENCE_RANGES = 10, /* but no longer once so many stayed different */
    EXCUSE_AT_ONCE = 8,   /* ranges after one that was equal but for rows in flight */
    LOOK_EVERY_MS = 50,
    INTERRUPT_EVERY_MS = 300,
};

struct verifier {
    const struct verify_job *job;
    struct walk *walk;
    struct sql_env env; /* what is the same for every range */
    pthread_mutex_t lock;
    struct group *group;
    struct worker *workers; /* most of them */
    unsigned most, started;
    bool is_beginning; /* see verify_beginning() */
};

struct worker {
    struct verifier *verifier;
    unsigned number;
    struct db *db GUARDED_BY(verifier->lock); /* changed by the worker, interrupted by the caller */
    struct arena *arena;                      /* of one range */
    struct arena *kept;                       /* as long as the worker */
    uint64_t rows;                            /* the next range should have */
    unsigned excuse_next;
    struct cancel *cancel;
    struct verdict verdict; /* its share */
};

/* ---- one worker ---- */

static bool connect_worker(struct worker *worker, struct error *err)
{
    struct verifier *verifier = worker->verifier;
    char role[32];

    (void)snprintf(role, sizeof role, "verify-%u", worker->number);
    struct db *db = db_open_patiently(verifier->job->dsn, role, worker->cancel, err);
    pthread_mutex_lock(&verifier->lock);
    struct db *old = worker->db;
    worker->db = db;
    pthread_mutex_unlock(&verifier->lock);
    db_close(old);
    return db != NULL;
}

static bool compare_range(struct worker *worker, const struct range *range, bool excuses,
                          bool *is_equal, uint64_t *rows, struct error *err)
{
    struct sql_env env = {.arena = worker->arena, .outer = &worker->verifier->env};
    struct digest source, shadow;

    digest_bind_range(worker->verifier->job->plan, &env, range, excuses);
    if (!digest_range(worker->db, &env, &source, &shadow, worker->arena, err))
        return false;
    *is_equal = digest_is_equal(&source, &shadow);
    *rows = source.rows;
    return true;
}

/* Which rows differ, and do they still?  Keeps what is found when they do. */
static bool list_differences(struct worker *worker, const struct range *range, bool is_last_look,
                             bool *is_equal, struct error *err)
{
    const struct verify_job *job = worker->verifier->job;
    struct sql_env env = {.arena = worker->arena, .outer = &worker->verifier->env};
    struct difference *differences = NULL, **last = &worker->verdict.differences;
    const uint64_t known = worker->verdict.differing;
    const uint64_t most =
        !is_last_look || known > job->max_reported ? 0 : job->max_reported - known;
    uint64_t differing = 0;

    digest_bind_range(job->plan, &env, range, job->has_journal);
    if (!narrow_range(worker->db, job->plan, &env, most, &differences, &differing, worker->kept,
                      err))
        return false;
    *is_equal = !differing;
    if (*is_equal || !is_last_look)
        return true;
    for (struct difference *d = differences; d; d = d->next)
        d->range = range->number;
    while (*last)
        last = &(*last)->next;
    *last = differences;
    worker->verdict.differing += differing;
    metrics_add(COUNT_ROWS_DIFFERING, differing);
    verdict_add_range(job->plan, &worker->verdict, range, worker->kept);
    return true;
}

/*
 * With a journal one look proves it: an entry is forgotten in the transaction
 * that replays it, so a key without an entry must be equal in the same
 * snapshot.  Without one the other table may just be a moment behind.
 */
static bool settle_difference(struct worker *worker, const struct range *range,
                              struct cancel *cancel, bool *is_equal, struct error *err)
{
    const bool is_sure =
        worker->verifier->job->has_journal || worker->verdict.n_ranges >= PATIENCE_RANGES;
    const unsigned looks = is_sure ? 1 : MOST_LOOKS;

    for (unsigned look = 1; !*is_equal && look <= looks; look++) {
        if (look > 1 && !cancel_sleep_ms(cancel, (uint64_t)FIRST_PAUSE_MS << (look - 2)))
            return cancel_check(cancel, err);
        if (!list_differences(worker, range, look == looks, is_equal, err))
            return false;
    }
    return true;
}

static bool verify_range(struct worker *worker, const struct range *range, struct cancel *cancel,
                         uint64_t *rows, struct error *err)
{
    const bool has_journal = worker->verifier->job->has_journal;
    const bool excuses = has_journal && worker->excuse_next;
    bool is_equal = false;

    if (worker->excuse_next)
        worker->excuse_next--;
    if (!compare_range(worker, range, excuses, &is_equal, rows, err) || is_equal)
        return err->kind == ERROR_NONE;
    worker->verdict.rechecked++;
    metrics_add(COUNT_RANGES_AGAIN, 1);
    FAILPOINT("verify-differs");
    if (has_journal && !excuses) {
        if (!compare_range(worker, range, true, &is_equal, rows, err))
            return false;
        if (is_equal)
            worker->excuse_next = EXCUSE_AT_ONCE;
    }
    return settle_difference(worker, range, cancel, &is_equal, err);
}

static bool is_worth_retrying(const struct error *err)
{
    return err->kind == ERROR_TRANSIENT || err->kind == ERROR_LOST;
}

/* After a failure: true when reading again, which does no harm, is worth a try. */
static bool try_again(struct worker *worker, unsigned attempt, struct cancel *cancel,
                      struct error *err)
{
    if (!cancel_sleep_ms(cancel, backoff_ms(attempt, 20, 2000)))
        return cancel_check(cancel, err);
    return is_worth_retrying(err) && attempt < MOST_TRIES &&
           (!db_is_lost(worker->db) || connect_worker(worker, err));
}

/* Ready for the next range, which is to take as long as it should. */
static void count_range(struct worker *worker, uint64_t rows, uint64_t took_us)
{
    const struct verify_job *job = worker->verifier->job;

    metrics_time(TIME_RANGE, took_us);
    worker->rows = walk_pace(worker->rows, took_us,
                             throttle_piece_us(job->throttle, job->chunk_time_ms * 1000));
    worker->verdict.chunks++;
    metrics_add(COUNT_RANGES, 1);
    worker->verdict.rows += rows;
    if (job->progress)
        atomic_fetch_add(&job->progress->rows_verified, rows);
}

static bool verify_persistently(struct worker *worker, const struct range *range,
                                struct cancel *cancel, struct error *err)
{
    uint64_t rows = 0;

    for (unsigned attempt = 0;; attempt++) {
        const uint64_t started = clock_us();
        error_clear(err);
        if (verify_range(worker, range, cancel, &rows, err)) {
            count_range(worker, rows, clock_us() - started);
            return true;
        }
        if (!try_again(worker, attempt, cancel, err))
            return err->kind == ERROR_CANCELLED
                       ? false
                       : error_prefix(err, "verifying range %" PRIu64, range->number);
    }
}

/* Rows in flight, or any trouble, end the beginning. */
static bool verify_at_first_sight(struct worker *worker, const struct range *range,
                                  struct error *err)
{
    const uint64_t started = clock_us();
    const bool is_last = !range->through.literals;
    bool is_equal = false;
    uint64_t rows = 0;

    if (!is_last && compare_range(worker, range, false, &is_equal, &rows, err) && is_equal)
        count_range(worker, rows, clock_us() - started);
    else
        walk_end_before(worker->verifier->walk, range);
    return err->kind == ERROR_NONE;
}

static bool take_range(struct worker *worker, struct range *range, bool *found,
                       struct cancel *cancel, struct error *err)
{
    struct walk *walk = worker->verifier->walk;

    for (unsigned attempt = 0;; attempt++) {
        error_clear(err);
        arena_reset(worker->arena);
        if (walk_take(walk, worker->db, worker->rows, worker->arena, range, found, err))
            return true;
        if (!try_again(worker, attempt, cancel, err))
            return false; /* uncovered: so many failures in a row */
    }
}

static bool verify_next(struct worker *worker, struct cancel *cancel, bool *found,
                        struct error *err)
{
    struct range range;

    if (!take_range(worker, &range, found, cancel, err) || !*found)
        return err->kind == ERROR_NONE;
    return worker->verifier->is_beginning ? verify_at_first_sight(worker, &range, err)
                                          : verify_persistently(worker, &range, cancel, err);
}

static bool verify_ranges(struct worker *worker, struct cancel *cancel, struct error *err)
{
    struct throttle *throttle = worker->verifier->job->throttle;
    bool good = true, found = true;

    while (good && found && throttle_enter(throttle, cancel, err)) {
        const uint64_t started = clock_us();
        good = verify_next(worker, cancel, &found, err);
        throttle_leave(throttle, clock_us() - started);
    }
    return good && !found;
}

static bool run_worker(void *argument, struct cancel *cancel, struct error *err)
{
    struct worker *worker = argument;

    worker->cancel = cancel;
    const bool good = connect_worker(worker, err) && verify_ranges(worker, cancel, err);

    walk_leave(worker->verifier->walk);
    return good;
}

/* ---- the caller's thread ---- */

static void interrupt_workers(struct verifier *verifier)
{
    pthread_mutex_lock(&verifier->lock);
    for (unsigned i = 0; i < verifier->started; i++)
        if (verifier->workers[i].db)
            db_interrupt(verifier->workers[i].db);
    pthread_mutex_unlock(&verifier->lock);
}

static bool start_workers(struct verifier *verifier, unsigned n, struct error *err)
{
    bool good = true;

    for (; good && verifier->started < n && verifier->started < verifier->most;
         verifier->started++) {
        struct worker *worker = &verifier->workers[verifier->started];
        char name[32];
        *worker = (struct worker){.verifier = verifier,
                                  .number = verifier->started + 1,
                                  .arena = arena_new(),
                                  .kept = arena_new(),
                                  .rows = TUNED("RANGE", FIRST_ROWS)};
        (void)snprintf(name, sizeof name, "verify-%u", worker->number);
        walk_enter(verifier->walk);
        good = group_start(verifier->group, name, run_worker, worker, err);
        /* uncovered: a test cannot use up the system's threads */
        if (!good)
            walk_leave(verifier->walk);
    }
    return good;
}

/* Until the workers are done; stops them when told to, and follows an order for more. */
static bool watch_workers(struct verifier *verifier, struct error *err)
{
    struct deadline interrupt = deadline_in_ms(0);
    bool good = true;

    while (!walk_is_over(verifier->walk, LOOK_EVERY_MS)) {
        /* More than once: a worker may have been between two statements. */
        if (cancel_is_set(group_token(verifier->group))) {
            if (deadline_passed(&interrupt)) {
                interrupt_workers(verifier);
                interrupt = deadline_in_ms(INTERRUPT_EVERY_MS);
            }
        } else if (!start_workers(verifier, throttle_threads(verifier->job->throttle), err)) {
            /* uncovered: the same */
            good = false;
            group_cancel(verifier->group);
        }
    }
    return good;
}

static bool run_workers(struct verifier *verifier, struct error *err)
{
    struct error joined = ERROR_INIT;

    verifier->group = group_new(verifier->job->cancel);
    bool good = start_workers(verifier, verifier->job->threads, err);
    if (!good)
        group_cancel(verifier->group); /* uncovered: the same */
    good = watch_workers(verifier, err) && good;
    const bool worked = group_join(verifier->group, &joined);
    /* What made us cancel the others comes first. */
    if (good && !worked)
        *err = joined;
    return good && worked;
}

static void close_workers(struct verifier *verifier, struct arena *arena, struct verdict *verdict)
{
    for (unsigned i = 0; i < verifier->started; i++) {
        struct worker *worker = &verifier->workers[i];
        verdict_add_share(verifier->job->plan, verdict, &worker->verdict,
                          verifier->job->max_reported, arena);
        db_close(worker->db);
        arena_free(worker->arena);
        arena_free(worker->kept);
    }
}

/* What the workers found is added up in *verdict. */
static bool run(struct verifier *verifier, struct arena *arena, struct verdict *verdict,
                struct error *err)
{
    const struct plan *plan = verifier->job->plan;

    verifier->env = (struct sql_env){.arena = arena, .outer = &plan->env};
    digest_bind(plan, &verifier->env);
    narrow_bind(plan, &verifier->env);
    /* A table that cannot be cut into ranges is one range. */
    verifier->most = plan->key_keeps_order ? MOST_THREADS : 1;
    verifier->workers = ARENA_ARRAY(arena, struct worker, verifier->most);
    (void)pthread_mutex_init(&verifier->lock, NULL);
    const bool good = run_workers(verifier, err);
    *verdict = (struct verdict){.is_equal = false};
    close_workers(verifier, arena, verdict);
    (void)pthread_mutex_destroy(&verifier->lock);
    return good;
}

void verify_beginning(const struct verify_job *job, struct arena *arena, struct beginning *found)
{
    struct verifier verifier = {
        .job = job, .walk = walk_new(job->plan, job->after), .is_beginning = true};
    struct verdict verdict;
    struct error any = ERROR_INIT;

    /* The same trouble, if it lasts, is told by verify_tables(). */
    (void)run(&verifier, arena, &verdict, &any);
    walk_rest(verifier.walk, &found->through, arena);
    found->rows = verdict.rows;
    walk_free(verifier.walk);
}

bool verify_tables(const struct verify_job *job, struct arena *arena, struct verdict *verdict,
                   struct error *err)
{
    struct verifier verifier = {.job = job, .walk = walk_new(job->plan, job->after)};

    const bool good = run(&verifier, arena, verdict, err);
    verdict->is_equal = good && !verdict->differing;
    if (good)
        metrics_add(verdict->is_equal ? COUNT_VERIFIED_EQUAL : COUNT_VERIFIED_DIFFER, 1);
    walk_free(verifier.walk);
    if (!good)
        return error_prefix(err, "comparing %s with %s", job->plan->source->quoted,
                            job->plan->shadow->quoted);
    return true;
}
