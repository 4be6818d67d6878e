/*
 * Watch view: a migration as osc status --watch draws it, a bar for each step; and osc alter
 * itself, on a terminal that has the room.
 *
 * Pure: what was read goes in, lines come out.  It remembers backlog and lag of
 * the last minute for its sparklines.
 */
#ifndef OSC_WATCH_VIEW_H
#define OSC_WATCH_VIEW_H

#include "osc/migration_view.h"

enum { WATCH_SAMPLES = 40 };

struct watch_history {
    size_t n;
    double backlog[WATCH_SAMPLES], lag_s[WATCH_SAMPLES]; /* the newest last */
};

void watch_remember(struct watch_history *history, const struct progress_view *progress);

/* `steps`: the names of all steps, in order. */
struct watch_page {
    const char *const *steps;
    size_t n_steps;
    unsigned columns;
    bool is_unicode;
};

/* Lines of at most page->columns columns, each with its newline. */
void watch_draw_progress(struct text *out, const struct progress_view *progress,
                         const struct watch_history *history, const struct watch_page *page,
                         struct arena *arena);
/* The same of a row of the state table, with who it is and what to type. */
void watch_draw(struct text *out, const struct migration_view *view,
                const struct watch_history *history, const struct watch_page *page,
                struct arena *arena);

#endif
