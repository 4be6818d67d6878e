/*
 * Process: somebody else's program, run for a limited time.
 *
 * Without a shell, in a process group of its own that is ended as a whole, with
 * nothing of ours but the environment it is given: standard input is empty, no
 * other file of ours is open.  What it prints comes line by line.
 */
#ifndef OSC_BASE_PROCESS_H
#define OSC_BASE_PROCESS_H

#include <stdint.h>

#include "osc/base/cancel.h"

struct process {
    const char *path;
    const char *directory;    /* where it begins */
    char *const *environment; /* ends with NULL */
    uint64_t limit_ms;
    const struct cancel *cancel; /* ends it, too; may be NULL */
    void (*on_line)(void *owner, const char *line);
    void *owner;
};

struct process_end {
    int exit_code; /* 128 + signal when it was killed */
    bool was_late; /* it was ended at its limit */
    bool was_cancelled;
};

/* False: it could not be started at all. */
bool process_run(const struct process *process, struct process_end *end,
                 struct error *err) MUST_CHECK;

#endif
