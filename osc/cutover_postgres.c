#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "osc/cutover_dialect.h"
#include "osc/parity_postgres.h"
#include "osc/plan/postgres.h"

/* ---- lock ---- */

enum { MOST_LOCK_MS = 300 };

/*
 * First locks that only vacuum and DDL mind: autovacuum gives way to them within
 * a second, and no reader or writer queues behind us meanwhile.
 */
static const char *const lock_statements[] = {
    "SET LOCAL statement_timeout = '20s'",
    /* Should this host die now, the server gives the locks back by itself. */
    "SET LOCAL idle_in_transaction_session_timeout = '10s'",
    "SET LOCAL lock_timeout = '3s'",
    "LOCK TABLE {only_shadow} IN SHARE UPDATE EXCLUSIVE MODE",
    "LOCK TABLE {only_source} IN SHARE UPDATE EXCLUSIVE MODE",
    "SET LOCAL lock_timeout = {timeout}",
    "LOCK TABLE {only_source} IN {mode}",
};

/* In one message: a writer who comes while we ask is one whom the last replay has missed. */
static bool run_all(struct db *db, const char *const *list, size_t n, const struct sql_env *env,
                    struct error *err)
{
    struct statements statements = {.arena = env->arena};

    for (size_t i = 0; i < n; i++)
        statements_add(&statements, "%s", sql_renders(env->arena, list[i], env));
    return statements_run_at_once(&statements, db, err);
}

/*
 * Gently: in a moment without writers, so that nobody queues behind us.
 * Insisting, we hold nothing that a writer minds while we wait: a transaction that has
 * read the table and now wants to write it would be refused as a deadlock.
 */
static bool lock(struct db *db, const struct plan *plan, bool insists, uint64_t timeout_ms,
                 struct error *err)
{
    struct arena *arena = arena_new();
    struct sql_env env = {.arena = arena, .outer = &plan->env};

    sql_bind_u64(&env, "timeout", timeout_ms < MOST_LOCK_MS ? timeout_ms : MOST_LOCK_MS);
    sql_bind_sql(&env, "mode",
                 insists ? "ACCESS EXCLUSIVE MODE" : "SHARE ROW EXCLUSIVE MODE NOWAIT");
    const bool good =
        db_begin(db, err) && run_all(db, lock_statements, ARRAY_SIZE(lock_statements), &env, err);
    if (!good)
        db_rollback(db);
    arena_free(arena);
    return good ? true : error_prefix(err, "locking %s", plan->source->quoted);
}

/*
 * A transaction at REPEATABLE READ that took its snapshot before the last replay
 * committed would find those rows in the shadow as they were before, or be
 * refused for them ("could not serialize access").  The last replay ended before our
 * transaction began.  Who began earlier and has a snapshot is let through to the old table when it
 * waits for us, and has a moment to end when it runs.  A snapshot of READ COMMITTED looks
 * alike, but ends with its statement.  What has run for long is a report: it is not waited for.
 */
enum { SNAPSHOT_LOOKS = 12, LOOK_EVERY_US = 1000 };
#define REPORT_AGE "pg_catalog.make_interval(secs => 10)"

static const char old_snapshots[] =
    "SELECT pg_catalog.count(*),\n"
    "  pg_catalog.count(*) FILTER (WHERE a.wait_event_type = 'Lock')\n"
    "FROM pg_catalog.pg_stat_activity a\n"
    "WHERE a.datname = pg_catalog.current_database() AND a.pid <> pg_catalog.pg_backend_pid()\n"
    "AND a.backend_type = 'client backend' AND a.backend_xmin IS NOT NULL\n"
    "AND a.xact_start < pg_catalog.now()\n"
    "AND a.xact_start > pg_catalog.clock_timestamp() - " REPORT_AGE;

/*
 * What transactions at SERIALIZABLE have read is remembered for the table that is going, and
 * nobody asks there when its successor is written: two that must not both commit
 * could.  The server forgets when all who ran beside them have ended.
 */
static const char remembered_reads[] =
    "SELECT pg_catalog.count(*), 0 FROM pg_catalog.pg_locks l WHERE l.mode = 'SIReadLock'\n"
    "AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d\n"
    "  WHERE d.datname = pg_catalog.current_database())\n"
    "AND l.relation IN (SELECT {source_class}::pg_catalog.oid UNION ALL SELECT i.indexrelid\n"
    "  FROM pg_catalog.pg_index i WHERE i.indrelid = {source_class})";

