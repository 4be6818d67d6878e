/*
 * Orders: what operators want of a run, as last read from the state row.
 *
 * The keeper reads them every second, the main thread before it does what
 * cannot be taken back.  Any thread may ask.
 */
#ifndef OSC_CONTROL_ORDERS_H
#define OSC_CONTROL_ORDERS_H

#include "osc/control/rules.h"
#include "osc/state.h"

struct standing_orders;

/* `options` hold until an order changes them; they are those of the row. */
struct standing_orders *standing_orders_new(const struct options *options,
                                            struct error *err) MUST_CHECK;
void standing_orders_free(struct standing_orders *standing); /* NULL is fine */

/* Takes over what the row says; false with ERROR_SYSTEM or ERROR_USAGE: somebody wrote nonsense. */
bool standing_orders_take(struct standing_orders *standing, const struct orders *orders,
                          struct error *err) MUST_CHECK;

struct rest standing_orders_rest(struct standing_orders *standing, enum errand errand);
/* The options as they are now; their strings live as long as `standing`. */
struct options standing_orders_options(struct standing_orders *standing);
const struct zone *standing_orders_zone(struct standing_orders *standing);

#endif
