/*
 * Where RENAME TABLE is allowed under LOCK TABLES, the connection that drained
 * swaps.  Elsewhere the sentry method: the retired name is taken by an empty
 * table, a second connection queues the RENAME behind our lock, and only when
 * it is seen waiting is the sentry dropped and the lock given back.  If
 * anything dies before that, the sentry makes the RENAME fail.
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "osc/base/clock.h"
#include "osc/base/fail.h"
#include "osc/base/group.h"
#include "osc/base/log.h"
#include "osc/counter_mysql.h"
#include "osc/cutover_dialect.h"
#include "osc/db/driver.h"
#include "osc/plan/tablelock_mysql.h"
#include "osc/sentry_mysql.h"

enum {
    RENAME_SEEN_MS = 2000, /* for the RENAME to reach the queue */
    RENAME_DONE_MS = 10000,
};

static const char rename_tables[] = "RENAME TABLE {source} TO {retired}, {shadow} TO {source}";

/* ---- lock and unlock ---- */

/* Statements of the drain use aliases, and LOCK TABLES wants each of them named. */
static const char locked_tables[] = "{source} WRITE,{source_alias} {shadow} WRITE,"
                                    " {shadow} AS s WRITE, {journal} WRITE, {journal} AS j WRITE";

static const char *tables_to_lock(const struct plan *plan, struct arena *arena)
{
    struct sql_env env = {.arena = arena, .outer = &plan->env};

    /* A source that is called t is locked under that alias already. */
    sql_bind_sql(&env, "source_alias",
                 strcasecmp(plan->source->name, "t") == 0
                     ? ""
                     : sql_renders(arena, " {source} AS t WRITE,", &plan->env));
    return sql_renders(arena,
                       plan->facts->renames_under_lock
                           ? locked_tables
                           : arena_printf(arena, "%s, {sentry} WRITE", locked_tables),
                       &env);
}

static void unlock(struct db *db, const struct plan *plan)
{
    struct error ignored = ERROR_INIT;

    mysql_unlock_tables(db, "ROLLBACK");
    if (!plan->facts->renames_under_lock && !db_is_lost(db) && !sentry_drop(db, plan, &ignored))
        /* uncovered: a second failure, on a connection that lives */
        LOG(LOG_WARN, "a table was left behind", F("name", plan->names.sentry),
            F("error", ignored.text));
}

static bool lock(struct db *db, const struct plan *plan, bool insists UNUSED, uint64_t timeout_ms,
                 struct error *err)
{
    struct arena *arena = arena_new();
    const char *tables = tables_to_lock(plan, arena);
    const bool needs_sentry = !plan->facts->renames_under_lock;

    bool good = (!needs_sentry || sentry_create(db, plan, err)) &&
                mysql_lock_tables(db, tables, plan->source, timeout_ms, err);
    if (!good)
        unlock(db, plan);
    arena_free(arena);
    return good;
}

/* Readers are kept away as well, and their snapshots begin when they are let in. */
static bool close_table(struct db *db UNUSED, const struct plan *plan UNUSED, bool insists UNUSED,
                        struct error *err UNUSED)
{
    return true;
}

/* ---- the swap on one connection ---- */

static bool swap_under_lock(struct db *db, const struct plan *plan, struct error *err)
{
    FAILPOINT("before-rename");
    if (!sql_exec(db, rename_tables, &plan->env, NULL, err)) {
        if (err->kind == ERROR_LOST)
            err->kind = ERROR_AMBIGUOUS;
        return false;
    }
    mysql_unlock_tables(db, "COMMIT");
    return true;
}

/* ---- the swap on two ---- */

struct renamer {
    const struct plan *plan;
    struct db *db;
    struct error err;
    bool is_done;
    atomic_bool has_ended;
};

static bool run_rename(void *argument, struct cancel *cancel UNUSED, struct error *err UNUSED)
{
    struct renamer *renamer = argument;

    renamer->is_done =
        sql_exec(renamer->db, rename_tables, &renamer->plan->env, NULL, &renamer->err);
    atomic_store(&renamer->has_ended, true);
    return true;
}

