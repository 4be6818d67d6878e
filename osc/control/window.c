#include "osc/control/window.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { DAY_MINUTES = 24 * 60, LONGEST_CALM = 15 * DAY_MINUTES, YEAR_S = 366 * 86400 };

/* ---- reading ---- */

static const char *const day_names[] = {"monday", "tuesday",  "wednesday", "thursday",
                                        "friday", "saturday", "sunday"};

static void skip_blanks(const char **at)
{
    while (**at == ' ' || **at == '\t')
        ++*at;
}

/* Mon, mon or Monday */
static bool take_day(const char **at, unsigned *day)
{
    size_t length = 0;

    while (isalpha((unsigned char)(*at)[length]))
        length++;
    for (*day = 0; *day < 7; ++*day) {
        const size_t whole = strlen(day_names[*day]);
        if ((length == 3 || length == whole) && strncasecmp(*at, day_names[*day], length) == 0) {
            *at += length;
            return true;
        }
    }
    return false;
}

/* 22:00, and 24:00 for the end of a day */
static bool take_time(const char **at, unsigned *minute)
{
    unsigned parts[2];

    for (size_t i = 0; i < 2; i++) {
        const char *digits = *at;
        if (!isdigit((unsigned char)digits[0]) || !isdigit((unsigned char)digits[1]))
            return false;
        parts[i] = (unsigned)(digits[0] - '0') * 10 + (unsigned)(digits[1] - '0');
        *at += 2;
        if (i == 0 && *(*at)++ != ':')
            return false;
    }
    *minute = parts[0] * 60 + parts[1];
    return parts[1] < 60 && *minute <= DAY_MINUTES;
}

static void open_minutes(struct window *window, unsigned from, unsigned count)
{
    for (unsigned i = from; i < from + count; i++)
        window->open[i % WEEK_MINUTES / 8] |= (unsigned char)(1u << (i % WEEK_MINUTES % 8));
}

struct days {
    unsigned first, count;
};

static void open_days(struct window *window, const struct days *days, unsigned from, unsigned count)
{
    for (unsigned i = 0; i < days->count; i++)
        open_minutes(window, (days->first + i) * DAY_MINUTES + from, count);
}

static bool take_days(const char **at, struct days *days, struct error *err)
{
    unsigned last;

    *days = (struct days){0, 7};
    if (!isalpha((unsigned char)**at))
        return true;
    if (!take_day(at, &days->first))
        return error_set(err, ERROR_USAGE, "which day is '%.20s'?", *at);
    days->count = 1;
    skip_blanks(at);
    if (**at != '-')
        return true;
    ++*at;
    skip_blanks(at);
    if (!take_day(at, &last))
        return error_set(err, ERROR_USAGE, "which day is '%.20s'?", *at);
    days->count = (last + 7 - days->first) % 7 + 1;
    return true;
}

static bool take_span(const char **at, const struct days *days, struct window *window,
                      struct error *err)
{
    const char *start = *at;
    unsigned from, to;

    bool good = take_time(at, &from);
    if (good) {
        skip_blanks(at);
        good = **at == '-';
    }
    if (good) {
        ++*at;
        skip_blanks(at);
    }
    if (!good || !take_time(at, &to) || from == DAY_MINUTES)
        return error_set(err, ERROR_USAGE, "'%.20s' is no time as in 22:00-06:00", start);
    if (from == to)
        return error_set(err, ERROR_USAGE,
                         "%.11s ends when it begins; write the day alone for all of it", start);
    open_days(window, days, from, to > from ? to - from : DAY_MINUTES - from + to);
    return true;
}

/* Days, times, or both. */
static bool take_item(const char **at, struct window *window, struct error *err)
{
    struct days days;
    bool has_time = false;
    const char *start = *at;

    if (!take_days(at, &days, err))
        return false;
    for (skip_blanks(at); isdigit((unsigned char)**at); skip_blanks(at)) {
        if (!take_span(at, &days, window, err))
            return false;
        has_time = true;
    }
    if (*at == start)
        return error_set(err, ERROR_USAGE, "a day or a time is missing before '%.20s'", *at);
    if (!has_time)
        open_days(window, &days, 0, DAY_MINUTES);
    return true;
}

bool window_parse(const char *text, struct window *window, struct error *err)
{
    const char *at = text;

    *window = (struct window){{0}};
    for (;;) {
        skip_blanks(&at);
        if (!take_item(&at, window, err))
            break;
        if (!*at)
            return true;
        if (*at++ != ',') {
            (void)error_set(err, ERROR_USAGE, "'%.20s' is neither a day nor a time", at - 1);
            break;
        }
    }
    return error_hint(err, "write it as in \"Mon-Fri 22:00-06:00, Sat-Sun\"");
}

/* ---- asking ---- */

/* The minute of the week that the wall shows, and how long it still shows it. */
static unsigned minute_at(const struct zone *zone, int64_t at, int64_t *left)
{
    /* 1970 began on a Thursday. */
    const int64_t local = at + zone_offset(zone, at) + INT64_C(3) * 86400;
    const int64_t week = INT64_C(60) * WEEK_MINUTES;
    const int64_t second = (local % week + week) % week;

    *left = 60 - second % 60;
    return (unsigned)(second / 60);
}

static bool is_open(const struct window *window, unsigned minute)
{
    return window->open[minute / 8] >> minute % 8 & 1;
}

bool window_is_open(const struct window *window, const struct zone *zone, int64_t at)
{
    int64_t left;

    return is_open(window, minute_at(zone, at, &left));
}

bool window_changes(const struct window *window, const struct zone *zone, int64_t at, int64_t *when)
{
    const bool now = window_is_open(window, zone, at);
    int64_t left;

    /* A minute of the wall is the least there is, also where the clock leaps. */
    for (unsigned i = 0; i < LONGEST_CALM; i++) {
        if (is_open(window, minute_at(zone, at, &left)) != now) {
            *when = at;
            return true;
        }
        at += left;
    }
    return false;
}

int64_t window_open_between(const struct window *window, const struct zone *zone, int64_t from,
                            int64_t to)
{
    int64_t open = 0, next;

    for (; from < to; from = next) {
        const bool is = window_is_open(window, zone, from);
        if (!window_changes(window, zone, from, &next) || next > to)
            next = to;
        open += is ? next - from : 0;
    }
    return open;
}

bool window_will_do(const struct window *window, const struct zone *zone, int64_t from,
                    int64_t seconds, int64_t *when)
{
    const int64_t latest = from + YEAR_S;
    int64_t next;

    for (; from < latest; from = next) {
        const bool is = window_is_open(window, zone, from);
        if (!window_changes(window, zone, from, &next))
            next = INT64_MAX;
        if (is && next - from >= seconds) {
            *when = from + seconds;
            return true;
        }
        seconds -= is ? next - from : 0;
    }
    return false;
}
