#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "osc/cutover_dialect.h"
#include "osc/parity_postgres.h"
#include "osc/plan/postgres.h"

/* ---- lock ---- */

enum { QUICK_LOOKS = 100, LOOK_EVERY_US = 1000, MOST_LOCK_MS = 300 };

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

static bool run_all(struct db *db, const char *const *list, size_t n, const struct sql_env *env,
                    struct error *err)
{
    for (size_t i = 0; i < n; i++)
        if (!sql_exec(db, list[i], env, NULL, err))
            return false;
    return true;
}

static bool try_lock(struct db *db, const struct plan *plan, uint64_t timeout_ms, const char *mode,
                     struct error *err)
{
    struct arena *arena = arena_new();
    struct sql_env env = {.arena = arena, .outer = &plan->env};

    sql_bind_u64(&env, "timeout", timeout_ms < MOST_LOCK_MS ? timeout_ms : MOST_LOCK_MS);
    sql_bind_sql(&env, "mode", mode);
    const bool good =
        db_begin(db, err) && run_all(db, lock_statements, ARRAY_SIZE(lock_statements), &env, err);
    if (!good)
        db_rollback(db);
    arena_free(arena);
    return good ? true : error_prefix(err, "locking %s", plan->source->quoted);
}

/*
 * Gently: a moment without writers is looked for, and nobody queues behind us.
 * Insisting, we hold nothing that a writer minds while we wait: a transaction that has
 * read the table and now wants to write it would be refused as a deadlock.
 */
static bool lock(struct db *db, const struct plan *plan, bool insists, uint64_t timeout_ms,
                 struct error *err)
{
    const struct timespec pause = {.tv_nsec = LOOK_EVERY_US * 1000};

    if (insists)
        return try_lock(db, plan, timeout_ms, "ACCESS EXCLUSIVE MODE", err);
    for (unsigned n = 0;; n++) {
        error_clear(err);
        if (try_lock(db, plan, timeout_ms, "SHARE ROW EXCLUSIVE MODE NOWAIT", err))
            return true;
        if (err->kind != ERROR_TRANSIENT || n == QUICK_LOOKS)
            return false;
        (void)nanosleep(&pause, NULL);
    }
}

/* NOWAIT: waiting for readers while we keep writers out is what the server calls a deadlock. */
static const char *const close_statements[] = {
    "LOCK TABLE {only_shadow} IN ACCESS EXCLUSIVE MODE NOWAIT",
    "LOCK TABLE {only_source} IN ACCESS EXCLUSIVE MODE NOWAIT",
};

/*
 * A transaction at REPEATABLE READ that took its snapshot before the last replay
 * committed would find those rows in the shadow as they were before, or be
 * refused for them ("could not serialize access").  One that waits for us is let
 * through to the old table; one that runs has a moment to end.  A snapshot of READ
 * COMMITTED looks alike, but ends with its statement.  What has run for long is a report:
 * it does not wait for the end of it.
 */
enum { SNAPSHOT_LOOKS = 12 };
#define REPORT_AGE "pg_catalog.make_interval(secs => 2)"

static const char waiting[] =
    "SELECT pg_catalog.count(*) FROM pg_catalog.pg_locks l WHERE l.locktype = 'relation'\n"
    "AND l.relation = {source_class} AND NOT l.granted";

/* Nothing was drained under the lock: then the last replay was before it, and so before now(). */
static const char replayed_before[] =
    "SELECT pg_catalog.quote_literal(CASE WHEN {drained} > 0 THEN pg_catalog.clock_timestamp()\n"
    "  ELSE pg_catalog.now() END)";

static const char old_snapshots[] =
    "SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity a\n"
    "WHERE a.datname = pg_catalog.current_database() AND a.pid <> pg_catalog.pg_backend_pid()\n"
    "AND a.backend_type = 'client backend' AND a.backend_xmin IS NOT NULL\n"
    "AND a.xact_start < {replayed}::pg_catalog.timestamptz\n"
    "AND a.xact_start > pg_catalog.clock_timestamp() - " REPORT_AGE;

/*
 * What transactions at SERIALIZABLE have read is remembered for the table that is going, and
 * nobody asks there when its successor is written: two that must not both commit
 * could.  The server forgets when all who ran beside them have ended.
 */
static const char remembered_reads[] =
    "SELECT pg_catalog.count(*) FROM pg_catalog.pg_locks l WHERE l.mode = 'SIReadLock'\n"
    "AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d\n"
    "  WHERE d.datname = pg_catalog.current_database())\n"
    "AND l.relation IN (SELECT {source_class}::pg_catalog.oid UNION ALL SELECT i.indexrelid\n"
    "  FROM pg_catalog.pg_index i WHERE i.indrelid = {source_class})";

static bool await_none(struct db *db, const struct sql_env *env, const char *question,
                       unsigned looks, const char *what, struct error *err)
{
    const struct timespec pause = {.tv_nsec = LOOK_EVERY_US * 1000};
    uint64_t n = 0;

    for (unsigned look = 0; look < looks; look++) {
        if (look)
            (void)nanosleep(&pause, NULL);
        if (!db_exec(db, "SELECT pg_catalog.pg_stat_clear_snapshot()", NULL, err) ||
            !db_value_u64(db, &n, sql_renders(env->arena, question, env), err))
            return false;
        if (!n)
            return true;
    }
    return error_set(err, ERROR_TRANSIENT, "%" PRIu64 " %s", n, what);
}

static bool nobody_sees_the_past(struct db *db, struct sql_env *env, uint64_t drained,
                                 struct error *err)
{
    const char *replayed = NULL;
    uint64_t waiters = 0;

    sql_bind_u64(env, "drained", drained);
    if (!db_value(db, env->arena, &replayed, sql_renders(env->arena, replayed_before, env), err) ||
        (drained && !db_value_u64(db, &waiters, sql_renders(env->arena, waiting, env), err)))
        return false;
    if (waiters)
        return error_set(err, ERROR_TRANSIENT,
                         "%" PRIu64 " transactions wait with a snapshot from before the drain",
                         waiters);
    sql_bind_sql(env, "replayed", replayed);
    return await_none(db, env, old_snapshots, SNAPSHOT_LOOKS,
                      "transactions have a snapshot from before the last replay", err) &&
           await_none(db, env, remembered_reads, 1,
                      "reads at SERIALIZABLE are remembered for transactions that still run", err);
}

static bool close_table(struct db *db, const struct plan *plan, bool insists, uint64_t drained,
                        struct error *err)
{
    struct arena *arena = arena_new();
    struct sql_env env = {.arena = arena, .outer = &plan->env};

    sql_bind_sql(&env, "source_class", postgres_oid(plan->source, arena));
    const bool good = (insists || nobody_sees_the_past(db, &env, drained, err)) &&
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
