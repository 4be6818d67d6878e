/*
 * Watched: the running migration as those see it who look from outside.
 */
#ifndef OSC_SERVE_WATCHED_H
#define OSC_SERVE_WATCHED_H

#include "osc/base/progress.h"
#include "osc/serve/history.h"

struct watched {
    const struct progress *progress;
    struct history *history;
    const char *server;            /* the DSN without password and options */
    _Atomic(const char *) outcome; /* running, then done or failed         */
    uint64_t started_s;            /* since 1970 */
};

#endif
