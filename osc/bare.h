/*
 * Bare: the backfill into a shadow without any index, which is twice as fast.
 *
 * No index finds a row in it, so nothing is replayed meanwhile, and each chunk is
 * copied exactly once: a record of it is committed with its rows.  Afterwards
 * every journalled key is taken out, the indexes are built in bulk, and
 * replay brings the keys back.  Why this is right: triggers/README.md.
 */
#ifndef OSC_BARE_H
#define OSC_BARE_H

#include "osc/migration.h"

/* What shadow->create() has decided, from the state's list of deferred indexes. */
void bare_recall(struct plan *plan, const char *deferred);

/* While chunks run: sets m->is_journal_long when it is time to replay. */
bool bare_look_at_journal(struct migration *m, struct error *err) MUST_CHECK;

/* In the middle of the copy, no chunk runs: from now on the shadow has its key, and is replayed. */
bool bare_end_early(struct migration *m, struct error *err) MUST_CHECK;

#endif
