/*
 * Throttle view: how hard the migration works, why not harder, and what has a
 * limit, for the progress line, osc status and machines.
 */
#ifndef OSC_THROTTLE_VIEW_H
#define OSC_THROTTLE_VIEW_H

#include <jansson.h>

#include "osc/base/arena.h"
#include "osc/base/progress.h"
#include "osc/base/text.h"

struct throttle_view {
    bool is_known; /* a throttle is at work: the rest means something */
    unsigned duty_percent, threads;
    const char *reason; /* NULL: nothing is in the way */
    struct signal_view {
        const char *name, *unit;
        uint64_t value, limit;
        bool is_unknown;
    } signals[MOST_SIGNALS];
    size_t n_signals;
};

void throttle_view_read(struct throttle_view *view, const struct progress *progress);

/* As an object, and back: what the run wrote into its row. */
json_t *throttle_view_json(const struct throttle_view *view);
void throttle_view_restore(const json_t *object, struct progress *progress, struct arena *arena);

/* "at 25%: a replica lags", or nothing where nothing is in the way. */
void throttle_view_words(struct text *out, const struct throttle_view *view);
/* "replica lag 0.3 s of 5 s, commit 2 ms of 250 ms"; ends in a newline; nothing without signals. */
void throttle_view_signals(struct text *out, const struct throttle_view *view);

#endif
