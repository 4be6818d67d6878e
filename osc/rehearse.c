/*
 * osc plan: the same code as osc alter, on a shadow that nobody else sees, with
 * statements recorded instead of run.
 */
#include <string.h>

#include "copier/copy_dialect.h"
#include "osc/cutover_dialect.h"
#include "osc/db/dialect.h"
#include "osc/migrate.h"
#include "osc/plan/preflight_disk.h"
#include "osc/shadow.h"
#include "triggers/capture_dialect.h"

struct script {
    struct plan_report *report;
    struct db *db;
    struct plan *plan;
    const char *deferred;
    uint64_t lock_ms;
    bool is_verified;
};

static void add_step(struct script *s, const char *step, const char *locks, const char *sql)
{
    struct step_script *slot = &s->report->steps[s->report->n_steps++];

    *slot = (struct step_script){
        .step = step,
        .locks = locks,
        .sql = arena_string(s->plan->arena, sql),
    };
}

static bool script_capture(struct script *s, struct error *err)
{
    const struct capture_dialect *capture = s->plan->dialect->capture;
    AUTO(text) sql = TEXT_INIT;

    db_record(s->db, &sql, false);
    const bool good = capture->create_journal(s->db, s->plan, err) &&
                      capture->install(s->db, s->plan, s->lock_ms, err);
    db_record(s->db, NULL, false);
    add_step(s, "capture",
             arena_printf(s->plan->arena,
                          "writes to %s wait while the triggers are created (milliseconds); each "
                          "attempt waits at most %lu ms for the lock, then gives it back",
                          s->plan->source->name, (unsigned long)s->lock_ms),
             sql.bytes);
    return good;
}

static bool script_copy(struct script *s, struct error *err)
{
    struct arena *arena = s->plan->arena;
    struct sql_env env = {.arena = arena, .outer = &s->plan->env};
    const struct copy_dialect *copy = s->plan->dialect->copy;
    const struct capture_dialect *capture = s->plan->dialect->capture;
    struct extent extent;
    AUTO(text) sql = TEXT_INIT;

    if (!copy->extent(s->db, s->plan, &extent, err))
        return false;
    sql_bind_sql(&env, "range",
                 extent.is_numeric
                     ? copy->positions(s->plan, extent.first,
                                       extent.first + extent.chunk_positions - 1, arena)
                     : "…key range…");
    sql_bind_sql(&env, "entries",
                 arena_printf(arena, "%s…%s", capture->entries_open, capture->entries_close));
    sql_bind_sql(&env, "after", capture->first_place);
    sql_bind_u64(&env, "limit", 4000);
    const bool overwrites = capture->may_overwrite && capture->may_overwrite(s->plan, &env);
    const char *const templates[] = {copy_statement(s->plan),
                                     capture->read,
                                     overwrites ? capture->replay_gone : "",
                                     capture->replay_delete,
                                     overwrites ? capture->replay_overwrite
                                                : capture->replay_insert,
                                     capture->forget};
    for (size_t i = 0; i < ARRAY_SIZE(templates); i++) {
        if (!*templates[i])
            continue;
        sql_render(&sql, templates[i], &env);
        text_add(&sql, ";\n");
    }
    add_step(s, "copy",
             "no lock on the source: each chunk is one short transaction that reads a "
             "snapshot",
             sql.bytes);
    return true;
}

static bool script_indexes(struct script *s, struct error *err)
{
    const struct shadow_dialect *shadow = s->plan->dialect->shadow;
    AUTO(text) sql = TEXT_INIT;
    bool leaves_room = false;

    db_record(s->db, &sql, false);
    const bool good = shadow->prepare(s->db, s->plan, s->deferred, &leaves_room, err) &&
                      shadow->build(s->db, s->plan, s->deferred, BUILD_ALL, 1, NULL, err) &&
                      shadow->analyze(s->db, s->plan, err);
    db_record(s->db, NULL, false);
    add_step(s, "indexes", "only the shadow, which nobody else uses", sql.bytes);
    return good;
}

static bool script_cutover(struct script *s, struct error *err)
{
    const struct cutover_dialect *cutover = s->plan->dialect->cutover;
    AUTO(text) sql = TEXT_INIT;

    if (!cutover->show(s->db, s->plan, s->deferred, &sql, err))
        return false;
    add_step(s, "cutover",
             arena_printf(s->plan->arena,
                          "reads and writes of %s wait for drain and rename (milliseconds); each "
                          "attempt waits at most %lu ms for the lock, then gives it back",
                          s->plan->source->name, (unsigned long)s->lock_ms),
             sql.bytes);
    return true;
}

static bool rehearse(struct script *s, struct error *err)
{
    AUTO(text) sql = TEXT_INIT;

    db_record(s->db, &sql, true);
    const bool good = s->plan->dialect->shadow->rehearse(s->db, s->plan, &s->deferred, err);
    db_record(s->db, NULL, false);
    add_step(s, "shadow", "none on the source but for reading its definition", sql.bytes);
    if (!good || !s->plan->shadow) /* tried in part only: a finding says why */
        return good;
    return plan_shadow(s->plan, s->db, err) &&
           plan_check_unverified(s->plan, s->is_verified, err) && script_capture(s, err) &&
           script_copy(s, err) && script_indexes(s, err) && script_cutover(s, err);
}

bool migrate_plan(const struct request *request, struct plan_report *report, struct error *err)
{
    struct plan *plan = ARENA_NEW(request->arena, struct plan);
    struct db *db = db_open(request->dsn, "plan", err);
    struct script script = {
        .report = report,
        .db = db,
        .plan = plan,
        .lock_ms = request->options->lock_timeout_ms,
        .is_verified = request->options->verify != VERIFY_NONE,
    };

    *report = (struct plan_report){.strategy = "copy"};
    plan->arena = request->arena;
    bool good = db && plan_source(plan, db, request->schema, request->table, request->alter, err) &&
                plan_preflight(plan, db, err);
    if (good) {
        report->plan = plan;
        report->disk_bytes = preflight_disk_bytes(plan);
        report->steps = ARENA_ARRAY(request->arena, struct step_script, 8);
        good = plan_refuse(plan, err) &&
               estimate_duration(db, plan, script.is_verified, &report->duration, err) &&
               rehearse(&script, err);
        plan->dialect->shadow->rehearse_end(db, plan);
    }
    db_close(db);
    return good;
}
