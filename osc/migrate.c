/*
 * One migration, from request to finish.
 *
 * A step may be interrupted anywhere and entered again: each one looks at what
 * is there and does only what is missing.  Before the cutover everything can be
 * undone; after it the way on is finish.
 */
#include "osc/migrate.h"

#include <inttypes.h>
#include <string.h>

#include "copier/copier.h"
#include "osc/bare.h"
#include "osc/base/fail.h"
#include "osc/base/log.h"
#include "osc/beside.h"
#include "osc/control/orders.h"
#include "osc/cutover.h"
#include "osc/db/dialect.h"
#include "osc/db/interruptible.h"
#include "osc/hook_points.h"
#include "osc/leave.h"
#include "osc/migration.h"
#include "osc/plan/blockers.h"
#include "osc/plan/catalog_dialect.h"
#include "osc/plan/own.h"
#include "osc/shadow.h"
#include "triggers/capture.h"
#include "verifier/verifier.h"

enum { SHORT_BACKLOG = 2000, INDEX_TRIES = 4, VERIFY_ROUNDS = 3, DRAIN_MS = 1000 };

/* ---- the steps ---- */

/* Crashed between creating the shadow and saying so. */
static bool drop_half_made_shadow(struct migration *m, struct error *err)
{
    const char *comment = "";
    bool exists = false;

    if (!m->plan.dialect->catalog->exists(m->db, m->plan.source->schema, m->plan.names.shadow,
                                          m->arena, &exists, &comment, err) ||
        !exists)
        return err->kind == ERROR_NONE;
    return migration_check_shadow(m, err) && m->plan.dialect->shadow->drop(m->db, &m->plan, err);
}

static bool step_shadow(struct migration *m, struct error *err)
{
    const char *deferred = NULL;

    if (!*m->state.deferred)
        return drop_half_made_shadow(m, err) &&
               m->plan.dialect->shadow->create(m->db, &m->plan, &deferred, err) &&
               plan_shadow(&m->plan, m->db, err) &&
               plan_check_unverified(&m->plan, m->options.verify != VERIFY_NONE, err) &&
               migration_set(m, "deferred", &m->state.deferred, deferred, err);
    return true;
}

static bool step_capture(struct migration *m, struct error *err)
{
    const struct patience patience = migration_patience(m);
    const char *stamp = NULL;

    if (*m->state.stamp)
        return capture_check(m->db, &m->plan, m->state.stamp, err);
    return capture_remove(m->db, &m->plan, &patience, err) &&
           capture_install(m->db, &m->plan, &patience, &stamp, err) &&
           migration_set(m, "stamp", &m->state.stamp, stamp, err);
}

static bool save_watermark(void *owner, const char *watermark, struct error *err)
{
    struct migration *m = owner;

    return state_set(m->db, m->state.schema, m->state.id, "watermark", watermark, err) &&
           capture_check(m->db, &m->plan, m->state.stamp, err) && bare_look_at_journal(m, err);
}

/* Two that take turns at the lock of the shadow's counter are slower than one. */
static bool copies_take_turns(const struct migration *m)
{
    return table_automatic(m->plan.shadow) && db_facts(m->db)->counter_takes_turns;
}

static bool copy(struct migration *m, struct cancel *cancel, struct error *err)
{
    const struct patience patience = migration_patience(m);
    const struct copy_job job = {
        .plan = &m->plan,
        .dsn = &m->dsn,
        .db = m->db,
        .grace = m->grace,
        .cancel = cancel,
        .progress = m->request->progress,
        .patience = &patience,
        .throttle = m->throttle,
        .threads = migration_threads(m),
        .takes_turns = copies_take_turns(m),
        .chunk_time_ms = m->options.chunk_time_ms,
        .watermark = m->state.watermark,
        .save = save_watermark,
        .owner = m,
        .is_enough = m->plan.is_bare ? &m->is_journal_long : NULL,
    };

    return copy_table(&job, err);
}

static bool step_copy(struct migration *m, struct error *err)
{
    if (m->plan.is_bare) {
        if (!copy(m, m->cancel, err))
            return false;
        if (!atomic_load(&m->is_journal_long))
            return true;
        if (!bare_end_early(m, err))
            return false; /* uncovered: a second failure beside a long journal */
    }
    struct replay_job replay = migration_replay_job(m);
    replay.beside_copy = true;
    return migration_with_replay(m, &replay, copy, err);
}

