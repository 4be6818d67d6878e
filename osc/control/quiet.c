#include "osc/control/quiet.h"

#include <string.h>

enum { DAYS = 7, SHORTEST = 2, DAY_S = 86400 };

static const double quiet_part = 0.5; /* of the mean hour */

/* ---- what was seen ---- */

void quiet_note(struct quiet_week *week, const struct zone *zone, int64_t at, double seconds,
                double load)
{
    /* The hour in which most of it lies. */
    const int64_t middle = at + (int64_t)(seconds / 2);
    const struct wall wall = zone_wall(zone, middle);
    const int64_t day = zone_days(wall.year, wall.month, wall.day);
    struct quiet_hour *hour = &week->hours[wall.weekday * DAY_HOURS + wall.hour];

    hour->load += load * seconds;
    hour->seconds += seconds;
    if (!hour->samples++ || hour->last_day != day)
        hour->days++;
    hour->last_day = day;
}

static void add_hour(struct quiet_hour *sum, const struct quiet_hour *hour)
{
    sum->load += hour->load;
    sum->seconds += hour->seconds;
    sum->samples += hour->samples;
    sum->days += hour->days;
}

/* Every day alike: each hour of the day takes the place of its seven in the week. */
static void make_days_alike(struct quiet_week *week)
{
    for (unsigned h = 0; h < DAY_HOURS; h++) {
        struct quiet_hour all = {.samples = 0};
        for (unsigned day = 0; day < DAYS; day++)
            add_hour(&all, &week->hours[day * DAY_HOURS + h]);
        for (unsigned day = 0; day < DAYS; day++)
            week->hours[day * DAY_HOURS + h] = all;
    }
}

static unsigned hours_seen(const struct quiet_week *week, unsigned hours)
{
    unsigned seen = 0;

    for (unsigned h = 0; h < hours; h++)
        seen += week->hours[h].samples > 0;
    return seen;
}

static double load_of(const struct quiet_week *week, unsigned h)
{
    return week->hours[h].load / week->hours[h].seconds;
}

/* ---- which are quiet ---- */

static unsigned after(unsigned h)
{
    return (h + 1) % WEEK_HOURS;
}

static unsigned before(unsigned h)
{
    return (h + WEEK_HOURS - 1) % WEEK_HOURS;
}

/* One hour that is not busy does not interrupt a night. */
static void bridge(const struct quiet_week *week, double mean, bool open[WEEK_HOURS])
{
    bool bridged[WEEK_HOURS];

    for (unsigned h = 0; h < WEEK_HOURS; h++)
        bridged[h] = open[h] || (open[before(h)] && open[after(h)] && load_of(week, h) <= mean);
    memcpy(open, bridged, sizeof bridged);
}

static unsigned run_from(const bool open[WEEK_HOURS], unsigned first)
{
    unsigned n = 0;

    while (n < WEEK_HOURS && open[(first + n) % WEEK_HOURS])
        n++;
    return n;
}

/* An hour alone is hardly begun before it ends. */
static void drop_short_ones(bool open[WEEK_HOURS])
{
    for (unsigned h = 0; h < WEEK_HOURS; h++)
        if (open[h] && !open[before(h)] && run_from(open, h) < SHORTEST)
            open[h] = false;
}

static void widen(unsigned value, unsigned *least, unsigned *most)
{
    if (!*most || value < *least)
        *least = value;
    if (value > *most)
        *most = value;
}

static void weigh(const struct quiet_week *week, struct quiet_choice *choice)
{
    double inside = 0, outside = 0;

    for (unsigned h = 0; h < WEEK_HOURS; h++) {
        const struct quiet_hour *hour = &week->hours[h];
        if (!choice->open[h]) {
            outside += load_of(week, h);
            continue;
        }
        inside += load_of(week, h);
        choice->hours++;
        widen(hour->samples, &choice->least_samples, &choice->most_samples);
        widen(hour->days, &choice->least_days, &choice->most_days);
    }
    if (choice->hours)
        choice->inside = inside / choice->hours;
    if (choice->hours < WEEK_HOURS)
        choice->outside = outside / (WEEK_HOURS - choice->hours);
}

static void open_the_quiet(const struct quiet_week *week, double calm, struct quiet_choice *choice)
{
    double mean = 0;

    for (unsigned h = 0; h < WEEK_HOURS; h++)
        mean += load_of(week, h) / WEEK_HOURS;
    const double limit = mean * quiet_part > calm ? mean * quiet_part : calm;
    for (unsigned h = 0; h < WEEK_HOURS; h++)
        choice->open[h] = load_of(week, h) <= limit;
    bridge(week, mean, choice->open);
    drop_short_ones(choice->open);
    weigh(week, choice);
    choice->verdict = !choice->hours                ? QUIET_NONE
                      : choice->hours == WEEK_HOURS ? QUIET_ANY
                                                    : QUIET_SOME;
}

