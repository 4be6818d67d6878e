/*
 * Long work: what the server itself tells of a statement that takes hours, as
 * the build of an index does.
 */
#ifndef OSC_LONG_WORK_H
#define OSC_LONG_WORK_H

#include "osc/base/progress.h"
#include "osc/plan/plan.h"

/* Asks on `db`; what cannot be had is shown as unknown. */
void long_work_look(const struct plan *plan, struct db *db, struct progress *progress);
void long_work_forget(struct progress *progress);

/* The same words at the same place for as long as the process lives; NULL when there are too many.
 */
const char *long_work_words(const char *words);

#endif
