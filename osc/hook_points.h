/*
 * Hook points: where the story of a migration asks the operator's hooks, and
 * what it tells them.
 *
 * No transaction of ours is open while a hook runs.  Before the cutover replay
 * goes on meanwhile, however long the hook takes to consent.
 */
#ifndef OSC_HOOK_POINTS_H
#define OSC_HOOK_POINTS_H

#include "osc/migration.h"

/* As the options say, remembered ones included. */
bool hook_points_open(struct migration *m, struct error *err) MUST_CHECK;

void hook_points_before(struct migration *m, enum step_id step);
void hook_points_after(struct migration *m, enum step_id step);

/* Waits as long as before-cutover says "not now"; ERROR_CANCELLED when it says no. */
bool hook_points_consent(struct migration *m, struct error *err) MUST_CHECK;

/* A service beside the steps: throttled, unthrottled. */
bool hook_points_watch(void *migration, struct cancel *cancel, struct error *err);

/* How it ended: done or failed.  The last one. */
void hook_points_close(struct migration *m, bool good, const struct error *err);

#endif
