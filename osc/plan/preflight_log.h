/*
 * Preflight: has the server's log room for what will be written through it?  Where it has not, it
 * makes commits of the application wait (bench/README.md).
 */
#ifndef OSC_PLAN_PREFLIGHT_LOG_H
#define OSC_PLAN_PREFLIGHT_LOG_H

#include "osc/plan/plan.h"

/* Bytes that a migration writes into the log: about as many as the source has. */
uint64_t preflight_log_bytes(const struct plan *plan);
/* Bytes of log that let nobody wait for them: twice as many, and never more than 16 GiB. */
uint64_t preflight_log_wanted(const struct plan *plan);
/* The same for a setting: whole GiB. */
unsigned preflight_log_wanted_gib(const struct plan *plan);

#endif
