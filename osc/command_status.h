/*
 * What osc status and osc status --watch share.
 */
#ifndef OSC_COMMAND_STATUS_H
#define OSC_COMMAND_STATUS_H

#include "osc/command.h"
#include "osc/migration_view.h"

/* The migrations that the words of the command line mean: in run->arena. */
bool status_load(struct run *run, struct migration_view **views, size_t *n,
                 struct error *err) MUST_CHECK;
bool status_json(const struct migration_view *views, size_t n, struct error *err) MUST_CHECK;

/* Looks again and again until nothing runs, or the operator ends it. */
bool command_watch(struct run *run, struct error *err) MUST_CHECK;

#endif
