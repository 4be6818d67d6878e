#include <stdlib.h>
#include <string.h>

#include "osc/base/fail.h"
#include "osc/deferral_postgres.h"
#include "osc/plan/postgres.h"

/* ---- indexes ---- */

static bool has_column(const struct key *key, const struct column *column)
{
    for (size_t i = 0; i < key->n_columns; i++)
        if (key->columns[i] == column)
            return true;
    return false;
}

/* The index by which the copy and the replay find rows: the first that will do. */
static const struct key *kept_key(const struct plan *plan)
{
    for (size_t k = 0; k < plan->shadow->n_keys; k++) {
        const struct key *key = &plan->shadow->keys[k];
        size_t found = 0;
        for (size_t i = 0; i < plan->key->n_columns; i++)
            found += has_column(key, plan->shadow_key[i]);
        if (!key->unusable && key->n_columns == plan->key->n_columns && found == key->n_columns)
            return key;
    }
    return NULL; /* uncovered: key_choose_surviving() refuses a table without one */
}

static json_int_t effort(const json_t *item)
{
    return json_integer_value(json_object_get(item, "effort"));
}

/* The longest first, so that it does not end alone. */
static void add_build(json_t *build, json_t *item)
{
    size_t at = 0;

    while (at < json_array_size(build) && effort(json_array_get(build, at)) >= effort(item))
        at++;
    json_array_insert_new(build, at, item);
}

static void defer_index(struct deferral *d, const struct index *index, bool is_key)
{
    const struct maker *maker = d->maker;
    const char *name = quoted(maker, index->name);
    const char *create = index_create(index, name, maker->shadow, maker->arena);
    const char *attach = index_attach(index, name, maker->shadow, maker->arena);

    if (create)
        add_build(d->build,
                  json_pack("{sssssssbsI}", "name", index->name, "tablespace", index->tablespace,
                            "sql", create, "key", is_key, "effort", (json_int_t)index->effort));
    if (attach)
        json_array_append_new(d->attach, json_pack("{ssssss}", "name", index->name, "tablespace",
                                                   index->tablespace, "sql", attach));
    index_finish(index, maker->schema, name, maker->shadow, &d->finish);
    if (attach)
        statements_add(&d->off, "ALTER TABLE ONLY %s DROP CONSTRAINT %s", maker->shadow, name);
    else
        statements_add(&d->off, "DROP INDEX %s.%s", maker->schema, name);
}

static bool rename_index(struct deferral *d, const char *name, struct error *err)
{
    const struct maker *maker = d->maker;
    const char *final = original(maker->indexes, quoted(maker, name));

    if (!final && !choose_name(d, name, &final, err))
        return false;
    if (strcmp(final, name) != 0)
        statements_add(&d->promote, "ALTER INDEX %s.%s RENAME TO %s", maker->schema,
                       quoted(maker, name), quoted(maker, final));
    return true;
}

static bool defer_indexes(struct deferral *d, struct error *err)
{
    const struct maker *maker = d->maker;
    const struct key *kept = kept_key(maker->plan);
    struct index *indexes = NULL;
    size_t n = 0;

    /* Rows that the new key might call equal are found out by an index, while they are copied. */
    if (kept && !maker->plan->key_may_merge && TUNED("BARE", 1))
        maker->plan->late_key = maker->plan->key->name;
    for (const struct name_pair *pair = maker->indexes; pair; pair = pair->next)
        statements_add(&d->retire, "ALTER INDEX %s.%s RENAME TO %s", maker->schema,
                       quoted(maker, pair->from), retired_name(maker, "", ++n));
    if (!indexes_read(maker->db, maker->shadow_class, maker->arena, &indexes, &n, err))
        return false;
    /* The names that are known first: the server's own choices give way to them. */
    for (size_t i = 0; i < n; i++) {
        const char *source = original(maker->indexes, quoted(maker, indexes[i].name));
        if (source)
            give(d, indexes[i].name, source);
    }
    for (size_t i = 0; i < n; i++) {
        const bool is_kept = kept && strcmp(kept->name, indexes[i].name) == 0;
        if (!is_kept || maker->plan->late_key)
            defer_index(d, &indexes[i], is_kept);
        if (!rename_index(d, indexes[i].name, err))
            return false;
    }
    return true;
}

/* ---- other names ---- */

/* Unique constraints are renamed with their indexes. */
static const char constraint_names[] =
    "SELECT c.conname FROM pg_catalog.pg_constraint c WHERE c.conrelid = {shadow_class}\n"
    "AND c.contype NOT IN ('p', 'u', 'x') AND c.convalidated ORDER BY c.oid";

static bool rename_constraints(struct deferral *d, struct error *err)
{
    const struct maker *maker = d->maker;
    struct statements names = {.arena = maker->arena};

    if (!statements_ask(&names, maker->db, constraint_names, &maker->env, err))
        return false;
    for (size_t i = 0; i < names.n; i++) {
        const char *final = original(maker->indexes, quoted(maker, names.list[i]));
        if (!final && !choose_name(d, names.list[i], &final, err))
            return false;
        if (strcmp(final, names.list[i]) != 0)
            statements_add(&d->promote, "ALTER TABLE ONLY %s RENAME CONSTRAINT %s TO %s",
                           maker->shadow, quoted(maker, names.list[i]), quoted(maker, final));
    }
    return true;
}

static const char statistics_names[] =
    "SELECT s.stxname FROM pg_catalog.pg_statistic_ext s WHERE s.stxrelid = {shadow_class}";

