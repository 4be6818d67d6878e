#include "copier/blame.h"

#include <string.h>

#include "copier/copy_dialect.h"
#include "osc/db/dialect.h"
#include "osc/plan/catalog_dialect.h"
#include "osc/plan/range.h"

enum { MOST_ROWS = 20000 };

struct suspects {
    struct bound *bounds; /* keys of the chunk's rows, in order */
    size_t n;
};

static bool list_keys(struct db *db, const struct plan *plan, const char *range,
                      struct suspects *suspects, struct arena *arena, struct error *err)
{
    struct sql_env env = {.arena = arena, .outer = &plan->env};
    AUTO(rows) rows = ROWS_INIT;

    sql_bind_sql(&env, "literals", range_key_literals(plan, "t", arena));
    sql_bind_sql(&env, "range", range);
    sql_bind_u64(&env, "limit", MOST_ROWS);
    suspects->bounds = ARENA_ARRAY(arena, struct bound, MOST_ROWS);
    if (!sql_query(db, &rows,
                   "SELECT {literals} FROM {only_source} AS t WHERE {range} ORDER BY {key} "
                   "LIMIT {limit}",
                   &env, err))
        return false; /* uncovered: a second failure within the handling of the first */
    while (suspects->n < MOST_ROWS && rows_next(&rows, err))
        bound_read(&rows, plan, &suspects->bounds[suspects->n++], arena);
    return err->kind == ERROR_NONE;
}

/* Inserts the rows and rolls back; false with the server's error when that fails. */
static bool try_rows(struct db *db, const struct sql_env *outer, const char *range,
                     const char *statement, struct error *err)
{
    struct sql_env env = {.arena = outer->arena, .outer = outer};

    sql_bind_sql(&env, "range", range);
    const bool good = db_begin(db, err) && sql_exec(db, statement, &env, NULL, err);
    db_rollback(db);
    return good;
}

static const char *suspect_range(const struct plan *plan, const char *range,
                                 const struct suspects *suspects, size_t from, size_t to,
                                 struct arena *arena)
{
    const struct bound *after = from ? &suspects->bounds[from - 1] : NULL;

    return arena_printf(
        arena, "(%s) AND (%s)", range,
        range_condition(plan, "t", plan->key->columns, after, &suspects->bounds[to - 1], arena));
}

/* The same message for one column alone names the column. */
static const char *guilty_column(struct db *db, const struct plan *plan, const char *row,
                                 const char *message, struct arena *arena)
{
    for (size_t i = 0; i < plan->n_map; i++) {
        struct error err = ERROR_INIT;
        struct sql_env env = {.arena = arena, .outer = &plan->env};
        const struct mapping *mapping = &plan->map[i];
        sql_bind_sql(&env, "column", mapping->to->quoted);
        sql_bind_sql(&env, "value", mapping->value);
        if (mapping->is_converted &&
            !try_rows(db, &env, row,
                      "INSERT INTO {shadow} ({column}) SELECT {value} FROM {only_source} AS t "
                      "WHERE {range}",
                      &err) &&
            strcmp(err.text, message) == 0)
            return mapping->from->name;
    }
    return NULL;
}

void blame_row(struct db *db, const struct plan *plan, const char *range, struct error *err)
{
    struct arena *arena = arena_new();
    const struct sql_env env = {.arena = arena, .outer = &plan->env};
    struct suspects suspects = {.n = 0};
    struct error ignored = ERROR_INIT;
    struct error found = ERROR_INIT;
    size_t from = 0, to;

    /* uncovered: the same */
    if (!list_keys(db, plan, range, &suspects, arena, &ignored) || !suspects.n) {
        arena_free(arena);
        return;
    }
    for (to = suspects.n; to - from > 1;) {
        const size_t middle = from + (to - from) / 2;
        if (try_rows(db, &env, suspect_range(plan, range, &suspects, from, middle, arena),
                     copy_statement(plan), &ignored))
            from = middle;
        else
            to = middle;
    }
    const char *row = suspect_range(plan, range, &suspects, from, to, arena);
    if (!try_rows(db, &env, row, copy_statement(plan), &found) && found.kind == err->kind) {
        const char *column = guilty_column(db, plan, row, found.text, arena);
        const char *key = bound_show(plan, &suspects.bounds[from], arena);
        *err = found;
        if (column)
            error_prefix(err, "row %s of %s, column %s", key, plan->source->name, column);
        else
            error_prefix(err, "row %s of %s", key, plan->source->name);
    }
    arena_free(arena);
}

/* The key of the first row of the range that meets `condition` (SQL, no template), or NULL. */
static bool first_row(struct db *db, const struct plan *plan, const char *range,
                      const char *condition, struct arena *arena, const char **key,
                      struct error *err)
{
    struct sql_env env = {.arena = arena, .outer = &plan->env};

    sql_bind_sql(&env, "range", range);
    sql_bind_sql(&env, "condition", condition);
    return range_first_key(db, plan, "{only_source} AS t WHERE ({range}) AND ({condition})", &env,
                           key, err);
}

bool blame_silent_loss(struct db *db, const struct plan *plan, const char *range, struct error *err)
{
    struct arena *arena = arena_new();
    const char *key = NULL, *column = "";
    bool good = first_row(db, plan, range, plan->silent_loss, arena, &key, err);

    for (size_t i = 0; good && key && i < plan->n_map; i++) {
        const struct mapping *mapping = &plan->map[i];
        const char *ref = arena_printf(arena, "t.%s", mapping->from->quoted), *again = NULL;
        const char *loss =
            mapping->is_users_expression
                ? NULL
                : plan->dialect->catalog->silent_loss(mapping->from, mapping->to, ref, arena);
        good = !loss || first_row(db, plan, range, loss, arena, &again, err);
        if (again)
            column = arena_printf(arena, ", column %s (%s to %s)", mapping->from->name,
                                  mapping->from->type, mapping->to->type);
    }
    if (good && key) {
        good = error_set(err, ERROR_DATA, "row %s of %s%s: the new type would change the value",
                         key, plan->source->name, column);
        error_hint(err, "osc abort, then choose a type that holds the values, or change the rows "
                        "first");
    }
    arena_free(arena);
    return good;
}

bool blame_skipped(struct db *db, const struct plan *plan, const char *range, struct error *err)
{
    struct arena *arena = arena_new();
    const char *key = NULL;
    const char *skipped =
        sql_renders(arena,
                    "NOT EXISTS (SELECT 1 FROM {only_shadow} AS s WHERE {shadow_is_source}) "
                    "AND NOT EXISTS (SELECT 1 FROM {journal} AS j WHERE {source_is_entry})",
                    &plan->env);
    bool good = first_row(db, plan, range, skipped, arena, &key, err);

    if (good && key) {
        good = error_set(err, ERROR_CONFLICT,
                         "row %s of %s does not fit: under the new schema another row has its "
                         "unique key",
                         key, plan->source->name);
        error_hint(err, "osc abort, then make the rows unique under the new schema");
    }
    arena_free(arena);
    return good;
}
