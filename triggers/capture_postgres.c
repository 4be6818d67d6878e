#include <inttypes.h>
#include <stdio.h>

#include "osc/base/fail.h"
#include "osc/plan/own.h"
#include "osc/plan/postgres.h"
#include "triggers/capture_dialect.h"

/* ---- journal ---- */

/*
 * Space of forgotten entries is used again soon, and the file is never cut:
 * that would take an exclusive lock on a table that every writer appends to.
 */
static const char create[] =
    "CREATE TABLE IF NOT EXISTS {journal} ({journal_columns})\n"
    "WITH (autovacuum_enabled = on, autovacuum_vacuum_scale_factor = 0,\n"
    "  autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0,\n"
    "  autovacuum_vacuum_insert_threshold = -1, vacuum_truncate = off)\n"
    "AS SELECT {key} FROM {only_source} AS t WITH NO DATA";

static bool create_journal(struct db *db, const struct plan *plan, struct error *err)
{
    const char *comment = arena_printf(plan->arena, "osc: journal of %s", plan->source->quoted);
    struct sql_env env = {.arena = plan->arena, .outer = &plan->env};

    sql_bind_literal(&env, db, "comment", comment);
    if (!db_begin(db, err))
        return false;
    /* At once: nobody can put a trigger of his own on it before it is ours alone. */
    if (sql_exec(db, create, &env, NULL, err) &&
        own_check(db, plan->source->schema, plan->names.journal, "", err) &&
        own_alone(db, plan->source->schema, plan->names.journal, err) &&
        sql_exec(db, "COMMENT ON TABLE {journal} IS {comment}", &env, NULL, err))
        return db_commit(db, err);
    db_rollback(db);
    return false;
}

/* ---- triggers ---- */

/* OLD.a, OLD.b */
static const char *row_key(const struct plan *plan, const char *row)
{
    AUTO(text) out = TEXT_INIT;

    for (size_t i = 0; i < plan->key->n_columns; i++)
        text_printf(&out, "%s%s.%s", i ? ", " : "", row, plan->key->columns[i]->quoted);
    return arena_copy(plan->arena, out.bytes, out.length);
}

/* The key is the same to the byte, whatever its type calls equal. */
static const char *key_is_kept(const struct plan *plan)
{
    AUTO(text) out = TEXT_INIT;

    for (size_t i = 0; i < plan->key->n_columns; i++) {
        const struct column *column = plan->key->columns[i];
        const char *old = arena_printf(plan->arena, "OLD.%s", column->quoted);
        const char *new = arena_printf(plan->arena, "NEW.%s", column->quoted);
        text_printf(&out, "%s%s", i ? " AND " : "",
                    postgres_same_bytes(column, new, old, plan->arena));
    }
    return arena_copy(plan->arena, out.bytes, out.length);
}

/*
 * Every name and operator is qualified: the function runs with our rights and
 * the writer's search path.  Keys are compared byte for byte.  An update that
 * changes nothing is an entry, too: it moves the row to another page.
 */
static const char body[] = "BEGIN\n"
                           "  IF TG_OP OPERATOR(pg_catalog.=) 'UPDATE' THEN\n"
                           "    INSERT INTO {journal} VALUES ({old});\n"
                           "    IF NOT ({key_is_kept}) THEN\n"
                           "      INSERT INTO {journal} VALUES ({new});\n"
                           "    END IF;\n"
                           "  ELSIF TG_OP OPERATOR(pg_catalog.=) 'INSERT' THEN\n"
                           "    INSERT INTO {journal} VALUES ({new});\n"
                           "  ELSE\n"
                           "    INSERT INTO {journal} VALUES ({old});\n"
                           "  END IF;\n"
                           "  RETURN NULL;\n"
                           "END";

static const char body_of_mutant[] = "BEGIN\n"
                                     "  IF TG_OP OPERATOR(pg_catalog.<>) 'DELETE' THEN\n"
                                     "    INSERT INTO {journal} VALUES ({new});\n"
                                     "  ELSE\n"
                                     "    INSERT INTO {journal} VALUES ({old});\n"
                                     "  END IF;\n"
                                     "  RETURN NULL;\n"
                                     "END";

