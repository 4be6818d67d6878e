#include "osc/plan/range.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "osc/db/dialect.h"
#include "osc/plan/catalog_dialect.h"

static const char *reference(const char *alias, const struct column *column, struct arena *arena)
{
    return arena_printf(arena, "%s.%s", alias, column->quoted);
}

/* (a, b) > (1, 2) */
static void add_row_comparison(struct text *out, const struct plan *plan, const char *alias,
                               const struct column *const *columns, const char *sign,
                               const struct bound *bound)
{
    const size_t n = plan->key->n_columns;

    text_add(out, "(");
    for (size_t i = 0; i < n; i++)
        text_printf(out, "%s%s.%s", i ? ", " : "", alias, columns[i]->quoted);
    text_printf(out, ") %s (", sign);
    for (size_t i = 0; i < n; i++)
        text_printf(out, "%s%s", i ? ", " : "", bound->literals[i]);
    text_add(out, ")");
}

/* a >= 1 AND (a > 1 OR (a = 1 AND (b > 2 OR …))): the first part is what the optimizer ranges over.
 */
static void add_expanded(struct text *out, const struct plan *plan, const char *alias,
                         const struct column *const *columns, char sign, bool or_equal,
                         const struct bound *bound)
{
    const size_t n = plan->key->n_columns;

    if (n > 1)
        text_printf(out, "%s.%s %c= %s AND (", alias, columns[0]->quoted, sign, bound->literals[0]);
    for (size_t i = 0; i < n; i++) {
        const bool last = i + 1 == n;
        text_printf(out, "%s.%s %c%s %s", alias, columns[i]->quoted, sign,
                    last && or_equal ? "=" : "", bound->literals[i]);
        if (!last)
            text_printf(out, " OR (%s.%s = %s AND (", alias, columns[i]->quoted,
                        bound->literals[i]);
    }
    for (size_t i = 1; i < n; i++)
        text_add(out, "))");
    if (n > 1)
        text_add(out, ")");
}

static void add_side(struct text *out, const struct plan *plan, const char *alias,
                     const struct column *const *columns, char sign, bool or_equal,
                     const struct bound *bound)
{
    if (plan->dialect->catalog->compares_rows)
        add_row_comparison(out, plan, alias, columns,
                           sign == '>' ? (or_equal ? ">=" : ">") : (or_equal ? "<=" : "<"), bound);
    else
        add_expanded(out, plan, alias, columns, sign, or_equal, bound);
}

static bool is_open(const struct bound *bound)
{
    return !bound || !bound->literals;
}

const char *range_condition(const struct plan *plan, const char *alias,
                            const struct column *const *columns, const struct bound *after,
                            const struct bound *through, struct arena *arena)
{
    AUTO(text) out = TEXT_INIT;

    if (is_open(after) && is_open(through))
        return "TRUE";
    if (!is_open(after))
        add_side(&out, plan, alias, columns, '>', false, after);
    if (!is_open(after) && !is_open(through))
        text_add(&out, " AND ");
    if (!is_open(through))
        add_side(&out, plan, alias, columns, '<', true, through);
    return arena_copy(arena, out.bytes, out.length);
}

struct bound bound_copy(const struct plan *plan, const struct bound *bound, struct arena *arena)
{
    struct bound copy = {.literals = NULL};

    if (!bound->literals)
        return copy;
    copy.literals = ARENA_ARRAY(arena, const char *, plan->key->n_columns);
    for (size_t i = 0; i < plan->key->n_columns; i++)
        copy.literals[i] = arena_string(arena, bound->literals[i]);
    return copy;
}

void bound_read(const struct rows *rows, const struct plan *plan, struct bound *bound,
                struct arena *arena)
{
    bound->literals = ARENA_ARRAY(arena, const char *, plan->key->n_columns);
    for (size_t i = 0; i < plan->key->n_columns; i++)
        bound->literals[i] = arena_string(arena, rows_text(rows, (unsigned)i));
}