/*
 * Replay rests while indexes are built, after a moment in which the shadow was
 * consistent: a half-replayed exchange of unique values would look like duplicates.
 */
static bool make_consistent(struct migration *m, struct error *err)
{
    const struct replay_job replay = migration_replay_job(m);

    return m->plan.is_bare ? replay_purge(&replay, m->cancel, err)
                           : replay_until_short(&replay, SHORT_BACKLOG, NULL, m->cancel, err);
}

/* Somebody who reads the shadow, a dump say, keeps us from it and nobody waiting. */
static bool await_shadow(struct migration *m, struct lookout *lookout, const struct deadline *until,
                         unsigned attempt, struct error *err)
{
    lookout_explain(lookout, m->db, err);
    if (deadline_passed(until))
        return lookout_advise(lookout, "", "osc resume", err);
    return cancel_sleep_ms(m->cancel, backoff_until_ms(until, attempt, 100, 5000)) ||
           cancel_check(m->cancel, err); /* uncovered: ^C in this very pause */
}

static bool step_indexes(struct migration *m, struct error *err)
{
    const struct patience patience = migration_patience(m);
    const struct deadline until = patience_deadline(&patience);
    struct lookout lookout = {.plan = &m->plan,
                              .patience = &patience,
                              .tables = {m->plan.names.shadow},
                              .readers_count = true};

    for (unsigned attempt = 0, conflicts = 0;; attempt++) {
        error_clear(err);
        if (!plan_shadow(&m->plan, m->db, err) || !make_consistent(m, err))
            return false;
        FAILPOINT("before-indexes");
        if (!throttle_await(m->throttle, m->cancel, err))
            return false;
        if (beside_build(m, err))
            return plan_shadow(&m->plan, m->db, err);
        error_prefix(err, "building the indexes of %s", m->plan.names.shadow);
        if (err->kind == ERROR_CONFLICT && ++conflicts < INDEX_TRIES)
            LOG(LOG_INFO, "duplicates met while building indexes, looking again after a replay",
                FU("attempt", conflicts), F("error", err->text));
        else if (err->kind != ERROR_TRANSIENT || !await_shadow(m, &lookout, &until, attempt, err))
            return false;
    }
}

static bool step_catch_up(struct migration *m, struct error *err)
{
    const struct replay_job replay = migration_replay_job(m);

    return replay_until_short(&replay, SHORT_BACKLOG, NULL, m->cancel, err) &&
           migration_analyze(m, err);
}

static bool diverged(const struct plan *plan, const struct verdict *verdict, struct error *err)
{
    AUTO(text) text = TEXT_INIT;

    verdict_text(plan, verdict, 20, &text);
    error_set(err, ERROR_DIVERGED, "%s", text.bytes);
    return error_hint(err,
                      "nothing was swapped; osc resume --repair replays these rows and verifies "
                      "again, osc abort gives up");
}

static bool verify(struct migration *m, struct cancel *cancel, struct error *err)
{
    struct verify_job job = migration_verify_job(m, cancel);

    for (unsigned round = 1;; round++) {
        struct verdict verdict = {.is_equal = false};
        if (!verify_tables(&job, m->arena, &verdict, err))
            return false;
        if (verdict.is_equal)
            return true;
        if (!m->options.repair || round == VERIFY_ROUNDS)
            return diverged(&m->plan, &verdict, err);
        uint64_t entries = 0;
        if (!verify_repair(&job, &verdict, &entries, err))
            return false; /* uncovered: a second failure after a divergence */
        LOG(LOG_WARN, "rows differ and are replayed", FU("rows", verdict.differing),
            FU("entries", entries));
        job.after = NULL;
    }
}

static bool step_verify(struct migration *m, struct error *err)
{
    if (m->options.verify == VERIFY_NONE)
        return true;
    struct replay_job replay = migration_replay_job(m);
    return migration_with_replay(m, &replay, verify, err);
}

/* One round of attempts, as the orders are now. */
static bool try_cutover(struct migration *m, bool *is_held, struct error *err)
{
    const struct replay_job replay = migration_replay_job(m);
    const struct cutover_job job = {
        .plan = &m->plan,
        .dsn = &m->dsn,
        .replay = &replay,
        .deferred = m->state.deferred,
        .stamp = m->state.stamp,
        .patience = migration_patience(m),
        .drain_ms = DRAIN_MS,
        .progress = m->request->progress,
        .may_swap = leave_to_swap,
        .owner = m,
        .is_held = is_held,
    };

    return cutover_swap(&job, err);
}