static const char unarmed[] = "BEGIN RETURN NULL; END";

/* Nobody else's is taken over: it would stay his. */
static const char create_function[] =
    "CREATE {or_replace}FUNCTION {function}() RETURNS pg_catalog.trigger\n"
    "LANGUAGE plpgsql SECURITY DEFINER AS {body}";

/*
 * The condition is always true and costs nothing: it makes the trigger depend
 * on the journal, so that nobody can drop the journal and leave a trigger that
 * fails in every write.
 */
static const char create_trigger[] =
    "CREATE OR REPLACE TRIGGER {trigger} AFTER INSERT OR UPDATE OR DELETE ON {source}\n"
    "FOR EACH ROW WHEN (NULL::{journal} IS NULL) EXECUTE FUNCTION {function}()";

static struct sql_env function_env(struct db *db, const struct plan *plan)
{
    struct sql_env env = {.arena = plan->arena, .outer = &plan->env};

    sql_bind_name(&env, db, "trigger", plan->names.function);
    sql_bind_sql(&env, "function",
                 arena_printf(plan->arena, "%s.%s", sql_lookup(&plan->env, "schema"),
                              db_quote_name(db, plan->arena, plan->names.function)));
    sql_bind_literal(&env, db, "function_name", plan->names.function);
    sql_bind_literal(&env, db, "schema_name", plan->source->schema);
    return env;
}

static bool set_lock_timeout(struct db *db, uint64_t timeout_ms, struct error *err)
{
    char statement[64];

    (void)snprintf(statement, sizeof statement, "SET LOCAL lock_timeout = %" PRIu64, timeout_ms);
    return db_exec(db, statement, NULL, err);
}

/*
 * A lock that only vacuum and DDL mind, taken first: autovacuum gives way to
 * it within a second, and no reader or writer queues behind us meanwhile.
 */
static bool evict_autovacuum(struct db *db, const struct sql_env *env, struct error *err)
{
    return set_lock_timeout(db, 3000, err) &&
           sql_exec(db, "LOCK TABLE {only_source} IN SHARE UPDATE EXCLUSIVE MODE", env, NULL, err);
}

static bool install(struct db *db, const struct plan *plan, uint64_t timeout_ms, struct error *err)
{
    struct sql_env env = function_env(db, plan);
    const char *template = MUTANT("journal-only-new-keys") ? body_of_mutant : body;

    sql_bind_sql(&env, "old", row_key(plan, "OLD"));
    sql_bind_sql(&env, "new", row_key(plan, "NEW"));
    sql_bind_sql(&env, "key_is_kept", key_is_kept(plan));
    sql_bind_literal(&env, db, "body", sql_renders(plan->arena, template, &env));
    sql_bind_sql(&env, "or_replace", "");

    FAILPOINT("before-function");
    if (!db_begin(db, err))
        return false; /* uncovered: BEGIN alone fails */
    if (evict_autovacuum(db, &env, err) && set_lock_timeout(db, timeout_ms, err) &&
        sql_exec(db, create_function, &env, NULL, err) &&
        own_alone(db, plan->source->schema, plan->names.function, err) &&
        sql_exec(db, create_trigger, &env, NULL, err) &&
        sql_exec(db, "ALTER TABLE {only_source} ENABLE ALWAYS TRIGGER {trigger}", &env, NULL, err))
        return db_commit(db, err);
    db_rollback(db);
    return false;
}

/* Whoever disables, replaces or re-creates a part changes its row version. */
static const char stamp_of[] =
    "SELECT pg_catalog.format('%s/%s:%s/%s:%s', t.oid, t.xmin, p.oid, p.xmin, j.oid)\n"
    "FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid\n"
    "JOIN pg_catalog.pg_class s ON s.oid = t.tgrelid\n"
    "JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace AND n.oid = p.pronamespace\n"
    "JOIN pg_catalog.pg_class j ON j.relnamespace = n.oid AND j.relname = {journal_literal}\n"
    "WHERE n.nspname = {schema_name} AND s.relname = {source_literal}\n"
    "AND p.proname = {function_name} AND t.tgname = p.proname AND t.tgenabled = 'A'";

