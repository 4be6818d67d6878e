#include "osc/control/zone_rule.h"

#include <ctype.h>
#include <string.h>

#include "osc/control/zone.h"

enum { HOUR = 3600, DAY = 86400 };

/* ---- reading ---- */

static bool take_number(const char **at, int most, int *number)
{
    if (!isdigit((unsigned char)**at))
        return false;
    for (*number = 0; isdigit((unsigned char)**at); ++*at)
        if ((*number = *number * 10 + (**at - '0')) > most)
            return false;
    return true;
}

/* hh[:mm[:ss]] with a sign; the hours go up to a week. */
static bool take_time(const char **at, int64_t *seconds)
{
    const bool is_negative = **at == '-';
    int64_t unit = HOUR;
    int number = 0;

    *at += **at == '-' || **at == '+';
    if (!take_number(at, 167, &number))
        return false;
    *seconds = number * unit;
    while (**at == ':' && unit > 1) {
        ++*at;
        unit /= 60;
        if (!take_number(at, 59, &number))
            return false;
        *seconds += number * unit;
    }
    if (is_negative)
        *seconds = -*seconds;
    return true;
}

/* CET, or <+0330> */
static bool take_name(const char **at)
{
    const char *start = *at;

    if (**at == '<') {
        *at += strcspn(*at, ">");
        return *(*at)++ == '>';
    }
    while (isalpha((unsigned char)**at))
        ++*at;
    return *at - start >= 3;
}

static bool take_day(const char **at, struct zone_change *change)
{
    if (**at == 'M') {
        ++*at;
        change->kind = DAY_OF_MONTH;
        return take_number(at, 12, &change->month) && change->month > 0 && *(*at)++ == '.' &&
               take_number(at, 5, &change->week) && change->week > 0 && *(*at)++ == '.' &&
               take_number(at, 6, &change->day);
    }
    change->kind = **at == 'J' ? DAY_WITHOUT_LEAP : DAY_OF_YEAR;
    *at += **at == 'J';
    return take_number(at, 365, &change->day) && (change->kind == DAY_OF_YEAR || change->day > 0);
}

static bool take_change(const char **at, struct zone_change *change)
{
    change->second = 2 * HOUR;
    if (*(*at)++ != ',' || !take_day(at, change))
        return false;
    if (**at != '/')
        return true;
    ++*at;
    return take_time(at, &change->second);
}

bool zone_rule_parse(const char *text, struct zone_rule *rule)
{
    const char *at = text;

    *rule = (struct zone_rule){.standard = 0};
    /* POSIX counts west of Greenwich. */
    if (!take_name(&at) || !take_time(&at, &rule->standard))
        return false;
    rule->standard = -rule->standard;
    if (!*at)
        return true;
    rule->has_summer = true;
    rule->summer = rule->standard + HOUR;
    if (!take_name(&at))
        return false;
    if (*at && *at != ',') {
        if (!take_time(&at, &rule->summer))
            return false;
        rule->summer = -rule->summer;
    }
    return take_change(&at, &rule->begins) && take_change(&at, &rule->ends) && !*at;
}

/* ---- reckoning ---- */

static int64_t day_of(const struct zone_change *change, int year)
{
    const int64_t january = zone_days(year, 1, 1);

    if (change->kind == DAY_OF_YEAR)
        return january + change->day;
    if (change->kind == DAY_WITHOUT_LEAP) {
        const bool has_leap = zone_days(year, 3, 1) - january == 60;
        return january + change->day - 1 + (has_leap && change->day > 59);
    }
    const int64_t first = zone_days(year, (unsigned)change->month, 1);
    const int64_t next = change->month == 12 ? zone_days(year + 1, 1, 1)
                                             : zone_days(year, (unsigned)change->month + 1, 1);
    /* 1970-01-01 was a Thursday; Sunday is 0. */
    const int64_t weekday = ((first + 4) % 7 + 7) % 7;
    int64_t day = first + (change->day - weekday + 7) % 7 + 7 * (change->week - 1);
    while (day >= next)
        day -= 7;
    return day;
}

int64_t zone_rule_offset(const struct zone_rule *rule, int64_t at)
{
    struct wall wall;

    if (!rule->has_summer)
        return rule->standard;
    const int64_t local = at + rule->standard;
    zone_date(local / DAY - (local % DAY < 0), &wall);
    /* The wall shows standard time when the summer begins, and the summer's when it ends. */
    const int64_t begins =
        day_of(&rule->begins, wall.year) * DAY + rule->begins.second - rule->standard;
    const int64_t ends = day_of(&rule->ends, wall.year) * DAY + rule->ends.second - rule->summer;
    const bool is_summer = begins < ends ? at >= begins && at < ends : at >= begins || at < ends;
    return is_summer ? rule->summer : rule->standard;
}
