/*
 * Quiet: which hours of the week are the quiet ones, from figures of each hour.
 *
 * An hour is quiet where its load is at most half of the mean hour's, or next to
 * nothing.  What was not seen is never called quiet: while hours of the week are
 * missing every day counts alike, and while hours of the day are missing nothing
 * is said.  Pure: no clock is read here, no server asked.
 */
#ifndef OSC_CONTROL_QUIET_H
#define OSC_CONTROL_QUIET_H

#include "osc/base/text.h"
#include "osc/control/window.h"

enum { DAY_HOURS = 24, WEEK_HOURS = 7 * DAY_HOURS };

struct quiet_hour {
    double load, seconds; /* weighed sum, and what it was weighed with */
    unsigned samples, days;
    int64_t last_day; /* that it was seen on */
};

struct quiet_week {
    struct quiet_hour hours[WEEK_HOURS]; /* from Monday 00:00 on, on the wall of a zone */
};

/* What was seen from `at` on for so long; in the order of time, so that days are counted once. */
void quiet_note(struct quiet_week *week, const struct zone *zone, int64_t at, double seconds,
                double load);

enum quiet_verdict {
    QUIET_UNKNOWN, /* too little was seen                       */
    QUIET_ANY,     /* no hour is busy                           */
    QUIET_NONE,    /* none is much quieter than the others      */
    QUIET_SOME,    /* those that are open                       */
};

struct quiet_choice {
    enum quiet_verdict verdict;
    bool is_weekly;         /* each hour of the week was seen; else every day counts alike */
    unsigned hours_known;   /* of the day's 24                                              */
    unsigned samples;       /* of all hours                                                 */
    bool open[WEEK_HOURS];  /* QUIET_SOME                                                   */
    unsigned hours;         /* that are open, of the week                                   */
    double inside, outside; /* the mean load                          */
    unsigned least_samples, least_days; /* that an open hour rests on, … */
    unsigned most_samples, most_days;   /* … from the poorest to the richest      */
};

/* `calm`: a load below this disturbs nobody. */
void quiet_choose(const struct quiet_week *week, double calm, struct quiet_choice *choice);

/* Adds the open hours as --window takes them: "Mon-Fri 22:00-06:00, Sat-Sun". */
void quiet_write(const bool open[WEEK_HOURS], struct text *out);

/* How often the window opens until it has been open for so long, and when that is over; false: not
 * within a year. */
bool quiet_openings(const struct window *window, const struct zone *zone, int64_t from,
                    int64_t seconds, unsigned *openings, int64_t *when) MUST_CHECK;

#endif