void quiet_choose(const struct quiet_week *week, double calm, struct quiet_choice *choice)
{
    struct quiet_week seen = *week;

    *choice = (struct quiet_choice){.verdict = QUIET_UNKNOWN};
    for (unsigned h = 0; h < WEEK_HOURS; h++)
        choice->samples += week->hours[h].samples;
    choice->is_weekly = hours_seen(week, WEEK_HOURS) == WEEK_HOURS;
    if (!choice->is_weekly)
        make_days_alike(&seen);
    choice->hours_known = hours_seen(&seen, DAY_HOURS);
    if (choice->hours_known == DAY_HOURS)
        open_the_quiet(&seen, calm, choice);
}

/* ---- as the operator writes it ---- */

/* Days by the times of their spans; an end before the beginning is one of the next day. */
struct spans {
    unsigned char days[DAY_HOURS][DAY_HOURS + 1]; /* [from][to]: a bit for each day */
};

static void add_span(struct spans *spans, unsigned first, unsigned hours)
{
    const unsigned from = first % DAY_HOURS, end = from + hours;

    spans->days[from][end <= DAY_HOURS ? end : end - DAY_HOURS] |=
        (unsigned char)(1u << first / DAY_HOURS % DAYS);
}

/* How long a night lasts that begins at this hour on some other day, up to midnight else. */
static unsigned night_from(const struct spans *spans, unsigned from)
{
    for (unsigned to = 1; to < from; to++)
        if (spans->days[from][to])
            return DAY_HOURS - from + to;
    return DAY_HOURS - from;
}

/* How long before midnight a night begins that lasts until this hour; 0: there is none. */
static unsigned night_until(const struct spans *spans, unsigned to)
{
    for (unsigned from = DAY_HOURS - 1; from > to; from--)
        if (spans->days[from][to])
            return DAY_HOURS - from;
    return 0;
}

/*
 * Whole days between the rest of a day and the beginning of another.  These two
 * are written as the nights of other days are where there are such: the hours
 * that come twice are open anyway.
 */
static void add_long_run(struct spans *spans, unsigned first, unsigned hours)
{
    const unsigned from = first % DAY_HOURS, end = first + hours;
    unsigned day = first;

    if (from) {
        add_span(spans, first, night_from(spans, from));
        day += DAY_HOURS - from;
    }
    const bool has_whole_day = day + DAY_HOURS <= end;
    for (; day + DAY_HOURS <= end; day += DAY_HOURS)
        add_span(spans, day, DAY_HOURS);
    if (day < end) {
        const unsigned before_midnight = has_whole_day ? night_until(spans, end - day) : 0;
        add_span(spans, day - before_midnight, before_midnight + end - day);
    }
}

static void add_runs(struct spans *spans, const bool open[WEEK_HOURS], bool are_long)
{
    for (unsigned h = 0; h < WEEK_HOURS; h++) {
        const unsigned hours = open[h] && !open[before(h)] ? run_from(open, h) : 0;
        if (are_long && hours >= DAY_HOURS)
            add_long_run(spans, h, hours);
        else if (!are_long && hours && hours < DAY_HOURS)
            add_span(spans, h, hours);
    }
}

static bool has_day(unsigned char days, unsigned day)
{
    return days >> day % DAYS & 1;
}

static void add_item(struct text *out, unsigned first, unsigned n, unsigned from, unsigned to)
{
    static const char *const names[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    const bool is_whole = from == 0 && to == DAY_HOURS;

    text_add(out, out->length ? ", " : "");
    if (n < DAYS || is_whole)
        text_add(out, names[first]);
    if (n > 1 && (n < DAYS || is_whole))
        text_printf(out, "-%s", names[(first + n - 1) % DAYS]);
    if (!is_whole)
        text_printf(out, "%s%02u:00-%02u:00", n < DAYS ? " " : "", from, to);
}

/* The days that have this span, from `day` on where none is before it. */
static void add_days(struct text *out, unsigned char days, unsigned day, unsigned from, unsigned to)
{
    unsigned n = 0;
    const bool is_every = days == (1u << DAYS) - 1;

    if (is_every ? day > 0 : !has_day(days, day) || has_day(days, day + DAYS - 1))
        return;
    while (n < DAYS && has_day(days, day + n))
        n++;
    add_item(out, day, n, from, to);
}

void quiet_write(const bool open[WEEK_HOURS], struct text *out)
{
    struct spans spans = {{{0}}};
    AUTO(text) items = TEXT_INIT;

    if (run_from(open, 0) == WEEK_HOURS)
        add_long_run(&spans, 0, WEEK_HOURS);
    add_runs(&spans, open, false);
    add_runs(&spans, open, true);
    for (unsigned day = 0; day < DAYS; day++)
        for (unsigned from = 0; from < DAY_HOURS; from++)
            for (unsigned to = 0; to <= DAY_HOURS; to++)
                add_days(&items, spans.days[from][to], day, from, to);
    text_add(out, items.bytes);
}

/* ---- how many nights ---- */

bool quiet_openings(const struct window *window, const struct zone *zone, int64_t from,
                    int64_t seconds, unsigned *openings, int64_t *when)
{
    int64_t next;

    if (!window_will_do(window, zone, from, seconds, when))
        return false;
    *openings = window_is_open(window, zone, from);
    for (; window_changes(window, zone, from, &next) && next < *when; from = next)
        *openings += window_is_open(window, zone, next);
    return true;
}