/* The RENAME is in the queue: it waits for the first of its tables, which is the source. */
static bool see_it_wait(struct db *db, struct renamer *renamer, struct error *err)
{
    const struct deadline until = deadline_in_ms(RENAME_SEEN_MS);
    char question[200];
    uint64_t waits = 0;

    (void)snprintf(question, sizeof question,
                   "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = %" PRIu64
                   " AND INFO LIKE 'RENAME%%' AND STATE LIKE 'Waiting for table metadata lock%%'",
                   db_id(renamer->db));
    while (!waits && !atomic_load(&renamer->has_ended) && !deadline_passed(&until))
        if (!db_value_u64(db, &waits, question, err))
            return false; /* uncovered: a second connection breaks under the lock */
    if (waits && !atomic_load(&renamer->has_ended))
        return true;
    return error_set(err, ERROR_TRANSIENT, "the RENAME was not seen to wait behind our lock");
}

/* What became of the RENAME once our lock was gone. */
static bool judge(const struct renamer *renamer, struct error *err)
{
    if (renamer->is_done)
        return true;
    *err = renamer->err;
    if (err->kind == ERROR_LOST)
        err->kind = ERROR_AMBIGUOUS;
    else if (err->kind != ERROR_DENIED)
        err->kind = ERROR_TRANSIENT;
    return error_prefix(err, "the queued RENAME");
}

/* True when the sentry is gone and the lock given back: from then on the RENAME decides. */
static bool let_it_run(struct db *db, const struct plan *plan, struct renamer *renamer,
                       struct error *err)
{
    FAILPOINT("rename-sent");
    if (!see_it_wait(db, renamer, err))
        return false;
    FAILPOINT("before-rename");
    if (!sql_exec(db, "DROP TABLE {sentry}", &plan->env, NULL, err))
        return false;
    FAILPOINT("sentry-dropped");
    mysql_unlock_tables(db, "COMMIT");
    return true;
}

static bool swap_behind_sentry(struct db *db, const struct plan *plan, struct error *err)
{
    struct renamer renamer = {.plan = plan, .db = db_open(db->dsn, "rename", err)};
    struct error ignored = ERROR_INIT;

    /* Fenced as well: were it to outlive us, it would wait for the next sentry to be dropped. */
    if (!renamer.db || !server_fence(renamer.db, plan->table_key, plan->run, "cutover-1", err)) {
        db_close(renamer.db);
        return false;
    }
    struct group *group = group_new(NULL);
    bool good = mysql_wait_at_most(renamer.db, RENAME_DONE_MS, err) &&
                group_start(group, "rename", run_rename, &renamer, err);
    const bool let_go = good && let_it_run(db, plan, &renamer, err);
    if (good && !let_go && !atomic_load(&renamer.has_ended))
        db_interrupt(renamer.db); /* the sentry is still there: it can only fail */
    (void)!group_join(group, &ignored);
    if (let_go)
        good = judge(&renamer, err);
    else if (renamer.is_done)
        good = true; /* uncovered: the lock had gone with its connection, and the sentry before */
    else
        good = false;
    db_close(renamer.db);
    return good;
}

/* Nothing may have been written between our last look into the journal and the RENAME. */
static bool check_nothing_slipped(struct db *db, const struct plan *plan, struct error *err)
{
    struct arena *arena = arena_new();
    uint64_t entries = 0;
    bool good = db_value_u64(
        db, &entries,
        sql_renders(arena, "SELECT COUNT(*) FROM {journal} AS j WHERE j.k1 IS NOT NULL",
                    &plan->env),
        err);

    arena_free(arena);
    if (!good || !entries)
        return good;
    error_set(err, ERROR_DIVERGED,
              "%" PRIu64 " writes reached %s in the moment of the swap; their keys are in %s",
              entries, plan->names.retired, plan->names.journal);
    return error_hint(err, "copy these rows from %s by hand; nothing was dropped",
                      plan->names.retired);
}

static bool swap(struct db *db, const struct plan *plan, const char *deferred UNUSED,
                 struct error *err)
{
    if (!counter_carry(db, plan, err))
        return false;
    if (plan->facts->renames_under_lock)
        return swap_under_lock(db, plan, err);
    if (!swap_behind_sentry(db, plan, err))
        return false;
    FAILPOINT("renamed");
    return check_nothing_slipped(db, plan, err);
}

/* ---- afterwards ---- */

static bool table_exists(struct db *db, const struct plan *plan, const char *name, bool *exists,
                         struct error *err)
{
    struct arena *arena = arena_new();
    struct sql_env env = {.arena = arena};
    uint64_t found = 0;

