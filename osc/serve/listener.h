/*
 * Listener: answers GET and HEAD over HTTP; what it says is only to be read.
 *
 * A client gets one answer per connection, little memory and little time,
 * whatever it sends: it may keep other clients away for a while, never the migration.
 */
#ifndef OSC_SERVE_LISTENER_H
#define OSC_SERVE_LISTENER_H

#include "osc/base/cancel.h"
#include "osc/serve/watched.h"

struct listener;

/* NULL on failure: ERROR_USAGE for a bad address, ERROR_SYSTEM for one that is taken. */
struct listener *listener_open(const char *address, const struct watched *watched,
                               struct error *err) MUST_CHECK;
void listener_close(struct listener *listener); /* NULL is fine */

/* To be called about once a second: ends connections that take too long. */
void listener_tend(struct listener *listener);

/*
 * The run is over: gives one who reads /metrics regularly the time to read that as well,
 * or else nobody could tell a run that has ended well from one that has died.
 */
void listener_await_reader(struct listener *listener, struct cancel *cancel);

#endif
