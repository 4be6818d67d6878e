/*
 * The migration key: the unique key that orders the copy and identifies rows.
 */
#ifndef OSC_PLAN_KEY_H
#define OSC_PLAN_KEY_H

#include "osc/plan/plan.h"

/* The primary key if it is usable, else the usable unique key with the fewest columns; NULL: none.
 */
const struct key *key_choose(const struct table *table);

/*
 * The same among the keys that survive in the shadow: every column is mapped
 * and the shadow has a usable unique key over exactly these columns.  Fills plan->key and
 * plan->shadow_key; ERROR_REFUSED with the reason for each key when none does.
 */
bool key_choose_surviving(struct plan *plan, struct error *err) MUST_CHECK;

#endif
