/*
 * Blame: finds the row that made a chunk fail, and says what is wrong with it.
 */
#ifndef OSC_COPIER_BLAME_H
#define OSC_COPIER_BLAME_H

#include "osc/plan/plan.h"

/*
 * The chunk `range` failed with `err`: bisects it with inserts that are rolled
 * back and adds the key of the first row that fails to `err`, and the column
 * where that can be told.  Leaves `err` as it is when the row is gone meanwhile.
 */
void blame_row(struct db *db, const struct plan *plan, const char *range, struct error *err);

/*
 * The first row of the range which the conversion changes silently:
 * ERROR_DATA with its key; true when there is none.
 */
bool blame_silent_loss(struct db *db, const struct plan *plan, const char *range,
                       struct error *err) MUST_CHECK;

/*
 * The first row of the range that is neither in the shadow nor in the journal:
 * it was left out because another row has its place.  ERROR_CONFLICT with its
 * key; true when there is none.
 */
bool blame_skipped(struct db *db, const struct plan *plan, const char *range,
                   struct error *err) MUST_CHECK;

#endif
