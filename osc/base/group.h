/*
 * Group: threads that work on one thing.
 *
 * The first error wins and cancels the siblings; group_join() always joins
 * every thread and returns that error.
 */
#ifndef OSC_BASE_GROUP_H
#define OSC_BASE_GROUP_H

#include <stdbool.h>

#include "osc/base/cancel.h"
#include "osc/base/error.h"

struct group;

/* A worker: false with `err` set on failure.  `cancel` is the group's token. */
typedef bool group_work(void *argument, struct cancel *cancel, struct error *err);

struct group *group_new(struct cancel *parent);
bool group_start(struct group *group, const char *name, group_work *work, void *argument,
                 struct error *err) MUST_CHECK;
void group_cancel(struct group *group);
struct cancel *group_token(struct group *group);

/* Joins all threads and frees the group; false with the first error. */
bool group_join(struct group *group, struct error *err) MUST_CHECK;

#endif
