/*
 * The counter of a shadow with an AUTO_INCREMENT column, on the MySQL family.
 */
#ifndef OSC_COUNTER_MYSQL_H
#define OSC_COUNTER_MYSQL_H

#include "osc/plan/plan.h"

/* The AUTO_INCREMENT counter of the source goes on in the shadow, also when its last rows are gone.
 */
bool counter_carry(struct db *db, const struct plan *plan, struct error *err) MUST_CHECK;

/*
 * Takes the attribute off the empty shadow, of which `definition` is what it shall become, where
 * copy workers would otherwise take turns at the counter's lock.  {plain}, an empty table, then
 * waits beside the shadow.  A shadow that the server does not let go without stays as it is.
 */
bool counter_take_off(struct db *db, const struct plan *plan, const char *definition,
                      struct error *err) MUST_CHECK;

/* Puts it back, in a moment whatever the rows.  Asks what is there: may be called again after a
 * crash, and where nothing was taken off. */
bool counter_put_back(struct db *db, const struct plan *plan, const char *definition,
                      struct error *err) MUST_CHECK;

/* The definition of a table whose attribute was taken off; NULL: it never had one. */
const char *counter_definition_without(const char *definition, struct arena *arena);

#endif