    sql_bind_literal(&env, db, "in_schema", plan->source->schema);
    sql_bind_literal(&env, db, "name", name);
    const bool good =
        db_value_u64(db, &found,
                     sql_renders(arena,
                                 "SELECT COUNT(*) FROM information_schema.TABLES"
                                 " WHERE TABLE_SCHEMA = {in_schema} AND TABLE_NAME = {name}",
                                 &env),
                     err);
    *exists = found > 0;
    arena_free(arena);
    return good;
}

/* The triggers move with the source: where they are tells who is who. */
static bool find_triggers(struct db *db, const struct plan *plan, struct arena *arena,
                          const char **host, struct error *err)
{
    struct sql_env env = {.arena = arena};

    sql_bind_literal(&env, db, "in_schema", plan->source->schema);
    sql_bind_literal(&env, db, "trigger", plan->names.trigger_insert);
    *host = NULL;
    return db_value(db, arena, host,
                    sql_renders(arena,
                                "SELECT EVENT_OBJECT_TABLE FROM information_schema.TRIGGERS"
                                " WHERE TRIGGER_SCHEMA = {in_schema} AND TRIGGER_NAME = {trigger}",
                                &env),
                    err);
}

static bool owner(struct db *db, const struct plan *plan, enum owner *owner, struct error *err)
{
    struct arena *arena = arena_new();
    const char *host = NULL;
    bool source = false, shadow = false, retired = false, sentry = false;
    const bool good = find_triggers(db, plan, arena, &host, err) &&
                      table_exists(db, plan, plan->source->name, &source, err) &&
                      table_exists(db, plan, plan->names.shadow, &shadow, err) &&
                      table_exists(db, plan, plan->names.retired, &retired, err) &&
                      sentry_is_there(db, plan, &sentry, err);

    if (good) {
        const bool not_swapped = source && shadow && (!retired || sentry);
        const bool swapped = source && !shadow && retired && !sentry;
        *owner = not_swapped && (!host || strcmp(host, plan->source->name) == 0) ? OWNER_SOURCE
                 : swapped && (!host || strcmp(host, plan->names.retired) == 0)  ? OWNER_SHADOW
                                                                                 : OWNER_UNKNOWN;
    }
    arena_free(arena);
    return good;
}

static bool clean(struct db *db, const struct plan *plan, struct error *err)
{
    const char *const triggers[] = {plan->names.trigger_insert, plan->names.trigger_update,
                                    plan->names.trigger_delete};

    for (size_t i = 0; i < ARRAY_SIZE(triggers); i++) {
        struct arena *arena = arena_new();
        struct sql_env env = {.arena = arena, .outer = &plan->env};
        sql_bind_name(&env, db, "trigger", triggers[i]);
        const bool good =
            sql_exec(db, "DROP TRIGGER IF EXISTS {schema}.{trigger}", &env, NULL, err);
        arena_free(arena);
        if (!good)
            return false;
    }
    return sql_exec(db, "DROP TABLE IF EXISTS {journal}", &plan->env, NULL, err) &&
           sentry_drop(db, plan, err);
}

static bool drop_retired(struct db *db, const struct plan *plan, struct error *err)
{
    return sql_exec(db, "DROP TABLE IF EXISTS {retired}", &plan->env, NULL, err);
}

static bool show(struct db *db, const struct plan *plan, const char *deferred UNUSED,
                 struct text *script, struct error *err UNUSED)
{
    struct arena *arena = arena_new();
    const bool needs_sentry = !plan->facts->renames_under_lock;

    (void)db;
    if (needs_sentry)
        text_printf(script, "%s;\n",
                    sql_renders(arena, "CREATE TABLE {sentry} (id INT PRIMARY KEY)", &plan->env));
    text_printf(script, "LOCK TABLES %s%s;\n", tables_to_lock(plan, arena),
                plan->facts->lock_has_nowait ? " NOWAIT" : "");
    text_printf(script, "%s;%s\n", sql_renders(arena, rename_tables, &plan->env),
                needs_sentry ? " -- on a second connection, waiting for:" : "");
    if (needs_sentry)
        text_printf(script, "%s;\n", sql_renders(arena, "DROP TABLE {sentry}", &plan->env));
    text_add(script, "UNLOCK TABLES;\n");
    arena_free(arena);
    return true;
}

const struct cutover_dialect mysql_cutover = {
    .lock = lock,
    .close = close_table,
    .swap = swap,
    .unlock = unlock,
    .owner = owner,
    .clean = clean,
    .show = show,
    .drop_retired = drop_retired,
};
