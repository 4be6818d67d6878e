/*
 * Parity: what belongs to the source and must be the same on the shadow, read
 * at the moment of the swap: privileges and comments.
 */
#ifndef OSC_PARITY_POSTGRES_H
#define OSC_PARITY_POSTGRES_H

#include "osc/plan/plan.h"
#include "osc/statements.h"

/* Adds the statements that make the shadow equal; they use the names of before the swap. */
bool parity_carry(struct db *db, const struct plan *plan, struct statements *statements,
                  struct error *err) MUST_CHECK;

/* After the renames: nothing of the table that has the source's name now goes by a name of ours. */
bool parity_check_names(struct db *db, const struct plan *plan, struct error *err) MUST_CHECK;

#endif