const char *range_key_literals(const struct plan *plan, const char *alias, struct arena *arena)
{
    AUTO(text) out = TEXT_INIT;

    for (size_t i = 0; i < plan->key->n_columns; i++) {
        const struct column *column = plan->key->columns[i];
        text_printf(
            &out, "%s%s", i ? ", " : "",
            plan->dialect->catalog->literal_of(column, reference(alias, column, arena), arena));
    }
    return arena_copy(arena, out.bytes, out.length);
}

bool range_next(struct db *db, const struct plan *plan, const struct bound *after, uint64_t rows,
                struct bound *through, struct arena *arena, struct error *err)
{
    struct sql_env env = {.arena = arena, .outer = &plan->env};
    AUTO(text) template = TEXT_INIT;
    AUTO(rows) answer = ROWS_INIT;

    sql_bind_sql(&env, "literals", range_key_literals(plan, "t", arena));
    sql_bind_sql(&env, "range", range_condition(plan, "t", plan->key->columns, after, NULL, arena));
    sql_bind_u64(&env, "skip", rows - 1);
    text_printf(&template,
                "SELECT {literals} FROM {only_source} AS t%s WHERE {range} ORDER BY {key} "
                "LIMIT 1 OFFSET {skip}",
                plan->dialect->catalog->force_index);
    if (!sql_query(db, &answer, template.bytes, &env, err))
        return error_prefix(err, "finding the next bound of %s", plan->source->quoted);
    through->literals = NULL;
    if (rows_next(&answer, err))
        bound_read(&answer, plan, through, arena);
    return err->kind == ERROR_NONE;
}

/* x'6162' as 'ab', if that can be printed. */
static bool show_hex(struct text *out, const char *hex, size_t digits)
{
    AUTO(text) bytes = TEXT_INIT;

    for (size_t i = 0; i + 1 < digits; i += 2) {
        unsigned byte = 0;
        if (sscanf(hex + i, "%2x", &byte) != 1 || byte < 0x20 || byte == 0x7f)
            return false;
        text_printf(&bytes, "%c", (int)byte);
    }
    text_printf(out, "'%s'", bytes.bytes);
    return true;
}

/* A literal as people write it: no cast behind it, no character set in front, no quotes around
 * numbers. */
static void show_literal(struct text *out, const char *literal)
{
    const char *open = strchr(literal, '\'');
    const char *close = open ? strstr(open + 1, "'::") : NULL;

    if (open && !close)
        close = strrchr(open + 1, '\'');
    if (!open || !close) {
        text_add(out, literal);
        return;
    }
    const size_t length = (size_t)(close - open - 1);
    if (open > literal && open[-1] == 'x' && show_hex(out, open + 1, length))
        return;
    if (open > literal && open[-1] == 'x')
        text_printf(out, "x'%.*s'", (int)length, open + 1);
    else if (length && strspn(open + 1, "0123456789.-") == length)
        text_printf(out, "%.*s", (int)length, open + 1);
    else
        text_printf(out, "'%.*s'", (int)length, open + 1);
}

const char *bound_show(const struct plan *plan, const struct bound *bound, struct arena *arena)
{
    AUTO(text) out = TEXT_INIT;

    for (size_t i = 0; i < plan->key->n_columns; i++) {
        text_printf(&out, "%s%s=", i ? ", " : "", plan->key->columns[i]->name);
        show_literal(&out, bound->literals[i]);
    }
    return arena_copy(arena, out.bytes, out.length);
}

bool range_first_key(struct db *db, const struct plan *plan, const char *from,
                     const struct sql_env *outer, const char **key, struct error *err)
{
    struct sql_env env = {.arena = outer->arena, .outer = outer};
    AUTO(text) template = TEXT_INIT;
    AUTO(rows) rows = ROWS_INIT;
    struct bound bound;

    *key = NULL;
    sql_bind_sql(&env, "literals", range_key_literals(plan, "t", env.arena));
    text_printf(&template, "SELECT {literals} FROM %s LIMIT 1", from);
    if (!sql_query(db, &rows, template.bytes, &env, err))
        return false; /* uncovered: the server goes away while a culprit is looked for */
    if (rows_next(&rows, err)) {
        bound_read(&rows, plan, &bound, env.arena);
        *key = bound_show(plan, &bound, env.arena);
    }
    return err->kind == ERROR_NONE;
}
