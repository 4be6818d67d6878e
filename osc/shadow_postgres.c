#include "osc/shadow.h"

#include <jansson.h>
#include <string.h>

#include "osc/build_postgres.h"
#include "osc/plan/own.h"
#include "osc/plan/postgres.h"
#include "osc/shadow_postgres.h"

static void bind_tables(struct maker *maker)
{
    struct plan *plan = maker->plan;
    struct sql_env *env = &maker->env;

    maker->schema = db_quote_name(maker->db, maker->arena, plan->source->schema);
    maker->shadow = arena_printf(maker->arena, "%s.%s", maker->schema,
                                 db_quote_name(maker->db, maker->arena, plan->names.shadow));
    maker->shadow_class =
        postgres_class(maker->db, plan->source->schema, plan->names.shadow, maker->arena);
    sql_bind_sql(env, "source", plan->source->quoted);
    sql_bind_sql(env, "shadow", maker->shadow);
    sql_bind_literal(env, maker->db, "source_text", plan->source->quoted);
    sql_bind_literal(env, maker->db, "shadow_text", maker->shadow);
    sql_bind_sql(env, "source_class", postgres_oid(plan->source, maker->arena));
    sql_bind_sql(env, "shadow_class", maker->shadow_class);
}

/*
 * The user's expressions run in our sessions, whose search path is empty: one
 * that needs the user's own would fail hours later.
 */
static bool check_copy(struct maker *maker, struct error *err)
{
    const struct plan *plan = maker->plan;
    AUTO(rows) rows = ROWS_INIT;

    if (sql_query(maker->db, &rows,
                  "EXPLAIN INSERT INTO {shadow} ({shadow_columns}) OVERRIDING SYSTEM VALUE\n"
                  "SELECT {source_values} FROM {only_source} AS t",
                  &plan->env, err))
        return true;
    if (err->kind == ERROR_LOST || err->kind == ERROR_TRANSIENT)
        return false;
    err->kind = ERROR_REFUSED;
    error_prefix(err, "the values of %s cannot be copied as the ALTER says", plan->source->quoted);
    return error_hint(err, "write functions, types and operators of a USING expression with their "
                           "schema");
}

/*
 * Our sessions run in UTC.  What the user's own session would make of a time
 * is known only where that is UTC as well.
 */
static bool check_zone(struct maker *maker, struct error *err)
{
    const struct plan *plan = maker->plan;
    const char *zone = NULL;

    if (!db_value(maker->db, maker->arena, &zone,
                  "SELECT s.reset_val FROM pg_catalog.pg_settings s WHERE s.name = 'TimeZone'\n"
                  "AND pg_catalog.lower(s.reset_val) NOT IN ('utc', 'etc/utc', 'gmt', 'etc/gmt',\n"
                  "  'uct', 'etc/uct', 'zulu', 'etc/zulu', 'universal', 'etc/universal')",
                  err))
        return false;
    for (size_t i = 0; zone && i < plan->n_map; i++) {
        const struct mapping *mapping = &plan->map[i];
        if (mapping->is_users_expression || !postgres_depends_on_zone(mapping->from, mapping->to))
            continue;
        error_set(err, ERROR_REFUSED,
                  "column %s, %s to %s: the result depends on the session's time zone (%s)",
                  mapping->from->name, mapping->from->type, mapping->to->type, zone);
        return error_hint(err,
                          "say which one is meant: ALTER COLUMN %s TYPE %s USING %s AT TIME "
                          "ZONE '%s'",
                          mapping->to->quoted, mapping->to->type, mapping->from->quoted, zone);
    }
    return true;
}

/* With the shadow or not at all: one without it would be taken for one that nothing was copied to.
 */
static bool create_chunks(struct maker *maker, struct error *err)
{
    struct plan *plan = maker->plan;
    struct sql_env env = {.arena = maker->arena, .outer = &plan->env};

    sql_bind_literal(&env, maker->db, "comment",
                     arena_printf(maker->arena, "osc: copied chunks of %s", plan->source->quoted));
    return sql_exec(maker->db,
                    "CREATE TABLE {chunks} (first_page bigint PRIMARY KEY,\n"
                    "  last_page bigint NOT NULL, copied bigint NOT NULL)",
                    &env, NULL, err) &&
           own_alone(maker->db, plan->source->schema, plan->names.chunks, err) &&
           sql_exec(maker->db, "COMMENT ON TABLE {chunks} IS {comment}", &env, NULL, err);
}