static bool check(struct db *db, const struct plan *plan, struct arena *arena, const char **stamp,
                  struct error *err)
{
    struct sql_env env = {.arena = arena, .outer = &plan->env};

    sql_bind_literal(&env, db, "schema_name", plan->source->schema);
    sql_bind_literal(&env, db, "source_literal", plan->source->name);
    sql_bind_literal(&env, db, "journal_literal", plan->names.journal);
    sql_bind_literal(&env, db, "function_name", plan->names.function);
    return db_value(db, arena, stamp, sql_renders(arena, stamp_of, &env), err);
}

/* ---- removing ---- */

static const char find_triggers[] =
    "SELECT pg_catalog.format('DROP TRIGGER %I ON %s', t.tgname, t.tgrelid::pg_catalog.regclass),\n"
    "  pg_catalog.format('LOCK TABLE ONLY %s IN SHARE UPDATE EXCLUSIVE MODE',\n"
    "    t.tgrelid::pg_catalog.regclass)\n"
    "FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid\n"
    "JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace\n"
    "WHERE n.nspname = {schema_name} AND p.proname = {function_name}";

static const char find_function[] =
    "SELECT pg_catalog.count(*) FROM pg_catalog.pg_proc p\n"
    "JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace\n"
    "WHERE n.nspname = {schema_name} AND p.proname = {function_name}";

/* From now on the triggers do nothing; no table is locked for that. */
static bool disarm(struct db *db, const struct sql_env *env, struct error *err)
{
    uint64_t functions = 0;

    return db_value_u64(db, &functions, sql_renders(env->arena, find_function, env), err) &&
           (!functions || sql_exec(db, create_function, env, NULL, err));
}

static bool drop_everything(struct db *db, const struct sql_env *env, uint64_t timeout_ms,
                            struct error *err)
{
    const char *drop = NULL, *lock = NULL;
    struct rows rows = ROWS_INIT;

    if (!sql_query(db, &rows, find_triggers, env, err))
        return false;
    if (rows_next(&rows, err)) {
        drop = arena_string(env->arena, rows_text(&rows, 0));
        lock = arena_string(env->arena, rows_text(&rows, 1));
    }
    rows_release(&rows);
    return err->kind == ERROR_NONE && set_lock_timeout(db, 3000, err) &&
           (!lock || db_exec(db, lock, NULL, err)) && set_lock_timeout(db, timeout_ms, err) &&
           (!drop || db_exec(db, drop, NULL, err)) &&
           sql_exec(db, "DROP FUNCTION IF EXISTS {function}()", env, NULL, err) &&
           sql_exec(db, "DROP TABLE IF EXISTS {journal}", env, NULL, err);
}

static bool remove_capture(struct db *db, const struct plan *plan, uint64_t timeout_ms,
                           struct error *err)
{
    struct sql_env env = function_env(db, plan);

    sql_bind_literal(&env, db, "body", unarmed);
    sql_bind_sql(&env, "or_replace", "OR REPLACE ");

    if (!disarm(db, &env, err) || !db_begin(db, err))
        return false;
    if (drop_everything(db, &env, timeout_ms, err))
        return db_commit(db, err);
    db_rollback(db);
    return false;
}

/* ---- replay ---- */

/*
 * The delete takes every key as it is: the shadow may tell apart what the
 * source calls equal.  The insert takes one of those, or it would do its row twice.
 */
#define DELETE_OF(entries)                                                                         \
    "DELETE FROM {only_shadow} AS s USING (SELECT {journal_columns}\n"                             \
    "FROM ONLY {journal} AS j" entries ") AS j WHERE {shadow_is_entry}"

#define ROWS_OF(entries)                                                                           \
    "FROM (SELECT DISTINCT {journal_columns} FROM ONLY {journal} AS j" entries ") AS j\n"          \
    "JOIN {only_source} AS t ON {source_is_entry}"

#define INSERT_OF(entries)                                                                         \
    "INSERT INTO {shadow} ({shadow_columns}) OVERRIDING SYSTEM VALUE\n"                            \
    "SELECT {source_values} " ROWS_OF(entries)

#define SKIP_PRESENT "\nON CONFLICT ({shadow_key}) DO NOTHING"

