#include "osc/control/rules.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- --cutover ---- */

static bool is_valid(const struct wall *wall)
{
    struct wall same;

    if (wall->hour > 23 || wall->minute > 59)
        return false;
    if (!wall->year)
        return true;
    if (wall->month < 1 || wall->month > 12 || wall->day < 1 || wall->year > 9999)
        return false;
    zone_date(zone_days(wall->year, wall->month, wall->day), &same);
    return same.day == wall->day;
}

/* 02:00 (year 0), 2025-11-23T02:00 or with a blank between. */
static bool read_moment(const char *text, struct wall *wall)
{
    int end = 0;

    *wall = (struct wall){.year = 0};
    if (sscanf(text, "%2u:%2u%n", &wall->hour, &wall->minute, &end) == 2 && !text[end])
        return is_valid(wall);
    end = 0;
    return sscanf(text, "%4d-%2u-%2u%*1[T ]%2u:%2u%n", &wall->year, &wall->month, &wall->day,
                  &wall->hour, &wall->minute, &end) == 5 &&
           !text[end] && wall->year > 0 && is_valid(wall);
}

static bool read_cutover(const char *text, enum cutover_mode *mode, struct wall *at,
                         struct error *err)
{
    if (!text || strcmp(text, "auto") == 0)
        *mode = CUTOVER_AUTO;
    else if (strcmp(text, "manual") == 0)
        *mode = CUTOVER_MANUAL;
    else if (strncmp(text, "at=", 3) == 0 && read_moment(text + 3, at))
        *mode = CUTOVER_AT;
    else
        return error_set(err, ERROR_USAGE,
                         "it takes auto, manual, at=HH:MM or at=YYYY-MM-DDTHH:MM, not '%.40s'",
                         text);
    return true;
}

/* ---- all of them ---- */

bool rules_read(const struct options *options, struct arena *arena, struct rules *rules,
                struct error *err)
{
    *rules = (struct rules){
        .has_window = options->window,
        .has_cutover_window = options->cutover_window,
        .flag_file = options->postpone_flag_file,
    };
    rules->zone = zone_open(options->time_zone, arena, err);
    return rules->zone &&
           (!options->window || window_parse(options->window, &rules->window, err)) &&
           (!options->cutover_window ||
            window_parse(options->cutover_window, &rules->cutover_window, err)) &&
           read_cutover(options->cutover, &rules->cutover, &rules->at, err);
}

bool rules_settle(struct options *options, int64_t now, struct arena *arena, struct error *err)
{
    struct rules rules;

    if (!rules_read(options, arena, &rules, err))
        return false;
    if (rules.cutover != CUTOVER_AT || rules.at.year)
        return true;
    struct wall at = zone_wall(rules.zone, now);
    const int64_t today = zone_days(at.year, at.month, at.day);
    at.hour = rules.at.hour;
    at.minute = rules.at.minute;
    at.second = 0;
    if (zone_moment(rules.zone, &at) <= now)
        zone_date(today + 1, &at);
    options->cutover = arena_printf(arena, "at=%04d-%02u-%02uT%02u:%02u", at.year, at.month, at.day,
                                    at.hour, at.minute);
    return true;
}

static bool is_shut(bool has, const struct window *window, const struct zone *zone, int64_t now,
                    int64_t *until)
{
    if (!has || window_is_open(window, zone, now))
        return false;
    (void)!window_changes(window, zone, now, until); /* what is shut will open */
    return true;
}

struct rest rules_rest(const struct rules *rules, enum errand errand, bool is_paused,
                       bool is_let_go, int64_t now)
{
    struct rest rest = {REST_NONE, 0};
    int64_t until = 0;

    if (is_paused) {
        rest.why = REST_PAUSED;
    } else if (errand == ERRAND_WORK) {
        if (is_shut(rules->has_window, &rules->window, rules->zone, now, &until))
            rest = (struct rest){REST_WINDOW, until};
    } else if (is_let_go) {
        return rest;
    } else if (rules->cutover == CUTOVER_MANUAL) {
        rest.why = REST_MANUAL;
    } else if (rules->cutover == CUTOVER_AT && zone_moment(rules->zone, &rules->at) > now) {
        rest = (struct rest){REST_TIME, zone_moment(rules->zone, &rules->at)};
    } else if (rules->flag_file && access(rules->flag_file, F_OK) == 0) {
        rest.why = REST_FLAG_FILE;
    } else if (is_shut(rules->has_cutover_window, &rules->cutover_window, rules->zone, now,
                       &until)) {
        rest = (struct rest){REST_CUTOVER_WINDOW, until};
    }
    return rest;
}

const char *rules_moment(const struct zone *zone, int64_t at, struct arena *arena)
{
    const struct wall wall = zone_wall(zone, at);

    return arena_printf(arena, "%04d-%02u-%02u %02u:%02u %s", wall.year, wall.month, wall.day,
                        wall.hour, wall.minute, zone_name(zone));
}

/* ---- the option table ---- */

bool rules_check_window(const char *text, struct error *err)
{
    struct window window;

    return window_parse(text, &window, err);
}

bool rules_check_cutover(const char *text, struct error *err)
{
    enum cutover_mode mode;
    struct wall at;

    return read_cutover(text, &mode, &at, err);
}

bool rules_check_zone(const char *text, struct error *err)
{
    struct arena *arena = arena_new();
    const bool good = zone_open(text, arena, err);

    arena_free(arena);
    return good;
}
