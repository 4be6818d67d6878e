/*
 * Leave: before a step does what disturbs others, the operators' orders and the
 * hours they have laid down are asked.  Meanwhile writes are captured, and
 * replayed where there is capture.
 */
#ifndef OSC_LEAVE_H
#define OSC_LEAVE_H

#include "osc/migration.h"

/* The row itself is read: what was said before this call holds.  ERROR_CANCELLED on abort. */
bool leave_heed(struct migration *m, struct error *err) MUST_CHECK;

/*
 * Takes over what the keeper or leave_heed() has read, and shows what it means for this step.
 * Nonsense in the row stops nobody: what was understood last goes on to hold.
 */
void leave_take(struct migration *m, const struct orders *orders);

/* Returns when `step` may begin, or the rest of it go on. */
bool leave_await(struct migration *m, enum step_id step, struct error *err) MUST_CHECK;

/* Whether a swap may be tried now; *err is set where that cannot be found out. */
bool leave_to_swap(void *migration, struct error *err) MUST_CHECK;

/* What this run was given holds from now on for those after it, and for osc set. */
bool leave_save_options(struct migration *m, struct error *err) MUST_CHECK;

#endif
