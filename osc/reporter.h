/*
 * Reporter: shows how far a migration is, while it runs.
 *
 * On a terminal a bar for each step, or one line where there is no room for them;
 * elsewhere a log line now and then;
 * with --json events on standard output.  Reads the counters, asks no server.
 */
#ifndef OSC_REPORTER_H
#define OSC_REPORTER_H

#include "osc/base/error.h"
#include "osc/base/progress.h"
#include "osc/options.h"

struct reporter;

/* `progress` must outlive the reporter.  NULL on failure. */
struct reporter *reporter_start(const struct progress *progress, const struct options *options,
                                struct error *err) MUST_CHECK;
void reporter_stop(struct reporter *reporter); /* NULL is fine */

#endif
