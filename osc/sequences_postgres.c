#include <string.h>

#include "osc/deferral_postgres.h"

enum { MOST_SEQUENCES = 1600 };

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

/* From 15 on a sequence follows its table. */
static const char persistence[] =
    "SELECT pg_catalog.format('ALTER SEQUENCE %s SET %s', d.objid::pg_catalog.regclass,\n"
    "  CASE n.relpersistence WHEN 'u' THEN 'UNLOGGED' ELSE 'LOGGED' END)\n"
    "FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class c ON c.oid = d.objid\n"
    "JOIN (VALUES {map}) m(source, shadow) ON m.source = d.refobjsubid\n"
    "JOIN pg_catalog.pg_class n ON n.oid = {shadow_class}\n"
    "JOIN pg_catalog.pg_class o ON o.oid = {source_class}\n"
    "WHERE d.refobjid = {source_class} AND d.deptype = 'a' AND c.relkind = 'S'\n"
    "AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refclassid = d.classid\n"
    "AND n.relpersistence <> o.relpersistence AND c.relpersistence <> n.relpersistence";

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

struct sequence {
    const char *oid, *name, *schema;    /* the shadow's */
    const char *source, *source_schema; /* that which it replaces; NULL: none */
};

static void take_over(struct deferral *d, const struct sequence *sequence, size_t number)
{
    const struct maker *maker = d->maker;
    const char *retired = retired_name(maker, "s", number);
    const bool restarts = strcmp(state_of(maker, maker->states_before, sequence->oid),
                                 state_of(maker, maker->states_after, sequence->oid)) != 0;

    statements_add(&d->retire, "ALTER SEQUENCE %s.%s RENAME TO %s", sequence->source_schema,
                   sequence->source, retired);
    statements_add(&d->promote, "ALTER SEQUENCE %s.%s RENAME TO %s", sequence->schema,
                   quoted(maker, sequence->name), sequence->source);
    /* The rename above waits for everybody who draws from the old one, and keeps others away. */
    if (!restarts)
        statements_add(&d->promote,
                       "SELECT pg_catalog.setval(%s, q.last_value, q.is_called) FROM %s.%s q",
                       db_quote_literal(
                           maker->db, maker->arena,
                           arena_printf(maker->arena, "%s.%s", sequence->schema, sequence->source)),
                       sequence->source_schema, retired);
}

static bool read_sequences(const struct maker *maker, struct sequence *sequences, size_t *n,
                           struct error *err)
{
    AUTO(rows) rows = ROWS_INIT;

    if (!sql_query(maker->db, &rows, shadow_sequences, &maker->env, err))
        return false;
    while (*n < MOST_SEQUENCES && rows_next(&rows, err)) {
        const bool is_new = rows_is_null(&rows, 3);
        sequences[(*n)++] = (struct sequence){
            .oid = arena_string(maker->arena, rows_text(&rows, 0)),
            .name = arena_string(maker->arena, rows_text(&rows, 1)),
            .schema = arena_string(maker->arena, rows_text(&rows, 2)),
            .source = is_new ? NULL : arena_string(maker->arena, rows_text(&rows, 3)),
            .source_schema = arena_string(maker->arena, rows_text(&rows, 4)),
        };
    }
    return err->kind == ERROR_NONE;
}

bool defer_sequences(struct deferral *d, struct error *err)
{
    const struct maker *maker = d->maker;
    struct sequence *sequences = ARENA_ARRAY(maker->arena, struct sequence, MOST_SEQUENCES);
    size_t n = 0;

    if (!statements_ask(&d->promote, maker->db, serials, &maker->env, err) ||
        (maker->plan->facts->number >= 150000 &&
         !statements_ask(&d->promote, maker->db, persistence, &maker->env, err)) ||
        !read_sequences(maker, sequences, &n, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        const char *final = NULL;
        if (sequences[i].source) {
            take_over(d, &sequences[i], i + 1);
            continue;
        }
        if (!choose_name(d, sequences[i].name, &final, err))
            return false;
        if (strcmp(final, sequences[i].name) != 0)
            statements_add(&d->promote, "ALTER SEQUENCE %s.%s RENAME TO %s", sequences[i].schema,
                           quoted(maker, sequences[i].name), quoted(maker, final));
    }
    return true;
}
