/*
 * Grace: waits for those who had started before now, as RCU waits for readers
 * (McKenney, "Is Parallel Programming Hard", ch. 9).
 *
 * A copy worker enters *before* it sends its chunk and leaves when the server
 * has proved that the chunk's transaction ended.  Replay reads a batch, then
 * waits for everyone who had entered by then.
 */
#ifndef OSC_BASE_GRACE_H
#define OSC_BASE_GRACE_H

#include "osc/base/cancel.h"

struct grace;

struct grace *grace_new(void);
void grace_free(struct grace *grace); /* NULL is fine */
uint64_t grace_enter(struct grace *grace);
void grace_leave(struct grace *grace, uint64_t ticket);

/* Until all who had entered before the call have left; false when cancelled. */
bool grace_wait(struct grace *grace, struct cancel *cancel, struct error *err) MUST_CHECK;

#endif
