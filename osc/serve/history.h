/*
 * History: how the numbers went since the start, and the last events.
 *
 * Of fixed size however long the run takes: when the places are used up, every
 * second sample goes and the rest of the run is sampled half as often.
 */
#ifndef OSC_SERVE_HISTORY_H
#define OSC_SERVE_HISTORY_H

#include <jansson.h>

#include "osc/base/log.h"
#include "osc/progress_view.h"

struct history;

struct history *history_new(void);
void history_free(struct history *history);

/* Looks at the counters: from one thread; the readers may be others. */
void history_look(struct history *history, const struct progress *progress, uint64_t now_ms);

void history_event(struct history *history, enum log_level level, const char *event,
                   const struct log_field *fields);

json_t *history_now(struct history *history); /* as it was looked at last */
json_t *history_samples(struct history *history);
json_t *history_events(struct history *history);

#endif
