/*
 * Signals: the operator's Ctrl-C, as a cancel token.
 *
 * The first SIGINT, SIGTERM or SIGHUP sets the token, so that everything stops
 * in order; the second ends the process at once.  A signal that was ignored
 * when the process started (nohup) stays ignored.  Where the log has a file,
 * SIGHUP means to open it anew, and nothing else.
 */
#ifndef OSC_BASE_SIGNALS_H
#define OSC_BASE_SIGNALS_H

#include "osc/base/cancel.h"

/* To be called before other threads start: they inherit the blocked signals. */
bool signals_start(struct cancel *cancel, struct error *err) MUST_CHECK;
void signals_stop(void);

#endif
