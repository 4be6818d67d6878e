/*
 * What the swap needs of the shadow's file on the MySQL family.
 */
#ifndef OSC_SHADOW_MYSQL_H
#define OSC_SHADOW_MYSQL_H

#include "osc/plan/plan.h"

/* The AUTO_INCREMENT counter of the source goes on in the shadow, also when its last rows are gone.
 */
bool mysql_carry_counter(struct db *db, const struct plan *plan, struct error *err) MUST_CHECK;

#endif
