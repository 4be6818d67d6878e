#include <string.h>

#include "osc/plan/postgres.h"

/*
 * The shadow was made like the source's live columns, so its columns 1…n are
 * theirs in order; the ALTER dropped some, renamed some, and added others
 * behind them.
 */
static const struct column *origin(const struct table *source, const struct column *column)
{
    return column->number <= source->n_columns ? &source->columns[column->number - 1] : NULL;
}

static const char *expression_for(const struct alter_using *usings, const struct column *from)
{
    for (; usings; usings = usings->next)
        if (strcmp(usings->column, from->name) == 0)
            return usings->expression;
    return NULL;
}

/*
 * In the user's expression a column may go by its name alone or with the
 * table's; in our statements other tables stand beside.
 */
static const char *users_value(const struct plan *plan, const char *expression)
{
    AUTO(text) name = TEXT_INIT;

    for (const char *c = plan->source->name; *c; c++)
        text_add_bytes(&name, *c == '"' ? "\"\"" : c, *c == '"' ? 2 : 1);
    return arena_printf(plan->arena, "(SELECT (%s) FROM (SELECT t.*) AS \"%s\")", expression,
                        name.bytes);
}

bool postgres_map_columns(struct plan *plan, struct error *err UNUSED)
{
    const struct alter_using *usings =
        alter_usings(plan->alter, &postgres_catalog.alter_rules, plan->arena);

    plan->map = ARENA_ARRAY(plan->arena, struct mapping, plan->shadow->n_columns);
    plan->n_map = 0;
    for (size_t i = 0; i < plan->shadow->n_columns; i++) {
        const struct column *to = &plan->shadow->columns[i], *from = origin(plan->source, to);
        if (!from || to->is_generated)
            continue;
        const char *expression = expression_for(usings, from);
        plan->map[plan->n_map++] = (struct mapping){
            .from = from,
            .to = to,
            .value = expression ? users_value(plan, expression)
                                : arena_printf(plan->arena, "t.%s", from->quoted),
            .is_converted = expression || strcmp(from->type, to->type) != 0 ||
                            strcmp(from->collation, to->collation) != 0,
            .is_users_expression = expression != NULL,
        };
    }
    return true;
}
