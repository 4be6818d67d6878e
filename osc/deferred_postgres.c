#include <stdlib.h>
#include <string.h>

#include "osc/plan/names.h"
#include "osc/shadow_postgres.h"

struct deferral {
    struct maker *maker;
    json_t *build;             /* indexes to create: name, tablespace, statement */
    json_t *attach;            /* constraints to add: name, statement */
    struct statements finish;  /* marks and comments; may be run again */
    struct statements retire;  /* swap: the source's names out of the way */
    struct statements promote; /* swap: the shadow gets the names */
    struct statements enable;  /* swap: once the shadow is the source */
    struct statements off;     /* now */
};

/* ---- names ---- */

static size_t common_prefix(const char *a, const char *b)
{
    size_t n = 0;

    while (a[n] && a[n] == b[n])
        n++;
    return n;
}

/* The server cuts the table's name when the whole would be too long. */
const char *final_name(const struct maker *maker, const char *name)
{
    const struct plan *plan = maker->plan;
    const size_t limit = plan->facts->max_name_bytes, whole = strlen(plan->names.shadow);
    const size_t common = common_prefix(name, plan->names.shadow);
    const char *rest = name + common;
    size_t keep = strlen(plan->source->name);

    if (common < whole && (strlen(name) + 2 < limit || common < limit / 2))
        return name;
    while (keep > 0 && (keep + strlen(rest) > limit ||
                        ((unsigned char)plan->source->name[keep] & 0xc0) == 0x80))
        keep--;
    return arena_printf(maker->arena, "%.*s%s", (int)keep, plan->source->name, rest);
}

static const char *retired_name(const struct maker *maker, const char *suffix, size_t number)
{
    const char *name = names_with_suffix(
        maker->plan->source->name, arena_printf(maker->arena, "_osc_old_%s%zu", suffix, number),
        maker->plan->facts, maker->arena);

    return db_quote_name(maker->db, maker->arena, name);
}

static const char *quoted(const struct maker *maker, const char *name)
{
    return db_quote_name(maker->db, maker->arena, name);
}

/* The source's name for what goes by `temporary` (quoted) in the shadow; NULL: it is new. */
static const char *original(const struct name_pair *pairs, const char *temporary)
{
    for (; pairs; pairs = pairs->next)
        if (strcmp(pairs->to, temporary) == 0)
            return pairs->from;
    return NULL;
}

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
    return NULL;
}

static void defer_index(struct deferral *d, const struct index *index)
{
    const struct maker *maker = d->maker;
    const char *name = quoted(maker, index->name);
    const char *create = index_create(index, name, maker->shadow, maker->arena);
    const char *attach = index_attach(index, name, maker->shadow, maker->arena);

    if (create)
        json_array_append_new(d->build, json_pack("{ssssss}", "name", index->name, "tablespace",
                                                  index->tablespace, "sql", create));
    if (attach)
        json_array_append_new(d->attach, json_pack("{ssssss}", "name", index->name, "tablespace",
                                                   index->tablespace, "sql", attach));
    index_finish(index, maker->schema, name, maker->shadow, &d->finish);
    if (attach)
        statements_add(&d->off, "ALTER TABLE ONLY %s DROP CONSTRAINT %s", maker->shadow, name);
    else
        statements_add(&d->off, "DROP INDEX %s.%s", maker->schema, name);
}

static void rename_index(struct deferral *d, const struct index *index)
{
    const struct maker *maker = d->maker;
    const char *name = quoted(maker, index->name);
    const char *source = original(maker->indexes, name);
    const char *final = source ? source : final_name(maker, index->name);

    if (strcmp(final, index->name) != 0)
        statements_add(&d->promote, "ALTER INDEX %s.%s RENAME TO %s", maker->schema, name,
                       quoted(maker, final));
}

