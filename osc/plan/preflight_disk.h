/*
 * Preflight: is there room for the shadow, where that can be known?
 */
#ifndef OSC_PLAN_PREFLIGHT_DISK_H
#define OSC_PLAN_PREFLIGHT_DISK_H

#include "osc/plan/plan.h"

/* The shadow with its indexes, beyond what the source takes. */
uint64_t preflight_disk_bytes(const struct plan *plan);
bool preflight_disk(struct db *db, struct plan *plan, struct error *err) MUST_CHECK;

#endif
