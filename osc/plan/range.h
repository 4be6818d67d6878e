/*
 * Ranges of the migration key, as SQL.
 *
 * A bound is a row of literals made by the server itself, so that no value is
 * re-encoded on its way through the client.
 */
#ifndef OSC_PLAN_RANGE_H
#define OSC_PLAN_RANGE_H

#include "osc/plan/plan.h"

struct bound {
    const char **literals; /* one per key column; NULL: open end */
};

/*
 * The key of the row `rows` further than `after` in the source, in key order;
 * an open bound when fewer are left.  Strings live in `arena`.
 */
bool range_next(struct db *db, const struct plan *plan, const struct bound *after, uint64_t rows,
                struct bound *through, struct arena *arena, struct error *err) MUST_CHECK;

/*
 * The key, as it is shown to people, of the first row of the source, alias t, in `from`: a
 * template over `env`, with its condition.  NULL: none.
 */
bool range_first_key(struct db *db, const struct plan *plan, const char *from,
                     const struct sql_env *env, const char **key, struct error *err) MUST_CHECK;

/* Condition "after < key <= through" on these columns of `alias`; "TRUE" for the whole table. */
const char *range_condition(const struct plan *plan, const char *alias,
                            const struct column *const *columns, const struct bound *after,
                            const struct bound *through, struct arena *arena);

/* The key over `alias` as a list of expressions that yield literals; read back by bound_read(). */
const char *range_key_literals(const struct plan *plan, const char *alias, struct arena *arena);
void bound_read(const struct rows *rows, const struct plan *plan, struct bound *bound,
                struct arena *arena);

struct bound bound_copy(const struct plan *plan, const struct bound *bound, struct arena *arena);

/* Shown to people: (17, 'abc'). */
const char *bound_show(const struct plan *plan, const struct bound *bound, struct arena *arena);

#endif