static bool defer_indexes(struct deferral *d, struct error *err)
{
    const struct maker *maker = d->maker;
    const struct key *kept = kept_key(maker->plan);
    struct index *indexes = NULL;
    size_t n = 0;

    for (const struct name_pair *pair = maker->indexes; pair; pair = pair->next)
        statements_add(&d->retire, "ALTER INDEX %s.%s RENAME TO %s", maker->schema,
                       quoted(maker, pair->from), retired_name(maker, "", ++n));
    if (!indexes_read(maker->db, maker->shadow_class, maker->arena, &indexes, &n, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!kept || strcmp(kept->name, indexes[i].name) != 0)
            defer_index(d, &indexes[i]);
        rename_index(d, &indexes[i]);
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
        const char *final = final_name(maker, names.list[i]);
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
static const char unproved[] =
    "SELECT pg_catalog.format('ALTER TABLE ONLY %s DROP CONSTRAINT %I', {shadow_text}, "
    "c.conname),\n"
    "  pg_catalog.pg_get_constraintdef(c.oid), c.conname,\n"
    "  pg_catalog.quote_literal(pg_catalog.obj_description(c.oid, 'pg_constraint'))\n"
    "FROM pg_catalog.pg_constraint c WHERE c.conrelid = {shadow_class}\n"
    "AND c.contype IN ('c', 'n') AND NOT c.convalidated ORDER BY c.oid";

static bool defer_unproved(struct deferral *d, struct error *err)
{
    const struct maker *maker = d->maker;
    AUTO(rows) rows = ROWS_INIT;

    if (!sql_query(maker->db, &rows, unproved, &maker->env, err))
        return false;
    while (rows_next(&rows, err)) {
        const char *name = quoted(maker, final_name(maker, rows_text(&rows, 2)));
        statements_add(&d->off, "%s", rows_text(&rows, 0));
        statements_add(&d->promote, "ALTER TABLE ONLY %s ADD CONSTRAINT %s %s", maker->shadow, name,
                       rows_text(&rows, 1));
        if (!rows_is_null(&rows, 3))
            statements_add(&d->promote, "COMMENT ON CONSTRAINT %s ON %s IS %s", name, maker->shadow,
                           rows_text(&rows, 3));
    }
    return err->kind == ERROR_NONE;
}

/* ---- sequences ---- */

/*
 * A serial column's sequence goes on serving and only changes hands, so that
 * dropping the retired table does not take it away.  An identity column's
 * belongs to its table: the shadow's own takes over name and value.
 */
static const char serials[] =
    "SELECT pg_catalog.format('ALTER SEQUENCE %s OWNED BY %s.%I',\n"
    "  d.objid::pg_catalog.regclass, {shadow_text}, a.attname)\n"
    "FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_sequence q ON q.seqrelid = d.objid\n"
    "JOIN (VALUES {map}) m(source, shadow) ON m.source = d.refobjsubid\n"
    "JOIN pg_catalog.pg_attribute a ON a.attrelid = {shadow_class} AND a.attnum = m.shadow\n"
    "WHERE d.refobjid = {source_class} AND d.deptype = 'a'\n"
    "AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refclassid = d.classid";

/* The shadow's sequences, each with that of the source which it replaces. */
static const char shadow_sequences[] =
    "SELECT d.objid, c.relname, pg_catalog.quote_ident(n.nspname),\n"
    "  pg_catalog.quote_ident(oc.relname), pg_catalog.quote_ident(onsp.nspname)\n"
    "FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_sequence q ON q.seqrelid = d.objid\n"
    "JOIN pg_catalog.pg_class c ON c.oid = d.objid\n"
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace\n"
    "LEFT JOIN (VALUES {map}) m(source, shadow)\n"
    "  ON m.shadow = d.refobjsubid AND d.deptype = 'i'\n"
    "LEFT JOIN (pg_catalog.pg_depend od JOIN pg_catalog.pg_sequence oq ON oq.seqrelid = od.objid)\n"
    "  ON od.refobjid = {source_class} AND od.refobjsubid = m.source AND od.deptype = 'i'\n"
    "  AND od.classid = 'pg_catalog.pg_class'::pg_catalog.regclass\n"
    "  AND od.refclassid = od.classid\n"
    "LEFT JOIN pg_catalog.pg_class oc ON oc.oid = od.objid\n"
    "LEFT JOIN pg_catalog.pg_namespace onsp ON onsp.oid = oc.relnamespace\n"
    "WHERE d.refobjid = {shadow_class} AND d.deptype IN ('a', 'i')\n"
    "AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refclassid = d.classid\n"
    "ORDER BY d.objid";

/* What look_at_sequences() said of this one. */
static const char *state_of(const struct maker *maker, const char *states, const char *oid)
{
    const char *at = strstr(states, arena_printf(maker->arena, ",%s=", oid));

    return at ? arena_copy(maker->arena, at + 1, strcspn(at + 1, ",")) : "";
}

static void take_over(struct deferral *d, const struct rows *rows, size_t number)
{
    const struct maker *maker = d->maker;
    const char *oid = rows_text(rows, 0), *name = quoted(maker, rows_text(rows, 1));
    const char *schema = rows_text(rows, 2), *source = rows_text(rows, 3);
    const char *source_schema = rows_text(rows, 4), *retired = retired_name(maker, "s", number);
    const bool restarts = strcmp(state_of(maker, maker->states_before, oid),
                                 state_of(maker, maker->states_after, oid)) != 0;

    statements_add(&d->retire, "ALTER SEQUENCE %s.%s RENAME TO %s", source_schema, source, retired);
    statements_add(&d->promote, "ALTER SEQUENCE %s.%s RENAME TO %s", schema, name, source);
    /* The rename above waits for everybody who draws from the old one, and keeps others away. */
    if (!restarts)
        statements_add(&d->promote,
                       "SELECT pg_catalog.setval(%s, q.last_value, q.is_called) FROM %s.%s q",
                       db_quote_literal(maker->db, maker->arena,
                                        arena_printf(maker->arena, "%s.%s", schema, source)),
                       source_schema, retired);
}

static bool defer_sequences(struct deferral *d, struct error *err)
{
    const struct maker *maker = d->maker;
    AUTO(rows) rows = ROWS_INIT;

    if (!statements_ask(&d->promote, maker->db, serials, &maker->env, err) ||
        !sql_query(maker->db, &rows, shadow_sequences, &maker->env, err))
        return false;
    for (size_t n = 1; rows_next(&rows, err); n++) {
        const char *name = rows_text(&rows, 1), *final = final_name(maker, name);
        if (!rows_is_null(&rows, 3))
            take_over(d, &rows, n);
        else if (strcmp(final, name) != 0)
            statements_add(&d->promote, "ALTER SEQUENCE %s.%s RENAME TO %s", rows_text(&rows, 2),
                           quoted(maker, name), quoted(maker, final));
    }
    return err->kind == ERROR_NONE;
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
    struct deferral d = {maker, json_array(), json_array(), none, none, none, none, none};

    bind_map(maker);
    const bool good = defer_indexes(&d, err) && rename_constraints(&d, err) &&
                      rename_statistics(&d, err) && defer_unproved(&d, err) &&
                      defer_sequences(&d, err) && defer_triggers(&d, err) &&
                      statements_run(&d.off, maker->db, err);
    json_t *all = json_pack("{sososososososo}", "build", d.build, "attach", d.attach, "finish",
                            statements_save(&d.finish), "retire", statements_save(&d.retire),
                            "promote", statements_save(&d.promote), "enable",
                            statements_save(&d.enable), "version", json_integer(1));
    char *text = good ? json_dumps(all, JSON_COMPACT) : NULL;
    if (text)
        *deferred = arena_string(maker->plan->arena, text);
    free(text);
    json_decref(all);
    return good;
}
