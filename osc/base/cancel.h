/*
 * Cancel: a token that is set once and can be waited on.
 *
 * A token may have a parent: it counts as cancelled when the parent is.
 * Safe to use from every thread.
 */
#ifndef OSC_BASE_CANCEL_H
#define OSC_BASE_CANCEL_H

#include <stdbool.h>
#include <stdint.h>

#include "osc/base/error.h"

struct cancel;

struct cancel *cancel_new(struct cancel *parent); /* parent may be NULL and must outlive it */
void cancel_free(struct cancel *cancel);          /* NULL is fine */
void cancel_set(struct cancel *cancel);
bool cancel_is_set(const struct cancel *cancel);

/* Sleeps; false when the token was set meanwhile. */
bool cancel_sleep_ms(struct cancel *cancel, uint64_t ms);

/* True, or ERROR_CANCELLED when the token is set. */
bool cancel_check(const struct cancel *cancel, struct error *err) MUST_CHECK;

#endif
