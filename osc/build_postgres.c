#include "osc/build_postgres.h"

#include <jansson.h>
#include <stdatomic.h>
#include <stdio.h>

#include "osc/base/group.h"
#include "osc/db/driver.h"
#include "osc/db/interruptible.h"
#include "osc/plan/postgres.h"
#include "osc/statements.h"

enum { MOST_BUILDERS = 8 };

struct builder {
    const struct plan *plan;
    const struct dsn *dsn;
    const json_t *indexes;
    enum build what;
    bool side_by_side;
    struct cancel *cancel;
    atomic_size_t next;
    atomic_uint workers;
};

static const char *member(const json_t *item, const char *name)
{
    const char *value = json_string_value(json_object_get(item, name));

    return value ? value : "";
}

/* An earlier run may have come this far; one that was cut short leaves nothing. */
static bool is_missing(struct db *db, const struct plan *plan, const char *template,
                       const char *name, bool *missing, struct error *err)
{
    struct arena *arena = arena_new();
    struct sql_env env = {.arena = arena};
    uint64_t count = 0;

    sql_bind_literal(&env, db, "schema", plan->source->schema);
    sql_bind_literal(&env, db, "shadow", plan->names.shadow);
    sql_bind_literal(&env, db, "name", name);
    const bool good = db_value_u64(db, &count, sql_renders(arena, template, &env), err);
    *missing = count == 0;
    arena_free(arena);
    return good;
}

static const char count_indexes[] =
    "SELECT pg_catalog.count(*) FROM pg_catalog.pg_index i\n"
    "JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid\n"
    "JOIN pg_catalog.pg_class t ON t.oid = i.indrelid\n"
    "JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace\n"
    "WHERE n.nspname = {schema} AND t.relname = {shadow} AND c.relname = {name} AND i.indisvalid";

static const char count_constraints[] =
    "SELECT pg_catalog.count(*) FROM pg_catalog.pg_constraint c\n"
    "JOIN pg_catalog.pg_class t ON t.oid = c.conrelid\n"
    "JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace\n"
    "WHERE n.nspname = {schema} AND t.relname = {shadow} AND c.conname = {name}";

static bool run_in(struct db *db, const char *tablespace, const char *sql, struct error *err)
{
    AUTO(text) setting = TEXT_INIT;

    text_printf(&setting, "SET LOCAL default_tablespace = %s", tablespace);
    if (!db_begin(db, err))
        return false;
    if (db_exec(db, setting.bytes, NULL, err) && db_exec(db, sql, NULL, err))
        return db_commit(db, err);
    db_rollback(db);
    return false;
}

/* ---- side by side ---- */

/*
 * As much memory as lets all sorted runs be merged at once.  Divided among three processes, m makes
 * runs of m / 3 and merges m / 3 / 264 kB of them (tuplesort.c), enough for m * m / 792 kB of
 * data; so for S bytes about sqrt(S) kB.  No more than a quarter of a gigabyte, nor less than the
 * administrator allows: a small sort in much memory is slower than in pieces that fit the
 * processor's caches (bench/README.md).
 */
static const char enough_memory[] =
    "SELECT pg_catalog.set_config('maintenance_work_mem', GREATEST(s.setting::pg_catalog.int8,\n"
    "  LEAST(262144, pg_catalog.sqrt(pg_catalog.pg_relation_size({class}))::pg_catalog.int8))\n"
    "  ::pg_catalog.text || 'kB', false)\n"
    "FROM pg_catalog.pg_settings s WHERE s.name = 'maintenance_work_mem'";

static bool take_memory(struct db *db, const struct plan *plan, struct error *err)
{
    struct arena *arena = arena_new();
    struct sql_env env = {.arena = arena};

    sql_bind_sql(&env, "class",
                 postgres_class(db, plan->source->schema, plan->names.shadow, arena));
    const bool good = sql_exec(db, enough_memory, &env, NULL, err);
    arena_free(arena);
    return good;
}

/*
 * Of several at once only the longest has the server's parallel workers: with those of the
 * others there would be more of them than processors, and at its end, when one process merges
 * what they sorted, nothing left to do beside it.
 */
static const char no_workers[] = "SET max_parallel_maintenance_workers = 0";

