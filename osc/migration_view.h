/*
 * Migration view: a row of the state table as an operator wants to see it.
 */
#ifndef OSC_MIGRATION_VIEW_H
#define OSC_MIGRATION_VIEW_H

#include "osc/progress_view.h"
#include "osc/state.h"

enum life {
    LIFE_RUNNING,
    LIFE_DEAD,    /* running by its own account, but its heart has stopped */
    LIFE_STOPPED, /* by an error or by the operator; can go on             */
    LIFE_SWAPPED, /* done, and the retired table is still there            */
    LIFE_DONE,
    LIFE_ABORTING, /* its abort was begun and has not ended, perhaps because it died */
};

const char *life_name(enum life life);

struct migration_view {
    const struct state_row *row;
    const char *name; /* what stands for it in a command */
    enum life life;
    struct progress_view progress; /* as of the last heartbeat */
    uint64_t took_s;               /* 0 while it is not over   */
    const char *situation;         /* a sentence               */
    const char *next;              /* what to type; ""         */
};

void migration_view_read(struct migration_view *view, const struct state_row *row, const char *name,
                         struct arena *arena);
json_t *migration_view_json(const struct migration_view *view);

#endif
