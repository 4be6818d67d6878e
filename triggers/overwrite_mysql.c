#include "triggers/overwrite_mysql.h"

#include <string.h>

#include "osc/base/fail.h"

/* Equal keys must be the same keys in both tables: else one of two would be left. */
static bool keeps_keys(const struct plan *plan)
{
    for (size_t i = 0; i < plan->key->n_columns; i++) {
        const struct column *from = plan->key->columns[i], *to = plan->shadow_key[i];
        if (strcmp(from->type, to->type) != 0 || strcmp(from->collation, to->collation) != 0)
            return false;
    }
    return !plan->key_may_merge;
}

static bool is_mapped(const struct plan *plan, const struct column *column)
{
    for (size_t i = 0; i < plan->n_map; i++)
        if (plan->map[i].to == column)
            return true;
    return false; /* uncovered: the same as below */
}

/*
 * The row in the way may be another's, by a unique key: a subquery of two rows, evaluated only
 * then, makes the statement fail.  It stands in the first assignment: later ones see new values.
 */
static void guard(const struct plan *plan, const char *shadow, struct text *out)
{
    const char *first = plan->shadow_key[0]->quoted;

    text_printf(out, "%s.%s = IF(", shadow, first);
    if (MUTANT("overwrite-any"))
        text_add(out, "TRUE OR ");
    for (size_t i = 0; i < plan->key->n_columns; i++)
        text_printf(out, "%s%s.%s = VALUES(%s)", i ? " AND " : "", shadow,
                    plan->shadow_key[i]->quoted, plan->shadow_key[i]->quoted);
    text_printf(out, ", VALUES(%s), (SELECT NULL UNION ALL SELECT NULL))", first);
}

/* VALUES() of a column that is not inserted is its default, as if the row were inserted anew. */
bool mysql_may_overwrite(const struct plan *plan, struct sql_env *env)
{
    const char *shadow = sql_lookup(&plan->env, "shadow");
    AUTO(text) set = TEXT_INIT;

    if (!keeps_keys(plan))
        return false;
    guard(plan, shadow, &set);
    for (size_t i = 0; i < plan->shadow->n_columns; i++) {
        const struct column *column = &plan->shadow->columns[i];
        if (column->is_automatic && !is_mapped(plan, column))
            /* uncovered: cases compare with the server's own numbers */
            return false; /* an insert would draw one */
        if (!column->is_generated && column != plan->shadow_key[0])
            text_printf(&set, ", %s.%s = VALUES(%s)", shadow, column->quoted, column->quoted);
    }
    sql_bind_sql(env, "overwritten", arena_string(env->arena, set.bytes));
    sql_bind_sql(env, "first_key", plan->key->columns[0]->quoted);
    return true;
}