/* Told to wait between two attempts, it waits as it did before the first. */
static bool step_cutover(struct migration *m, struct error *err)
{
    for (;;) {
        bool is_held = false;

        if (!hook_points_consent(m, err))
            return false;
        if (try_cutover(m, &is_held, err))
            return true;
        if (!is_held)
            return false;
        error_clear(err);
        if (!leave_await(m, STEP_CUTOVER, err))
            return false; /* uncovered: ^C between two attempts */
    }
}

static bool step_finish(struct migration *m, struct error *err)
{
    return migration_clean(m, err) &&
           (m->options.after == AFTER_KEEP || migration_drop_retired(m, err));
}

static const struct step {
    enum step_id id;
    const char *name; /* also the durable name */
    bool (*run)(struct migration *m, struct error *err);
} steps[] = {
    {STEP_PLAN,     "plan",     NULL         }, /* read, check, choose the key: before the others */
    {STEP_SHADOW,   "shadow",   step_shadow  }, /* empty copy, ALTER applied to it                */
    {STEP_CAPTURE,  "capture",  step_capture }, /* every write now leaves its key in the journal  */
    {STEP_COPY,     "copy",     step_copy    }, /* backfill, chunk by chunk, replay beside it     */
    {STEP_INDEXES,  "indexes",  step_indexes }, /* what the backfill did not need, in bulk        */
    {STEP_CATCH_UP, "catch-up", step_catch_up}, /* replay until the journal is short; ANALYZE     */
    {STEP_VERIFY,   "verify",   step_verify  }, /* digests agree, or stop here                    */
    {STEP_CUTOVER,  "cutover",  step_cutover }, /* lock, drain, swap: undo ends here              */
    {STEP_FINISH,   "finish",   step_finish  }, /* triggers, journal, maybe the retired table go  */
};
static_assert(ARRAY_SIZE(steps) == STEP_DONE, "every step has its row");

const char *step_name(enum step_id step)
{
    return steps[step].name;
}

enum step_id step_named(const char *name)
{
    for (enum step_id s = STEP_PLAN; s < STEP_DONE; s++)
        if (strcmp(steps[s].name, name) == 0)
            return s;
    return STEP_DONE;
}

/* ---- running them ---- */

static bool enter(struct migration *m, enum step_id step, struct error *err)
{
    struct progress *progress = m->request->progress;

    m->step = step;
    atomic_store(&progress->step, steps[step].name);
    atomic_store(&progress->step_number, (unsigned)step + 1);
    LOG(LOG_INFO, "step", F("table", m->plan.source->name), F("step", steps[step].name),
        FU("number", step + 1), FU("of", STEP_DONE));
    return migration_set(m, "step", &m->state.step, steps[step].name, err);
}

/*
 * The cutover asks again under the lock; asked early, nobody waits hours for a
 * refusal.  Somebody's DDL in the queue may keep us even from asking.
 */
static bool world_is_as_planned(struct migration *m, enum step_id step, struct error *err)
{
    const struct patience patience = migration_patience(m);
    const struct deadline until = deadline_in_ms(patience.total_ms);
    struct lookout lookout = {.plan = &m->plan, .patience = &patience, .readers_count = true};

    if (step <= STEP_CAPTURE || step >= STEP_FINISH)
        return true;
    for (unsigned n = 0;; n++) {
        error_clear(err);
        if (plan_check_source(&m->plan, m->db, err) &&
            capture_check(m->db, &m->plan, m->state.stamp, err) && migration_check_shadow(m, err))
            return true;
        if (err->kind != ERROR_TRANSIENT)
            return false;
        lookout_explain(&lookout, m->db, err);
        if (deadline_passed(&until))
            return error_prefix(err, "looking at %s", m->plan.source->quoted);
        if (!cancel_sleep_ms(m->cancel, backoff_until_ms(&until, n, 100, 5000)))
            return cancel_check(m->cancel, err); /* uncovered: ^C in this very pause */
    }
}

