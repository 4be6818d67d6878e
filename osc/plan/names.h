/*
 * Names of our own objects.
 *
 * They begin with the source's name, so that a RENAME, which takes metadata
 * locks in name order, waits on the source first.  A name that would be too
 * long is cut and told apart by a hash behind a sign that sorts behind letters.
 */
#ifndef OSC_PLAN_NAMES_H
#define OSC_PLAN_NAMES_H

#include "osc/plan/plan.h"

void names_derive(struct names *names, const char *table, const struct facts *facts,
                  struct arena *arena);

/* table + suffix, cut to what the server allows. */
const char *names_with_suffix(const char *table, const char *suffix, const struct facts *facts,
                              struct arena *arena);

/* 64-bit FNV-1a: names locks and cut names; not for data. */
uint64_t names_hash(const char *string);

#endif
