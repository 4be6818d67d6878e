/*
 * What we make is ours alone: where tables have owners, whoever owns one, or may
 * put a trigger on it, has code run with our rights.
 */
#ifndef OSC_PLAN_OWN_H
#define OSC_PLAN_OWN_H

#include "osc/db/db.h"

/*
 * ERROR_REFUSED when the name belongs to something that others than we, a
 * superuser or the owner of the table `like` ("": nobody else) have made.
 */
bool own_check(struct db *db, const char *schema, const char *name, const char *like,
               struct error *err) MUST_CHECK;

/* Takes back what default privileges gave away, of the tables and functions of that name. */
bool own_alone(struct db *db, const char *schema, const char *name, struct error *err) MUST_CHECK;

#endif
