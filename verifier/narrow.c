#include "verifier/narrow.h"

#include <string.h>

#include "osc/db/dialect.h"
#include "osc/plan/catalog_dialect.h"
#include "verifier/checksum_dialect.h"

/*
 * Inner: a row and its partner cancel out, whatever their key is called.
 * Outer: what is left, key by key; the same key on both sides is a changed row.
 */
static const char list[] =
    "SELECT {min_keys}, MAX(e.side), MIN(e.side)\n"
    "FROM (SELECT {inner_keys}, SUM(d.side) AS side\n"
    "  FROM (SELECT {source_keys}, {source_hash} AS h, 1 AS side\n"
    "    FROM {only_source} AS t{source_force} WHERE {source_range}{source_excuse}\n"
    "    UNION ALL SELECT {shadow_keys}, {shadow_hash}, -1\n"
    "    FROM {only_shadow} AS s WHERE {shadow_range}{shadow_excuse}) AS d\n"
    "  GROUP BY d.h HAVING SUM(d.side) <> 0) AS e\n"
    "GROUP BY {group_keys} ORDER BY {group_keys}";

static const char columns_that_differ[] =
    "SELECT {differs} FROM {only_source} AS t, {only_shadow} AS s WHERE {this_row}";

static const char *as_bytes(const struct plan *plan, const char *expression, struct arena *arena)
{
    AUTO(text) out = TEXT_INIT;
    const char *format = plan->dialect->checksum->as_bytes;
    const char *at = strstr(format, "%s");

    text_add_bytes(&out, format, (size_t)(at - format));
    text_add(&out, expression);
    text_add(&out, at + 2);
    return arena_copy(arena, out.bytes, out.length);
}

static size_t mapped_by(const struct plan *plan, const struct column *from)
{
    for (size_t i = 0; i < plan->n_map; i++)
        if (plan->map[i].from == from)
            return i;
    bug("key column %s is not in the map", from->name);
}

/* a: literal of the source's key; b: of the shadow's, which both sides have; c: for people. */
static void add_keys(const struct plan *plan, struct text *out, bool is_source, struct arena *arena)
{
    const struct catalog_dialect *catalog = plan->dialect->catalog;

    for (size_t i = 0; i < plan->key->n_columns; i++) {
        const struct column *from = plan->key->columns[i], *to = plan->shadow_key[i];
        const char *key = arena_printf(arena, "t.%s", from->quoted);
        const char *value = is_source ? digest_source_value(plan, mapped_by(plan, from), arena)
                                      : arena_printf(arena, "s.%s", to->quoted);
        const char *a =
            is_source ? as_bytes(plan, catalog->literal_of(from, key, arena), arena) : "NULL";
        text_printf(out, "%s%s AS a%zu, ", i ? ", " : "", a, i);
        text_printf(out, "%s AS b%zu, ",
                    as_bytes(plan, catalog->literal_of(to, value, arena), arena), i);
        text_printf(out, "%s AS c%zu", plan->dialect->checksum->shown(to, value, arena), i);
    }
}

static const char *keys_of(const struct plan *plan, bool is_source, struct arena *arena)
{
    AUTO(text) out = TEXT_INIT;

    add_keys(plan, &out, is_source, arena);
    return arena_copy(arena, out.bytes, out.length);
}

void narrow_bind(const struct plan *plan, struct sql_env *env)
{
    struct arena *arena = env->arena;
    AUTO(text) inner = TEXT_INIT;
    AUTO(text) group = TEXT_INIT;
    AUTO(text) least = TEXT_INIT;

    for (size_t i = 0; i < plan->key->n_columns; i++) {
        const char *comma = i ? ", " : "";
        text_printf(&inner, "%sMIN(d.a%zu) AS a%zu, MIN(d.b%zu) AS b%zu, MIN(d.c%zu) AS c%zu",
                    comma, i, i, i, i, i, i);
        text_printf(&least, "%sMIN(e.a%zu), e.b%zu, MIN(e.c%zu)", comma, i, i, i);
        text_printf(&group, "%se.b%zu", comma, i);
    }
    sql_bind_sql(env, "source_keys", keys_of(plan, true, arena));
    sql_bind_sql(env, "shadow_keys", keys_of(plan, false, arena));
    sql_bind_sql(env, "inner_keys", arena_string(arena, inner.bytes));
    sql_bind_sql(env, "min_keys", arena_string(arena, least.bytes));
    sql_bind_sql(env, "group_keys", arena_string(arena, group.bytes));
}