/*
 * A row that a chunk inserted since the snapshot makes the insert fail as a
 * serialization failure, to be tried again; one that was there before is another
 * row's, and a conflict of the data.
 */
static bool insert_all(struct db *db, const struct plan *plan, struct arena *arena,
                       struct error *err)
{
    uint64_t inserted = 0, expected = 0;

    if (!sql_exec(db, INSERT_OF("") SKIP_PRESENT, &plan->env, &inserted, err) ||
        !db_value_u64(db, &expected,
                      sql_renders(arena, "SELECT pg_catalog.count(*) " ROWS_OF(""), &plan->env),
                      err))
        return false;
    if (inserted == expected)
        return true;
    return error_set(err, ERROR_CONFLICT,
                     "%" PRIu64 " rows of %s have a key which the new schema calls another row's",
                     expected - inserted, plan->source->quoted);
}

static bool settle(struct db *db, const struct plan *plan, const char *entries, struct error *err)
{
    struct arena *arena = arena_new();
    struct sql_env env = {.arena = arena, .outer = &plan->env};

    sql_bind_sql(&env, "entries", entries);
    bool good = db_exec(db, "BEGIN ISOLATION LEVEL REPEATABLE READ", NULL, err);
    if (good) {
        good = sql_exec(db, DELETE_OF(""), &env, NULL, err) && insert_all(db, plan, arena, err) &&
               sql_exec(db, "DELETE FROM ONLY {journal} AS j WHERE {entries}", &env, NULL, err) &&
               db_commit(db, err);
        if (!good)
            db_rollback(db);
    }
    arena_free(arena);
    return good;
}

/*
 * Everything goes by lookups.  Without statistics, which a growing table never
 * has right, the planner would rather scan the journal for its entries.
 */
const struct capture_dialect postgres_capture = {
    .create_journal = create_journal,
    .install = install,
    .check = check,
    .remove = remove_capture,
    .session = "SET enable_seqscan = off",
    .first_place = "'(0,0)'",
    .read = "SELECT pg_catalog.quote_literal(j.ctid),\n"
            "  pg_catalog.hash_record_extended(ROW({journal_key}), 0) & 65535,\n"
            "  pg_catalog.quote_literal(j.ctid)\n"
            "FROM ONLY {journal} AS j WHERE j.ctid > {after}::pg_catalog.tid LIMIT {limit}",
    .entries_open = "j.ctid = ANY (ARRAY[",
    .entries_separator = ",",
    .entries_close = "]::pg_catalog.tid[])",
    .replay_delete = DELETE_OF(" WHERE {entries}"),
    .replay_insert = INSERT_OF(" WHERE {entries}"),
    .replay_insert_where_free = INSERT_OF(" WHERE {entries}") "\nON CONFLICT DO NOTHING",
    .replay_left_out = "SELECT pg_catalog.quote_literal(j.ctid) FROM ONLY {journal} AS j\n"
                       "JOIN {only_source} AS t ON {source_is_entry}\n"
                       "LEFT JOIN {only_shadow} AS s ON {shadow_is_source}\n"
                       "WHERE {entries} AND s.tableoid IS NULL",
    .forget = "DELETE FROM ONLY {journal} AS j WHERE {entries}",
    .settle = settle,
    .tidy = "VACUUM (SKIP_LOCKED, TRUNCATE {shrink}) {journal}",
    .replay_rest = "BEGIN ISOLATION LEVEL REPEATABLE READ;\n"
                   "SET LOCAL synchronous_commit = off;\n" DELETE_OF("") ";\n" INSERT_OF(
                       "") ";\n"
                           "DELETE FROM ONLY {journal};\n"
                           "COMMIT",
    .purge = DELETE_OF(""),
    /* One pass over the shadow, whatever the planner thinks of tables without statistics. */
    .purge_session = "SET LOCAL enable_nestloop = off",
    .backlog = "SELECT pg_catalog.count(*) FROM (SELECT FROM ONLY {journal} LIMIT {limit}) AS j",
    .backlog_guess =
        "SELECT COALESCE(max(pg_catalog.pg_stat_get_live_tuples(c.oid)), 0)\n"
        "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n\n"
        "ON n.oid = c.relnamespace WHERE n.nspname = {in_schema} AND c.relname = {named}",
};
