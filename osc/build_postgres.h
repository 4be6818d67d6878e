/*
 * Builds what create() deferred, once the rows are there.
 */
#ifndef OSC_BUILD_POSTGRES_H
#define OSC_BUILD_POSTGRES_H

#include "osc/base/cancel.h"
#include "osc/plan/plan.h"
#include "osc/shadow.h"

bool build_postgres(struct db *db, const struct plan *plan, const char *deferred, enum build what,
                    unsigned threads, struct cancel *cancel, struct error *err) MUST_CHECK;

#endif