/* How many there are, and how many of them wait for us: those will not go while we look. */
static bool count_them(struct db *db, const struct sql_env *env, const char *question, uint64_t *n,
                       uint64_t *waiting, struct error *err)
{
    AUTO(rows) rows = ROWS_INIT;

    if (!db_exec(db, "SELECT pg_catalog.pg_stat_clear_snapshot()", NULL, err) ||
        !sql_query(db, &rows, question, env, err) || !rows_next(&rows, err))
        return false;
    *n = rows_u64(&rows, 0);
    *waiting = rows_u64(&rows, 1);
    return true;
}

static bool await_none(struct db *db, const struct sql_env *env, const char *question,
                       unsigned looks, const char *what, struct error *err)
{
    const struct timespec pause = {.tv_nsec = LOOK_EVERY_US * 1000};
    uint64_t n = 0, waiting = 0;

    for (unsigned look = 0; look < looks && !waiting; look++) {
        if (look)
            (void)nanosleep(&pause, NULL);
        if (!count_them(db, env, question, &n, &waiting, err))
            return false;
        if (!n)
            return true;
    }
    return error_set(err, ERROR_TRANSIENT, "%" PRIu64 " %s", n, what);
}

static bool nobody_sees_the_past(struct db *db, const struct sql_env *env, struct error *err)
{
    return await_none(db, env, old_snapshots, SNAPSHOT_LOOKS,
                      "transactions have a snapshot from before the last replay", err) &&
           await_none(db, env, remembered_reads, 1,
                      "reads at SERIALIZABLE are remembered for transactions that still run", err);
}

/* NOWAIT: waiting for readers while we keep writers out is what the server calls a deadlock. */
static const char *const close_statements[] = {
    "LOCK TABLE {only_shadow} IN ACCESS EXCLUSIVE MODE NOWAIT",
    "LOCK TABLE {only_source} IN ACCESS EXCLUSIVE MODE NOWAIT",
};

static bool close_table(struct db *db, const struct plan *plan, bool insists, struct error *err)
{
    struct arena *arena = arena_new();
    struct sql_env env = {.arena = arena, .outer = &plan->env};

    sql_bind_sql(&env, "source_class", postgres_oid(plan->source, arena));
    const bool good = (insists || nobody_sees_the_past(db, &env, err)) &&
                      run_all(db, close_statements, ARRAY_SIZE(close_statements), &env, err);
    arena_free(arena);
    return good;
}

static void unlock(struct db *db, const struct plan *plan UNUSED)
{
    db_rollback(db);
}

/* ---- swap ---- */

static bool add_deferred(struct statements *statements, const char *deferred, struct error *err)
{
    static const char *const parts[] = {"retire", "promote", "enable"};
    json_t *all = json_loads(deferred, 0, NULL);

    bool good = true;

    for (size_t i = 0; good && i < ARRAY_SIZE(parts); i++)
        good = statements_load(statements, json_object_get(all, parts[i]), err);
    json_decref(all);
    return good ? true : error_prefix(err, "what the swap has to do");
}

/* Everything is asked before anything is renamed. */
static bool list_swap(struct db *db, const struct plan *plan, const char *deferred,
                      struct statements *statements, struct error *err)
{
    struct arena *arena = statements->arena;
    const struct sql_env *env = &plan->env;

    statements_add(statements, "DROP TRIGGER IF EXISTS %s ON %s",
                   db_quote_name(db, arena, plan->names.function), plan->source->quoted);
    if (!parity_carry(db, plan, statements, err) || !add_deferred(statements, deferred, err))
        return false;
    statements_add(statements, "%s",
                   sql_renders(arena, "ALTER TABLE {source} RENAME TO {retired_name}", env));
    statements_add(statements, "%s",
                   sql_renders(arena, "ALTER TABLE {shadow} RENAME TO {source_name}", env));
    return true;
}

static bool swap(struct db *db, const struct plan *plan, const char *deferred, struct error *err)
{
    struct arena *arena = arena_new();
    struct statements statements = {.arena = arena};
    const bool good = list_swap(db, plan, deferred, &statements, err) &&
                      statements_run_at_once(&statements, db, err) &&
                      parity_check_names(db, plan, err) && db_commit(db, err);

    arena_free(arena);
    return good;
}