/* A difference while its changed columns are not known yet. */
struct found {
    struct difference *difference;
    const char *this_row; /* condition on t and s */
    struct found *next;
};

static struct found *read_difference(const struct plan *plan, const struct rows *rows,
                                     struct arena *arena)
{
    struct found *found = ARENA_NEW(arena, struct found);
    struct difference *difference = ARENA_NEW(arena, struct difference);
    const unsigned n = (unsigned)plan->key->n_columns;
    AUTO(text) key = TEXT_INIT;
    AUTO(text) row = TEXT_INIT;

    for (unsigned i = 0; i < n; i++) {
        text_printf(&key, "%s%s=%s", i ? ", " : "", plan->key->columns[i]->name,
                    rows_text(rows, 3 * i + 2));
        text_printf(&row, "%st.%s = %s AND s.%s = %s", i ? " AND " : "",
                    plan->key->columns[i]->quoted, rows_text(rows, 3 * i),
                    plan->shadow_key[i]->quoted, rows_text(rows, 3 * i + 1));
    }
    difference->kind = rows_i64(rows, 3 * n) < 0       ? DIFFERENCE_EXTRA
                       : rows_i64(rows, 3 * n + 1) > 0 ? DIFFERENCE_MISSING
                                                       : DIFFERENCE_CHANGED;
    difference->key = arena_string(arena, key.bytes);
    difference->columns = "";
    found->difference = difference;
    found->this_row = arena_string(arena, row.bytes);
    return found;
}

static bool list_rows(struct db *db, const struct plan *plan, const struct sql_env *env,
                      uint64_t most, struct found **found, uint64_t *count, struct arena *arena,
                      struct error *err)
{
    AUTO(rows) rows = ROWS_INIT;
    struct found **last = found;

    *count = 0;
    if (!sql_query(db, &rows, list, env, err))
        return false;
    while (rows_next(&rows, err))
        if ((*count)++ < most) {
            *last = read_difference(plan, &rows, arena);
            last = &(*last)->next;
        }
    return err->kind == ERROR_NONE;
}

static const char *list_of_flags(const struct plan *plan, struct arena *arena)
{
    AUTO(text) out = TEXT_INIT;

    for (size_t i = 0; i < plan->n_map; i++) {
        const struct column *to = plan->map[i].to;
        const char *condition =
            plan->dialect->checksum->differs(to, digest_source_value(plan, i, arena),
                                             arena_printf(arena, "s.%s", to->quoted), arena);
        text_printf(&out, "%sCASE WHEN %s THEN 1 ELSE 0 END", i ? ", " : "", condition);
    }
    return arena_copy(arena, out.bytes, out.length);
}

/* For the few that are shown; the row may be equal or gone by now. */
static bool name_columns(struct db *db, const struct plan *plan, const struct sql_env *env,
                         const struct found *found, struct arena *arena, struct error *err)
{
    struct sql_env row_env = {.arena = env->arena, .outer = env};
    AUTO(rows) rows = ROWS_INIT;
    AUTO(text) names = TEXT_INIT;

    sql_bind_sql(&row_env, "differs", list_of_flags(plan, env->arena));
    sql_bind_sql(&row_env, "this_row", found->this_row);
    if (!sql_query(db, &rows, columns_that_differ, &row_env, err))
        return false;
    if (rows_next(&rows, err))
        for (size_t i = 0; i < plan->n_map; i++)
            if (rows_bool(&rows, (unsigned)i))
                text_printf(&names, "%s%s", names.length ? ", " : "", plan->map[i].to->name);
    found->difference->columns = arena_string(arena, names.bytes);
    rows_release(&rows);
    return err->kind == ERROR_NONE;
}

bool narrow_range(struct db *db, const struct plan *plan, const struct sql_env *env, uint64_t most,
                  struct difference **differences, uint64_t *differing, struct arena *arena,
                  struct error *err)
{
    struct found *found = NULL;

    if (!list_rows(db, plan, env, most, &found, differing, arena, err))
        return false;
    for (; found; found = found->next) {
        if (found->difference->kind == DIFFERENCE_CHANGED &&
            !name_columns(db, plan, env, found, arena, err))
            return error_prefix(err, "comparing the columns of one row");
        while (*differences)
            differences = &(*differences)->next;
        *differences = found->difference;
    }
    return true;
}
