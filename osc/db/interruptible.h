/*
 * Interruptible: statements that may take hours, ended as soon as the run is
 * told to stop.
 */
#ifndef OSC_DB_INTERRUPTIBLE_H
#define OSC_DB_INTERRUPTIBLE_H

#include "osc/base/cancel.h"
#include "osc/db/db.h"

typedef bool interruptible_work(struct db *db, void *argument, struct error *err);

/*
 * Does the work on the caller's thread.  Once `cancel` is set what runs on `db` is interrupted
 * until the work has ended, and a failure is ERROR_CANCELLED.
 */
bool interruptible(struct db *db, struct cancel *cancel, interruptible_work *work, void *argument,
                   struct error *err) MUST_CHECK;

#endif