static bool run_shown(struct db *db, const struct plan *plan, struct error *err)
{
    struct arena *arena = arena_new();
    struct sql_env env = {.arena = arena, .outer = &plan->env};

    sql_bind_u64(&env, "timeout", MOST_LOCK_MS);
    sql_bind_sql(&env, "mode", "SHARE ROW EXCLUSIVE MODE NOWAIT");
    const bool good = run_all(db, lock_statements, ARRAY_SIZE(lock_statements), &env, err) &&
                      run_all(db, close_statements, ARRAY_SIZE(close_statements), &env, err);
    arena_free(arena);
    return good;
}

static bool show(struct db *db, const struct plan *plan, const char *deferred, struct text *script,
                 struct error *err)
{
    struct arena *arena = arena_new();
    struct statements statements = {.arena = arena};

    db_record(db, script, false);
    const bool good = db_begin(db, err) && run_shown(db, plan, err) &&
                      list_swap(db, plan, deferred, &statements, err) &&
                      statements_run_at_once(&statements, db, err) && db_commit(db, err);
    db_record(db, NULL, false);
    arena_free(arena);
    return good;
}

/* ---- afterwards ---- */

/* The oid of the relation of this name in the source's schema; NULL: none. */
static bool oid_named(struct db *db, const struct plan *plan, const char *name, struct arena *arena,
                      const char **oid, struct error *err)
{
    struct sql_env env = {.arena = arena};

    *oid = NULL;
    sql_bind_literal(&env, db, "schema", plan->source->schema);
    sql_bind_literal(&env, db, "name", name);
    return db_value(db, arena, oid,
                    sql_renders(arena,
                                "SELECT c.oid FROM pg_catalog.pg_class c\n"
                                "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace\n"
                                "WHERE n.nspname = {schema} AND c.relname = {name}",
                                &env),
                    err);
}

/* The table that the migration began with still has its name, or the retired one's. */
static bool owner(struct db *db, const struct plan *plan, enum owner *owner, struct error *err)
{
    struct arena *arena = arena_new();
    const char *began_with = postgres_oid(plan->source, arena);
    const char *named = NULL, *retired = NULL, *shadow = NULL;
    const bool good = oid_named(db, plan, plan->source->name, arena, &named, err) &&
                      oid_named(db, plan, plan->names.retired, arena, &retired, err) &&
                      oid_named(db, plan, plan->names.shadow, arena, &shadow, err);

    if (good && named && strcmp(named, began_with) == 0)
        *owner = OWNER_SOURCE;
    else if (good && named && !shadow && retired && strcmp(retired, began_with) == 0)
        *owner = OWNER_SHADOW;
    else if (good)
        *owner = OWNER_UNKNOWN;
    arena_free(arena);
    return good;
}

/* The trigger went with the swap. */
static bool clean(struct db *db, const struct plan *plan, struct error *err)
{
    struct arena *arena = arena_new();
    const char *schema = db_quote_name(db, arena, plan->source->schema);
    struct statements statements = {.arena = arena};

    statements_add(&statements, "DROP FUNCTION IF EXISTS %s.%s()", schema,
                   db_quote_name(db, arena, plan->names.function));
    statements_add(&statements, "DROP TABLE IF EXISTS %s.%s", schema,
                   db_quote_name(db, arena, plan->names.journal));
    const bool good = statements_run(&statements, db, err);
    arena_free(arena);
    return good;
}

static bool drop_retired(struct db *db, const struct plan *plan, struct error *err)
{
    struct arena *arena = arena_new();
    const char *statement = arena_printf(arena, "DROP TABLE IF EXISTS %s.%s",
                                         db_quote_name(db, arena, plan->source->schema),
                                         db_quote_name(db, arena, plan->names.retired));
    const bool good = db_exec(db, statement, NULL, err);

    arena_free(arena);
    return good;
}

const struct cutover_dialect postgres_cutover = {
    .lock = lock,
    .close = close_table,
    .swap = swap,
    .unlock = unlock,
    .owner = owner,
    .clean = clean,
    .show = show,
    .drop_retired = drop_retired,
};
