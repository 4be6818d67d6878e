/*
 * How like its source is a table made by CREATE TABLE … LIKE?
 */
#ifndef OSC_LIKENESS_MYSQL_H
#define OSC_LIKENESS_MYSQL_H

#include "osc/plan/alter.h"
#include "osc/plan/plan.h"

/* ERROR_REFUSED with the first line of the source's definition that LIKE left out. */
bool likeness_check(const struct plan *plan, const char *definition, struct error *err) MUST_CHECK;

/* The names that CHECK constraints got, quoted, where names are unique per schema: from → to. */
struct name_pair *likeness_check_names(struct db *db, const struct plan *plan,
                                       const char *definition);

#endif
