#include "verifier/digest.h"

#include <string.h>

#include "osc/db/dialect.h"
#include "osc/plan/catalog_dialect.h"
#include "verifier/checksum_dialect.h"

static const char compare[] =
    "SELECT a.n, a.h, b.n, b.h\n"
    "FROM (SELECT COUNT(*) AS n, COALESCE(SUM({source_hash}), 0) AS h\n"
    "  FROM {only_source} AS t{source_force} WHERE {source_range}{source_excuse}) AS a,\n"
    "(SELECT COUNT(*) AS n, COALESCE(SUM({shadow_hash}), 0) AS h\n"
    "  FROM {only_shadow} AS s WHERE {shadow_range}{shadow_excuse}) AS b";

/* An entry is forgotten in the transaction that replays it: a key without one is up to date. */
static const char source_excuse[] =
    "\n  AND NOT EXISTS (SELECT 1 FROM {journal} AS j WHERE {source_is_entry})";
static const char shadow_excuse[] =
    "\n  AND NOT EXISTS (SELECT 1 FROM {journal} AS j WHERE {shadow_is_entry})";

const char *digest_source_value(const struct plan *plan, size_t i, struct arena *arena)
{
    const struct mapping *mapping = &plan->map[i];
    const char *ref = arena_printf(arena, "t.%s", mapping->from->quoted);
    /* The type of the user's expression is anybody's guess. */
    static const struct column any = {.type = "", .type_name = "", .charset = "", .collation = ""};

    if (mapping->is_users_expression)
        return plan->dialect->catalog->convert(&any, mapping->to, mapping->value, arena);
    if (mapping->is_converted && strcmp(mapping->value, ref) == 0)
        return plan->dialect->catalog->convert(mapping->from, mapping->to, ref, arena);
    return mapping->value;
}

/* The shadow's column, but NULL wherever a value of either side may be: both get the same image. */
static const struct column *compared_as(const struct mapping *mapping, struct arena *arena)
{
    struct column *column = ARENA_NEW(arena, struct column);

    *column = *mapping->to;
    column->is_nullable |= mapping->from->is_nullable || mapping->is_converted;
    return column;
}

void digest_bind(const struct plan *plan, struct sql_env *env)
{
    struct arena *arena = env->arena;
    const struct checksum_dialect *checksum = plan->dialect->checksum;
    const struct column **columns = ARENA_ARRAY(arena, const struct column *, plan->n_map);
    const char **values = ARENA_ARRAY(arena, const char *, plan->n_map);
    const char **refs = ARENA_ARRAY(arena, const char *, plan->n_map);

    for (size_t i = 0; i < plan->n_map; i++) {
        columns[i] = compared_as(&plan->map[i], arena);
        values[i] = digest_source_value(plan, i, arena);
        refs[i] = arena_printf(arena, "s.%s", columns[i]->quoted);
    }
    sql_bind_sql(env, "source_hash", checksum->row_hash(columns, values, plan->n_map, arena));
    sql_bind_sql(env, "shadow_hash", checksum->row_hash(columns, refs, plan->n_map, arena));
}

void digest_bind_range(const struct plan *plan, struct sql_env *env, const struct range *range,
                       bool excuses)
{
    struct arena *arena = env->arena;
    const bool is_whole_table = !range->after.literals && !range->through.literals;

    sql_bind_sql(
        env, "source_force",
        is_whole_table ? "" : sql_renders(arena, plan->dialect->catalog->force_index, &plan->env));
    sql_bind_sql(
        env, "source_range",
        range_condition(plan, "t", plan->key->columns, &range->after, &range->through, arena));
    sql_bind_sql(
        env, "shadow_range",
        range_condition(plan, "s", plan->shadow_key, &range->after, &range->through, arena));
    sql_bind_sql(env, "source_excuse", excuses ? sql_renders(arena, source_excuse, env) : "");
    sql_bind_sql(env, "shadow_excuse", excuses ? sql_renders(arena, shadow_excuse, env) : "");
}

bool digest_range(struct db *db, const struct sql_env *env, struct digest *source,
                  struct digest *shadow, struct arena *arena, struct error *err)
{
    AUTO(rows) rows = ROWS_INIT;

    if (!sql_query(db, &rows, compare, env, err) || !rows_next(&rows, err))
        return false;
    *source = (struct digest){rows_u64(&rows, 0), arena_string(arena, rows_text(&rows, 1))};
    *shadow = (struct digest){rows_u64(&rows, 2), arena_string(arena, rows_text(&rows, 3))};
    if (!digest_is_sound(source) || !digest_is_sound(shadow))
        return error_set(err, ERROR_SERVER,
                         "the server cannot digest a row: it is larger than max_allowed_packet");
    return true;
}

bool digest_is_equal(const struct digest *a, const struct digest *b)
{
    return a->rows == b->rows && strcmp(a->sum, b->sum) == 0;
}

bool digest_is_sound(const struct digest *digest)
{
    const char *digits = digest->sum + (*digest->sum == '-');

    return strlen(digits) < sizeof DIGEST_POISON - 1;
}
