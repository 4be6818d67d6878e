#include <string.h>

#include "osc/deferral_postgres.h"

/*
 * What the rows that exist get in the columns an ALTER adds.
 *
 * The server's own ALTER evaluates a default once, when the column is added: now()
 * is the same in all rows, and SET DEFAULT or DROP DEFAULT in a later clause no longer
 * matters to them.  Copied rows are inserted, so during the copy each such column has
 * that very value as its default; the real one comes back in the swap.
 */

static const char list_columns[] =
    "SELECT pg_catalog.quote_ident(a.attname), pg_catalog.format_type(a.atttypid, a.atttypmod),\n"
    "  pg_catalog.pg_get_expr(d.adbin, d.adrelid), (a.attmissingval::text::text[])[1],\n"
    "  pg_catalog.format_type(a.atttypid, NULL)\n"
    "FROM pg_catalog.pg_attribute a\n"
    "LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum\n"
    "WHERE a.attrelid = {shadow_class} AND a.attnum > {columns} AND NOT a.attisdropped\n"
    "AND a.attgenerated = '' AND a.attidentity = '' ORDER BY a.attnum";

static const char *text_or_null(const struct rows *rows, unsigned column, struct arena *arena)
{
    return rows_is_null(rows, column) ? NULL : arena_string(arena, rows_text(rows, column));
}

static bool read_columns(struct maker *maker, struct error *err)
{
    struct sql_env env = {.arena = maker->arena, .outer = &maker->env};
    AUTO(rows) rows = ROWS_INIT;
    struct new_column **last = &maker->new_columns;

    sql_bind_u64(&env, "columns", maker->plan->source->n_columns);
    *last = NULL;
    if (!sql_query(maker->db, &rows, list_columns, &env, err))
        return false;
    while (rows_next(&rows, err)) {
        struct new_column *column = ARENA_NEW(maker->arena, struct new_column);
        *column = (struct new_column){
            .quoted = arena_string(maker->arena, rows_text(&rows, 0)),
            .type = arena_string(maker->arena, rows_text(&rows, 1)),
            .default_sql = text_or_null(&rows, 2, maker->arena),
            .value = text_or_null(&rows, 3, maker->arena),
            .base_type = arena_string(maker->arena, rows_text(&rows, 4)),
        };
        *last = column;
        last = &column->next;
    }
    return err->kind == ERROR_NONE;
}

/* ---- when the ALTER rewrites the table ---- */

static const char *list_names(const struct maker *maker)
{
    AUTO(text) out = TEXT_INIT;

    for (size_t i = 0; i < maker->plan->source->n_columns; i++)
        if (!maker->plan->source->columns[i].is_generated)
            text_printf(&out, "%s%s", out.length ? ", " : "",
                        maker->plan->source->columns[i].quoted);
    return arena_copy(maker->arena, out.bytes, out.length);
}

/* Two rows as samples; no trigger may see them. */
static const char *const samples[] = {
    "ROLLBACK TO SAVEPOINT osc_before",
    "ALTER TABLE {only_shadow} DISABLE TRIGGER USER",
    ("INSERT INTO {shadow} ({names}) OVERRIDING SYSTEM VALUE "
     "SELECT {names} FROM {only_source} LIMIT 2"),
};

/* Values that differ come from a default that is evaluated for each row. */
static bool compare_samples(struct maker *maker, struct error *err)
{
    AUTO(text) query = TEXT_INIT;
    AUTO(rows) rows = ROWS_INIT;
    unsigned i = 0;

    text_add(&query, "SELECT pg_catalog.count(*) > 1");
    for (const struct new_column *c = maker->new_columns; c; c = c->next)
        text_printf(&query,
                    ", pg_catalog.min(%s::text), pg_catalog.min(%s::text) IS NOT DISTINCT "
                    "FROM pg_catalog.max(%s::text) AND pg_catalog.count(%s) IN (0, "
                    "pg_catalog.count(*))",
                    c->quoted, c->quoted, c->quoted, c->quoted);
    text_printf(&query, " FROM ONLY %s", maker->shadow);
    if (!db_query(maker->db, &rows, query.bytes, err) || !rows_next(&rows, err))
        return false;
    for (struct new_column *c = maker->new_columns; c; c = c->next, i += 2) {
        c->is_known = rows_bool(&rows, 0) && rows_bool(&rows, i + 2);
        c->value = text_or_null(&rows, i + 1, maker->arena);
    }
    return true;
}

static bool try_samples(struct maker *maker, bool (*apply)(struct maker *maker, struct error *err),
                        struct error *err)
{
    struct sql_env env = {.arena = maker->arena, .outer = &maker->env};

    sql_bind_sql(&env, "names", list_names(maker));
    sql_bind_sql(&env, "only_shadow", arena_printf(maker->arena, "ONLY %s", maker->shadow));
    sql_bind_sql(&env, "only_source",
                 arena_printf(maker->arena, "ONLY %s", maker->plan->source->quoted));
    for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
        if (!sql_exec(maker->db, samples[i], &env, NULL, err))
            return false;
    return apply(maker, err) && compare_samples(maker, err);
}

bool find_new_values(struct maker *maker, bool is_rewritten,
                     bool (*apply)(struct maker *maker, struct error *err), struct error *err)
{
    struct error failure = ERROR_INIT;

    if (!read_columns(maker, err))
        return false;
    for (struct new_column *c = maker->new_columns; c; c = c->next)
        c->is_known = !is_rewritten;
    if (!is_rewritten || !maker->new_columns)
        return true;
    /* Rows that do not fit are told by the copy, with their key. */
    if (!try_samples(maker, apply, &failure) &&
        (failure.kind == ERROR_LOST || failure.kind == ERROR_CANCELLED)) {
        *err = failure;
        return false;
    }
    return db_exec(maker->db, "ROLLBACK TO SAVEPOINT osc_before", NULL, err) && apply(maker, err);
}

/* ---- later ---- */

static bool is_default(const struct maker *maker, const struct new_column *column)
{
    if (!column->value || !column->default_sql)
        return !column->value && !column->default_sql;
    const char *literal = db_quote_literal(maker->db, maker->arena, column->value);
    return strcmp(column->default_sql, column->value) == 0 ||
           strcmp(column->default_sql,
                  arena_printf(maker->arena, "%s::%s", literal, column->base_type)) == 0;
}

void defer_defaults(struct deferral *d)
{
    const struct maker *maker = d->maker;

    for (const struct new_column *c = maker->new_columns; c; c = c->next) {
        const char *column = arena_printf(maker->arena, "ALTER TABLE ONLY %s ALTER COLUMN %s",
                                          maker->shadow, c->quoted);
        if (!c->is_known || is_default(maker, c))
            continue;
        if (c->value)
            statements_add(&d->off, "%s SET DEFAULT %s::%s", column,
                           db_quote_literal(maker->db, maker->arena, c->value), c->type);
        else
            statements_add(&d->off, "%s DROP DEFAULT", column);
        if (c->default_sql)
            statements_add(&d->promote, "%s SET DEFAULT %s", column, c->default_sql);
        else
            statements_add(&d->promote, "%s DROP DEFAULT", column);
    }
}
