/*
 * Rest view: why a migration rests, until when, and what to type, in words.
 */
#ifndef OSC_REST_VIEW_H
#define OSC_REST_VIEW_H

#include "osc/progress_view.h"
#include "osc/state.h"

struct rest_view {
    const char *words;    /* "" when nothing keeps it waiting */
    const char *next;     /* the command that ends the rest; "" */
    const char *forecast; /* whether the window will do; "" */
};

/* `name` stands for the migration in a command. */
void rest_view_read(struct rest_view *view, const struct state_row *row,
                    const struct progress_view *progress, const char *name, struct arena *arena);

/* Two or three words for a progress line; "" when it does not rest. */
const char *rest_word(const struct progress_view *progress);

#endif