static bool build_all(struct db *db, void *argument, struct error *err)
{
    struct builder *builder = argument;

    for (size_t i; (i = atomic_fetch_add(&builder->next, 1)) < json_array_size(builder->indexes);) {
        const json_t *item = json_array_get(builder->indexes, i);
        bool missing = false;
        if (builder->what == BUILD_KEY && !json_is_true(json_object_get(item, "key")))
            continue;
        if (!cancel_check(builder->cancel, err) ||
            !is_missing(db, builder->plan, count_indexes, member(item, "name"), &missing, err))
            return false;
        if (i > 0 && builder->side_by_side && !db_exec(db, no_workers, NULL, err))
            return false;
        if (missing && !run_in(db, member(item, "tablespace"), member(item, "sql"), err))
            return error_prefix(err, "building index %s", member(item, "name"));
    }
    return true;
}

static bool run_builder(void *argument, struct cancel *cancel, struct error *err)
{
    struct builder *builder = argument;
    char role[32];

    (void)snprintf(role, sizeof role, "index-%u", atomic_fetch_add(&builder->workers, 1));
    struct db *db = db_open_patiently(builder->dsn, role, cancel, err);
    const bool good =
        db && server_fence(db, builder->plan->table_key, builder->plan->run, role, err) &&
        take_memory(db, builder->plan, err) && interruptible(db, cancel, build_all, builder, err);
    db_close(db);
    return good;
}

static bool build_indexes(struct db *db, const struct plan *plan, const json_t *indexes,
                          enum build what, unsigned threads, struct cancel *cancel,
                          struct error *err)
{
    const size_t n = json_array_size(indexes);
    struct builder builder = {.plan = plan,
                              .dsn = db->dsn,
                              .indexes = indexes,
                              .what = what,
                              .side_by_side = threads > 1 && what != BUILD_KEY && !db->script,
                              .cancel = cancel};
    bool good = true;

    if (db->script) /* only shown */
        return build_all(db, &builder, err);
    struct group *group = group_new(cancel);
    for (unsigned i = 0; good && i < threads && i < n && i < MOST_BUILDERS; i++)
        good = group_start(group, "index", run_builder, &builder, err);
    struct error failed = ERROR_INIT;
    if (!group_join(group, &failed) && good) {
        *err = failed;
        good = false;
    }
    return good;
}

/* ---- one after the other: each of them locks the shadow ---- */

static bool attach(struct db *db, const struct plan *plan, const json_t *constraints,
                   struct error *err)
{
    for (size_t i = 0; i < json_array_size(constraints); i++) {
        const json_t *item = json_array_get(constraints, i);
        bool missing = false;
        if (!is_missing(db, plan, count_constraints, member(item, "name"), &missing, err))
            return false;
        if (missing && !run_in(db, member(item, "tablespace"), member(item, "sql"), err))
            return error_prefix(err, "adding constraint %s", member(item, "name"));
    }
    return true;
}

static bool finish(struct db *db, const json_t *statements, struct error *err)
{
    struct arena *arena = arena_new();
    struct statements list = {.arena = arena};

    const bool good = statements_load(&list, statements, err) && statements_run(&list, db, err);
    arena_free(arena);
    return good;
}

struct rest {
    const struct plan *plan;
    const json_t *all;
};

/* Constraints are checked against every row. */
static bool add_rest(struct db *db, void *argument, struct error *err)
{
    const struct rest *rest = argument;

    return attach(db, rest->plan, json_object_get(rest->all, "attach"), err) &&
           finish(db, json_object_get(rest->all, "finish"), err) &&
           sql_exec(db, "DROP TABLE IF EXISTS {chunks}", &rest->plan->env, NULL, err);
}

bool build_postgres(struct db *db, const struct plan *plan, const char *deferred, enum build what,
                    unsigned threads, struct cancel *cancel, struct error *err)
{
    json_t *all = json_loads(deferred, 0, NULL);

    if (!all) /* uncovered: is_ours() has read it, or refused the shadow */
        return error_set(err, ERROR_SYSTEM, "the list of deferred indexes cannot be read");
    struct rest rest = {plan, all};
    const bool good = build_indexes(db, plan, json_object_get(all, "build"), what,
                                    threads ? threads : 1, cancel, err) &&
                      (what == BUILD_KEY || interruptible(db, cancel, add_rest, &rest, err));
    json_decref(all);
    return good;
}