static bool rename_statistics(struct deferral *d, struct error *err)
{
    const struct maker *maker = d->maker;
    struct statements names = {.arena = maker->arena};
    size_t n = 0;

    for (const struct name_pair *pair = maker->statistics; pair; pair = pair->next)
        statements_add(&d->retire, "ALTER STATISTICS %s.%s RENAME TO %s", maker->schema,
                       quoted(maker, pair->from), retired_name(maker, "x", ++n));
    if (!statements_ask(&names, maker->db, statistics_names, &maker->env, err))
        return false;
    for (size_t i = 0; i < names.n; i++) {
        const char *name = quoted(maker, names.list[i]);
        const char *source = original(maker->statistics, name);
        if (source)
            statements_add(&d->promote, "ALTER STATISTICS %s.%s RENAME TO %s", maker->schema, name,
                           quoted(maker, source));
    }
    return true;
}

/*
 * Checks that no row was ever checked against: neither are the copied rows,
 * so such a check comes back, as it was, in the swap.
 */
static const char unproved_names[] =
    "SELECT c.conname FROM pg_catalog.pg_constraint c WHERE c.conrelid = {shadow_class}\n"
    "AND c.contype IN ('c', 'n') AND NOT c.convalidated ORDER BY c.oid";

static const char unproved_again[] =
    "SELECT s.statement FROM pg_catalog.pg_constraint c CROSS JOIN LATERAL (VALUES\n"
    "  (1, pg_catalog.format('ALTER TABLE ONLY %s ADD CONSTRAINT %I %s', {shadow_text}, {final},\n"
    "    pg_catalog.pg_get_constraintdef(c.oid))),\n"
    "  (2, pg_catalog.format('COMMENT ON CONSTRAINT %I ON %s IS %s', {final}, {shadow_text},\n"
    "    pg_catalog.quote_nullable(pg_catalog.obj_description(c.oid, 'pg_constraint')))))\n"
    "  s(n, statement)\n"
    "WHERE c.conrelid = {shadow_class} AND c.conname = {name} ORDER BY s.n";

static bool defer_unproved(struct deferral *d, struct error *err)
{
    const struct maker *maker = d->maker;
    struct statements names = {.arena = maker->arena};

    if (!statements_ask(&names, maker->db, unproved_names, &maker->env, err))
        return false;
    for (size_t i = 0; i < names.n; i++) {
        struct sql_env env = {.arena = maker->arena, .outer = &maker->env};
        const char *final = NULL;
        if (!choose_name(d, names.list[i], &final, err))
            return false;
        statements_add(&d->off, "ALTER TABLE ONLY %s DROP CONSTRAINT %s", maker->shadow,
                       quoted(maker, names.list[i]));
        sql_bind_literal(&env, maker->db, "name", names.list[i]);
        sql_bind_literal(&env, maker->db, "final", final);
        if (!statements_ask(&d->promote, maker->db, unproved_again, &env, err))
            return false;
    }
    return true;
}

/* ---- triggers ---- */

/* On the shadow all are off until the swap; then each is what the ALTER left it. */
static const char enable_triggers[] =
    "SELECT pg_catalog.format('ALTER TABLE ONLY %s ENABLE %sTRIGGER %I', {shadow_text},\n"
    "  CASE t.tgenabled WHEN 'R' THEN 'REPLICA ' WHEN 'A' THEN 'ALWAYS ' END, t.tgname)\n"
    "FROM pg_catalog.pg_trigger t WHERE t.tgrelid = {shadow_class} AND NOT t.tgisinternal\n"
    "AND t.tgenabled <> 'D' ORDER BY t.oid";

static bool defer_triggers(struct deferral *d, struct error *err)
{
    if (!statements_ask(&d->enable, d->maker->db, enable_triggers, &d->maker->env, err))
        return false;
    if (d->enable.n)
        statements_add(&d->off, "ALTER TABLE ONLY %s DISABLE TRIGGER USER", d->maker->shadow);
    return true;
}

/* ---- all of it ---- */

static void bind_map(struct maker *maker)
{
    AUTO(text) map = TEXT_INIT;

    for (size_t i = 0; i < maker->plan->n_map; i++)
        text_printf(&map, "%s(%u,%u)", i ? "," : "", maker->plan->map[i].from->number,
                    maker->plan->map[i].to->number);
    sql_bind_sql(&maker->env, "map", arena_copy(maker->arena, map.bytes, map.length));
}

bool defer(struct maker *maker, const char **deferred, struct error *err)
{
    struct statements none = {.arena = maker->arena};
    struct deferral d = {maker, json_array(), json_array(), none, none, none, none, none, NULL};

    bind_map(maker);
    defer_defaults(&d);
    const bool good = defer_indexes(&d, err) && rename_constraints(&d, err) &&
                      rename_statistics(&d, err) && defer_unproved(&d, err) &&
                      defer_sequences(&d, err) && defer_triggers(&d, err) &&
                      statements_run(&d.off, maker->db, err);
    json_t *all =
        json_pack("{sosososososososs*ss}", "build", d.build, "attach", d.attach, "finish",
                  statements_save(&d.finish), "retire", statements_save(&d.retire), "promote",
                  statements_save(&d.promote), "enable", statements_save(&d.enable), "version",
                  json_integer(1), "late_key", maker->plan->late_key, "oid",
                  postgres_oid(maker->plan->shadow, maker->arena));
    char *text = good ? json_dumps(all, JSON_COMPACT) : NULL;
    if (text)
        *deferred = arena_string(maker->plan->arena, text);
    free(text);
    json_decref(all);
    return good;
}
