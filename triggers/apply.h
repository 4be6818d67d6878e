/*
 * Apply: brings the rows of some journal entries up to date, on one connection.
 */
#ifndef OSC_TRIGGERS_APPLY_H
#define OSC_TRIGGERS_APPLY_H

#include "osc/db/sql.h"
#include "osc/plan/plan.h"

/* Once for each connection that replays. */
bool apply_prepare(struct db *db, const struct plan *plan, struct error *err) MUST_CHECK;

/*
 * In the caller's transaction: the shadow's rows of the entries that `condition`
 * names go, the source's current ones come by the template `insert`, and the
 * entries are forgotten.  ERROR_DATA: a value does not fit the new schema.
 */
bool apply_entries(struct db *db, const struct plan *plan, const char *insert,
                   const char *condition, struct arena *arena, struct error *err) MUST_CHECK;

/*
 * The same, but what another row keeps out by a unique key is left out, and its entries stay
 * (*left_out of them): that row has an entry of its own, or the data has a conflict.
 */
bool apply_where_free(struct db *db, const struct plan *plan, const char *condition,
                      struct arena *arena, size_t *left_out, struct error *err) MUST_CHECK;

/*
 * The same with less work, where the dialect knows how (*is_known): rows are written over where
 * they lie.  Rows that exchange a unique value fail; the others may bring them all the same.
 */
bool apply_overwriting(struct db *db, const struct plan *plan, const char *condition,
                       struct arena *arena, bool *is_known, struct error *err) MUST_CHECK;

/* ERROR_DATA when the new type would change one of these rows without a word from the server. */
bool apply_check_loss(struct db *db, const struct plan *plan, const char *condition,
                      struct arena *arena, struct error *err) MUST_CHECK;

/* Adds what to do about a row that does not fit. */
bool apply_advise(const struct plan *plan, struct error *err);

#endif
