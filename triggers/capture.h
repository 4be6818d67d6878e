/*
 * Capture: triggers that write the key of every changed row into the journal,
 * in the application's own transaction.
 */
#ifndef OSC_TRIGGERS_CAPTURE_H
#define OSC_TRIGGERS_CAPTURE_H

#include "osc/plan/blockers.h"

/*
 * Creates the journal and installs the triggers by short attempts with jittered
 * pauses, none while somebody is seen in the way.  *stamp (in plan->arena) names this
 * set of triggers.
 */
bool capture_install(struct db *db, const struct plan *plan, const struct patience *patience,
                     const char **stamp, struct error *err) MUST_CHECK;

/* Names the triggers that are there, enabled and ours; NULL when one is missing. */
bool capture_stamp(struct db *db, const struct plan *plan, struct arena *arena, const char **stamp,
                   struct error *err) MUST_CHECK;

/* The triggers are still the ones that were installed; ERROR_REFUSED when a write may have been
 * missed. */
bool capture_check(struct db *db, const struct plan *plan, const char *stamp,
                   struct error *err) MUST_CHECK;

bool capture_remove(struct db *db, const struct plan *plan, const struct patience *patience,
                    struct error *err) MUST_CHECK;

#endif
