/* Replay that writes over a row where it lies, instead of deleting and inserting it. */
#ifndef OSC_TRIGGERS_OVERWRITE_MYSQL_H
#define OSC_TRIGGERS_OVERWRITE_MYSQL_H

#include "osc/plan/plan.h"

/* True where it may; binds {overwritten}, behind ON DUPLICATE KEY UPDATE, and {first_key}. */
bool mysql_may_overwrite(const struct plan *plan, struct sql_env *env);

#endif
