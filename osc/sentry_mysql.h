/*
 * Sentry: an empty table that keeps the retired name taken until the swap may
 * happen, so that a RENAME that is let loose too early fails.
 */
#ifndef OSC_SENTRY_MYSQL_H
#define OSC_SENTRY_MYSQL_H

#include "osc/plan/plan.h"

/* Is the table of the retired name our sentry? */
bool sentry_is_there(struct db *db, const struct plan *plan, bool *is_there,
                     struct error *err) MUST_CHECK;
bool sentry_create(struct db *db, const struct plan *plan, struct error *err) MUST_CHECK;
/* Nothing there, or somebody else's table, is fine. */
bool sentry_drop(struct db *db, const struct plan *plan, struct error *err) MUST_CHECK;

#endif
