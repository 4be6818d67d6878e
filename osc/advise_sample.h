/*
 * One sample: what the server does for a while, interval by interval.
 */
#ifndef OSC_ADVISE_SAMPLE_H
#define OSC_ADVISE_SAMPLE_H

#include "osc/advise.h"

/* Fills what advice->now and the usual figures are; `db` is lent. */
bool advise_sample(struct advice *advice, struct db *db, struct error *err) MUST_CHECK;

#endif