static bool run_steps(struct migration *m, enum step_id from, struct error *err)
{
    for (enum step_id s = from; s < STEP_DONE; s++) {
        hook_points_before(m, s);
        /* The keeper hears of an abort within a second; a swap is not to happen in that second. */
        if (s < STEP_FINISH && (!leave_heed(m, err) || !server_check_writable(m->db, err)))
            return false;
        if (!enter(m, s, err)) /* durable before we act: resume starts here */
            return false;
        FAILPOINT(steps[s].name);
        if (!leave_await(m, s, err) || !world_is_as_planned(m, s, err) || !steps[s].run(m, err))
            return error_prefix(err, "%s", steps[s].name);
        hook_points_after(m, s);
    }
    return state_end(m->db, m->state.schema, m->state.id, "done", "", err);
}

bool migration_run(struct migration *m, enum step_id from, struct error *err)
{
    atomic_store(&m->request->progress->schema, m->plan.source->schema);
    atomic_store(&m->request->progress->table, m->plan.source->name);
    atomic_store(&m->request->progress->id, m->plan.id);
    atomic_store(&m->request->progress->bytes_expected, m->plan.source->data_bytes);
    atomic_store(&m->request->progress->steps, (unsigned)STEP_DONE);
    atomic_store(&m->request->progress->rows_expected, m->plan.source->rows_estimate);
    m->standing = standing_orders_new(&m->options, err);
    const bool good = m->standing && migration_keep(m, err) && run_steps(m, from, err);
    migration_keep_no_more(m);
    if (!good)
        migration_settle_failure(m, err);
    return good;
}

/* ---- alter ---- */

static bool record(struct migration *m, struct error *err)
{
    AUTO(text) options = TEXT_INIT;

    options_save(&m->options, &options);
    m->state = (struct state_row){
        .run = m->plan.run,
        .schema = m->plan.source->schema,
        .table = m->plan.source->name,
        .alter = m->plan.alter,
        .options = options.bytes,
        .step = steps[STEP_PLAN].name,
        .identity = m->plan.source->identity,
        .fingerprint = m->plan.source->fingerprint,
        .retired = m->plan.names.retired,
        .stamp = "",
        .deferred = "",
        .watermark = "",
    };
    if (!state_begin(m->db, &m->state, &m->plan.id, err))
        return err->kind == ERROR_LOST
                   ? error_hint_also(err, "osc status says whether it was begun; osc resume goes "
                                          "on then")
                   : false;
    m->state.id = m->plan.id;
    m->state.options = arena_string(m->arena, options.bytes);
    return true;
}

/* One that was stopped is to be ended before another begins. */
static bool refuse_stopped(struct migration *m, struct error *err)
{
    struct state_row *rows = NULL;
    size_t n = 0;

    if (!state_list(m->db, m->plan.source->schema, m->arena, &rows, &n, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (migration_is_over(&rows[i]) || strcmp(rows[i].table, m->plan.source->name) != 0)
            continue;
        if (migration_is_aborting(&rows[i]))
            return migration_refuse_half_aborted(&rows[i], err);
        error_set(err, ERROR_REFUSED, "migration %" PRIu64 " of %s was stopped in step %s",
                  rows[i].id, m->plan.source->quoted, rows[i].step);
        return error_hint(err, "osc resume %" PRIu64 " goes on, osc abort %" PRIu64 " gives it up",
                          rows[i].id, rows[i].id);
    }
    return true;
}

static bool prepare(struct migration *m, struct error *err)
{
    const struct request *r = m->request;

    return rules_settle(&m->options, clock_calendar(), m->arena, err) &&
           migration_plan(m, r->schema, r->table, r->alter, err) &&
           server_take_lease(m->db, m->plan.table_key, m->plan.run, err) &&
           own_check(m->db, m->plan.source->schema, STATE_TABLE, "", err) &&
           refuse_stopped(m, err) && plan_preflight(&m->plan, m->db, err) &&
           plan_refuse(&m->plan, err);
}

static void tell_findings(const struct plan *plan)
{
    for (const struct finding *f = plan->findings; f; f = f->next)
        LOG(f->level == FINDING_WARNING ? LOG_WARN : LOG_INFO, "finding", FS(f->text),
            F("check", f->check));
}

bool migrate(const struct request *request, uint64_t *id, struct error *err)
{
    struct migration m;

    *id = 0;
    bool good = migration_open(&m, request, err) && hook_points_open(&m, err) && prepare(&m, err);
    if (good) {
        tell_findings(&m.plan);
        good = record(&m, err);
        *id = m.plan.id;
        good = good && migration_run(&m, STEP_SHADOW, err);
    }
    hook_points_close(&m, good, err);
    migration_close(&m);
    return good;
}
