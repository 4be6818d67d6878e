/*
 * Window: the hours of the week in which something may happen, as the operator
 * writes them: "Mon-Fri 22:00-06:00, Sat-Sun".
 *
 * What counts is the clock on the wall of a time zone: a window in the hour that
 * the clock leaps over in spring does not come that day, one in the hour that it
 * goes through twice in autumn comes twice.  Pure: no clock is read here.
 */
#ifndef OSC_CONTROL_WINDOW_H
#define OSC_CONTROL_WINDOW_H

#include "osc/control/zone.h"

enum { WEEK_MINUTES = 7 * 24 * 60 };

struct window {
    unsigned char open[WEEK_MINUTES / 8]; /* a bit for each minute from Monday 00:00 on */
};

/*
 * [DAYS] [HH:MM-HH:MM …], … where DAYS is Mon or Mon-Fri; without a time the whole day.
 * A time that ends before it begins goes on until the next day.  ERROR_USAGE says what is wrong.
 */
bool window_parse(const char *text, struct window *window, struct error *err) MUST_CHECK;

bool window_is_open(const struct window *window, const struct zone *zone, int64_t at);

/* The next moment at which it opens or closes; false: never. */
bool window_changes(const struct window *window, const struct zone *zone, int64_t at,
                    int64_t *when) MUST_CHECK;

/* How long it is open between two moments. */
int64_t window_open_between(const struct window *window, const struct zone *zone, int64_t from,
                            int64_t to);

/* When it will have been open for so long; false: not within the next year. */
bool window_will_do(const struct window *window, const struct zone *zone, int64_t from,
                    int64_t seconds, int64_t *when) MUST_CHECK;

#endif
