/*
 * Culprit: which journalled row made a batch fail.
 *
 * The server tells the column or the constraint, not the row.  Tries parts of the
 * batch and rolls each back; not for use under the cutover's lock.
 */
#ifndef OSC_TRIGGERS_CULPRIT_H
#define OSC_TRIGGERS_CULPRIT_H

#include "triggers/journal.h"

/* The key of the source's first row with one of these entries that meets `condition`; NULL: none.
 */
bool culprit_key(struct db *db, const struct plan *plan, const char *entries, const char *condition,
                 struct arena *arena, const char **key, struct error *err) MUST_CHECK;

/* Puts "row key: " in front of *err where the row can be found; otherwise leaves it alone. */
void culprit_name(struct db *db, const struct plan *plan, const struct batch *batch,
                  struct error *err);

#endif
