#include "osc/plan/key.h"

#include <string.h>

static bool is_better(const struct key *key, const struct key *than)
{
    if (!than || key->is_primary != than->is_primary)
        return !than || key->is_primary;
    return key->n_columns < than->n_columns;
}

const struct key *key_choose(const struct table *table)
{
    const struct key *best = NULL;

    for (size_t i = 0; i < table->n_keys; i++)
        if (!table->keys[i].unusable && is_better(&table->keys[i], best))
            best = &table->keys[i];
    return best;
}

static const struct mapping *mapping_of(const struct plan *plan, const struct column *from)
{
    for (size_t i = 0; i < plan->n_map; i++)
        if (plan->map[i].from == from)
            return &plan->map[i];
    return NULL;
}

static bool has_column(const struct key *key, const struct column *column)
{
    for (size_t i = 0; i < key->n_columns; i++)
        if (key->columns[i] == column)
            return true;
    return false;
}

static bool is_unique_in_shadow(const struct plan *plan, const struct column **columns, size_t n)
{
    for (size_t k = 0; k < plan->shadow->n_keys; k++) {
        const struct key *key = &plan->shadow->keys[k];
        size_t found = 0;
        for (size_t i = 0; i < n; i++)
            found += has_column(key, columns[i]);
        if (!key->unusable && key->n_columns == n && found == n)
            return true;
    }
    return false;
}

/* NULL when the key survives; then `columns` are its columns in the shadow. */
static const char *why_lost(const struct plan *plan, const struct key *key,
                            const struct column **columns)
{
    if (key->unusable)
        return key->unusable;
    for (size_t i = 0; i < key->n_columns; i++) {
        const struct mapping *mapping = mapping_of(plan, key->columns[i]);
        if (!mapping)
            return arena_printf(plan->arena, "the ALTER drops column %s", key->columns[i]->name);
        if (mapping->is_users_expression)
            return arena_printf(plan->arena, "the ALTER computes column %s by an expression",
                                key->columns[i]->name);
        columns[i] = mapping->to;
    }
    const bool is_late = plan->late_key && strcmp(plan->late_key, key->name) == 0;
    if (!is_late && !is_unique_in_shadow(plan, columns, key->n_columns))
        return "no unique key over the same columns is left after the ALTER";
    return NULL;
}

bool key_choose_surviving(struct plan *plan, struct error *err)
{
    const struct table *source = plan->source;
    const struct key *best = NULL;
    AUTO(text) reasons = TEXT_INIT;

    for (size_t i = 0; i < source->n_keys; i++) {
        const struct key *key = &source->keys[i];
        const struct column **columns =
            ARENA_ARRAY(plan->arena, const struct column *, key->n_columns);
        const char *reason = why_lost(plan, key, columns);
        if (reason) {
            text_printf(&reasons, "%s%s: %s", reasons.length ? "; " : "", key->name, reason);
        } else if (is_better(key, best)) {
            best = key;
            plan->shadow_key = columns;
        }
    }
    if (!best)
        return error_set(err, ERROR_REFUSED,
                         "no unique key over NOT NULL columns survives in %s (%s)", source->name,
                         reasons.length ? reasons.bytes : "the table has none");
    plan->key = best;
    plan->is_bare = !is_unique_in_shadow(plan, plan->shadow_key, best->n_columns);
    return true;
}
