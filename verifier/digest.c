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

/*
 * Row by row, where both tables can be walked in the same order: no row is hashed.  What stands
 * for the sums is how many rows have no partner that is the same, against none.
 */
static const char compare_pairs[] =
    "SELECT COUNT({pair_source}), 0, COUNT({pair_source}), COALESCE(SUM(CASE\n"
    "  WHEN {pair_source} IS NOT NULL AND {pair_shadow} IS NOT NULL AND {same_row} THEN 0"
    "{pair_excuse}\n"
    "  ELSE 1 END), 0)\n"
    "FROM (SELECT *{pair_values} FROM {only_source} AS t WHERE {source_range}) AS t\n"
    "FULL JOIN (SELECT * FROM {only_shadow} AS s WHERE {shadow_range}) AS s ON {paired}";

/* The same where there is no FULL JOIN: the shadow's rows that nobody looked up are counted. */
static const char compare_lookups[] =
    "SELECT COUNT(*), 0,\n"
    "  (SELECT COUNT(*) FROM {only_shadow} AS s WHERE {shadow_range}),\n"
    "  COALESCE(SUM(CASE WHEN {pair_shadow} IS NOT NULL AND {same_row} THEN 0 ELSE 1 END), 0)\n"
    "FROM {only_source} AS t{source_force}\n"
    "LEFT JOIN {only_shadow} AS s ON {paired} AND {shadow_range} WHERE {source_range}";

static const char pair_excuse[] =
    "\n  WHEN EXISTS (SELECT 1 FROM {journal} AS j WHERE {source_is_entry})"
    " OR EXISTS (SELECT 1 FROM {journal} AS j WHERE {shadow_is_entry}) THEN 0";

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

static const char *pair_keys(const struct plan *plan, struct arena *arena)
{
    AUTO(text) out = TEXT_INIT;

    for (size_t i = 0; i < plan->key->n_columns; i++)
        text_printf(&out, "%ss.%s = t.%s", i ? " AND " : "", plan->shadow_key[i]->quoted,
                    plan->key->columns[i]->quoted);
    return arena_copy(arena, out.bytes, out.length);
}

/*
 * What is converted is computed beneath the join: where a row has no partner, an expression of
 * the user's never meets NULLs that the table does not hold.
 */
static const char **pair_values(const struct plan *plan, const char *const *values,
                                struct sql_env *env)
{
    const char **refs = ARENA_ARRAY(env->arena, const char *, plan->n_map);
    AUTO(text) out = TEXT_INIT;

    for (size_t i = 0; i < plan->n_map; i++) {
        const char *column = arena_printf(env->arena, "t.%s", plan->map[i].from->quoted);
        const bool is_plain = strcmp(values[i], column) == 0;
        refs[i] = is_plain ? column : arena_printf(env->arena, "t.osc_value_%zu", i + 1);
        if (!is_plain)
            text_printf(&out, ", %s AS osc_value_%zu", values[i], i + 1);
    }
    sql_bind_sql(env, "pair_values", arena_copy(env->arena, out.bytes, out.length));
    return refs;
}

static void bind_pairs(const struct plan *plan, struct sql_env *env, const char *same_row)
{
    struct arena *arena = env->arena;

    sql_bind_sql(env, "same_row", same_row);
    if (plan->dialect->checksum->walk_in_order)
        sql_bind_sql(env, "walk_in_order", plan->dialect->checksum->walk_in_order);
    sql_bind_sql(env, "paired", pair_keys(plan, arena));
    sql_bind_sql(env, "pair_source", arena_printf(arena, "t.%s", plan->key->columns[0]->quoted));
    sql_bind_sql(env, "pair_shadow", arena_printf(arena, "s.%s", plan->shadow_key[0]->quoted));
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
    const char *same_row = checksum->same_row(
        plan, columns, checksum->has_full_join ? pair_values(plan, values, env) : values, refs,
        arena);
    if (same_row)
        bind_pairs(plan, env, same_row);
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
    sql_bind_sql(env, "pair_excuse", excuses ? sql_renders(arena, pair_excuse, env) : "");
    sql_bind_sql(env, "shadow_excuse", excuses ? sql_renders(arena, shadow_excuse, env) : "");
    /* Rows in flight are excused on both sides, which a count of the shadow's rows cannot do. */
    const char *comparison = !sql_lookup(env, "same_row")             ? compare
                             : plan->dialect->checksum->has_full_join ? compare_pairs
                             : excuses                                ? compare
                                                                      : compare_lookups;
    sql_bind_sql(env, "comparison", sql_renders(arena, comparison, env));
}

static bool ask(struct db *db, const struct sql_env *env, struct digest *source,
                struct digest *shadow, struct arena *arena, struct error *err)
{
    AUTO(rows) rows = ROWS_INIT;

    if (!sql_query(db, &rows, "{comparison}", env, err) || !rows_next(&rows, err))
        return false;
    *source = (struct digest){rows_u64(&rows, 0), arena_string(arena, rows_text(&rows, 1))};
    *shadow = (struct digest){rows_u64(&rows, 2), arena_string(arena, rows_text(&rows, 3))};
    return true;
}

static bool ask_in_order(struct db *db, const struct sql_env *env, struct digest *source,
                         struct digest *shadow, struct arena *arena, struct error *err)
{
    if (!db_begin(db, err))
        return false;
    if (sql_exec(db, "{walk_in_order}", env, NULL, err) && ask(db, env, source, shadow, arena, err))
        return db_commit(db, err);
    db_rollback(db);
    return false;
}

bool digest_range(struct db *db, const struct sql_env *env, struct digest *source,
                  struct digest *shadow, struct arena *arena, struct error *err)
{
    if (sql_lookup(env, "walk_in_order") ? !ask_in_order(db, env, source, shadow, arena, err)
                                         : !ask(db, env, source, shadow, arena, err))
        return false;
    if (!digest_is_sound(source) || !digest_is_sound(shadow))
        /* uncovered: the limit would have to be lowered after the row was written */
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