/* Inside a transaction that the caller ends. */
static bool make(struct db *db, struct plan *plan, const char **deferred, struct error *err)
{
    struct maker maker = {.db = db, .plan = plan, .arena = arena_new()};

    maker.env.arena = maker.arena;
    bind_tables(&maker);
    const bool good =
        like_source(&maker, err) && own_alone(db, plan->source->schema, plan->names.shadow, err) &&
        alter_shadow(&maker, err) && plan_shadow(plan, db, err) && check_copy(&maker, err) &&
        check_zone(&maker, err) && defer(&maker, deferred, err) &&
        (!plan->late_key || create_chunks(&maker, err));
    arena_free(maker.arena);
    return good;
}

static bool create(struct db *db, struct plan *plan, const char **deferred, struct error *err)
{
    if (!db_begin(db, err))
        return false;
    if (make(db, plan, deferred, err))
        return db_commit(db, err);
    db_rollback(db);
    return false;
}

static bool rehearse(struct db *db, struct plan *plan, const char **deferred, struct error *err)
{
    if (!db_begin(db, err))
        return false;
    if (make(db, plan, deferred, err))
        return true;
    db_rollback(db);
    return false;
}

static void rehearse_end(struct db *db, const struct plan *plan UNUSED)
{
    db_rollback(db);
}

/* Freezes the rows, too, so that the first readers after the swap need not write. */
static bool analyze(struct db *db, const struct plan *plan, struct error *err)
{
    return sql_exec(db, "VACUUM (FREEZE, ANALYZE) {shadow}", &plan->env, NULL, err);
}

static bool is_ours(struct db *db, const struct plan *plan, const char *deferred, bool *ours,
                    struct error *err)
{
    struct arena *arena = arena_new();
    json_t *all = json_loads(deferred, 0, NULL);
    const char *now = NULL, *then = json_string_value(json_object_get(all, "oid"));
    const bool good =
        db_value(db, arena, &now,
                 arena_printf(arena, "SELECT %s::pg_catalog.oid",
                              postgres_class(db, plan->source->schema, plan->names.shadow, arena)),
                 err);

    *ours = good && now && then && strcmp(now, then) == 0;
    json_decref(all);
    arena_free(arena);
    return good;
}

static bool drop(struct db *db, const struct plan *plan, struct error *err)
{
    struct arena *arena = arena_new();
    const char *schema = db_quote_name(db, arena, plan->source->schema);
    const char *statement = arena_printf(arena, "DROP TABLE IF EXISTS %s.%s, %s.%s", schema,
                                         db_quote_name(db, arena, plan->names.shadow), schema,
                                         db_quote_name(db, arena, plan->names.chunks));
    const bool good = db_exec(db, statement, NULL, err);

    arena_free(arena);
    return good;
}

static const char *long_work(const struct facts *facts UNUSED)
{
    return "SELECT w.words, w.done FROM (\n"
           "  SELECT relid, datid, phase AS words, 1000 * CASE WHEN tuples_total > 0\n"
           "    THEN tuples_done / tuples_total::pg_catalog.float8\n"
           "    ELSE blocks_done / NULLIF(blocks_total, 0)::pg_catalog.float8 END AS done\n"
           "  FROM pg_catalog.pg_stat_progress_create_index\n"
           "  UNION ALL SELECT relid, datid, 'vacuum: ' || phase, 1000 * heap_blks_scanned\n"
           "    / NULLIF(heap_blks_total, 0)::pg_catalog.float8\n"
           "  FROM pg_catalog.pg_stat_progress_vacuum\n"
           "  UNION ALL SELECT relid, datid, 'analyze: ' || phase, 1000 * sample_blks_scanned\n"
           "    / NULLIF(sample_blks_total, 0)::pg_catalog.float8\n"
           "  FROM pg_catalog.pg_stat_progress_analyze) w\n"
           "JOIN pg_catalog.pg_class c ON c.oid = w.relid\n"
           "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace\n"
           "WHERE n.nspname = {schema_text} AND c.relname = {shadow_text}\n"
           "AND w.datid = (SELECT oid FROM pg_catalog.pg_database\n"
           "  WHERE datname = pg_catalog.current_database()) ORDER BY 2";
}

/* Index builds side by side keep the processors busy. */
static bool prepare(struct db *db UNUSED, const struct plan *plan UNUSED,
                    const char *deferred UNUSED, bool *leaves_room, struct error *err UNUSED)
{
    *leaves_room = false;
    return true;
}

const struct shadow_dialect postgres_shadow = {
    .long_work = long_work,
    .create = create,
    .rehearse = rehearse,
    .rehearse_end = rehearse_end,
    .prepare = prepare,
    .build = build_postgres,
    .analyze = analyze,
    .is_ours = is_ours,
    .drop = drop,
};
