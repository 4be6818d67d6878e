/* Zones and moments, for tests of the calendar. */
#ifndef OSC_TESTS_ZONES_H
#define OSC_TESTS_ZONES_H

#include "osc/control/zone.h"
#include "tests/unit/unit.h"

static inline int set_up(void **state)
{
    *state = arena_new();
    return 0;
}

static inline int tear_down(void **state)
{
    arena_free(*state);
    return 0;
}

static inline const struct zone *zone_of(const char *name, struct arena *arena)
{
    struct error err = ERROR_INIT;
    const struct zone *zone = zone_open(name, arena, &err);

    if (!zone)
        fail_msg("%s", err.text);
    return zone;
}

/* The first moment at which the wall shows it. */
static inline int64_t at(const struct zone *zone, int year, unsigned month, unsigned day,
                         unsigned hour, unsigned minute)
{
    const struct wall wall = {
        .year = year, .month = month, .day = day, .hour = hour, .minute = minute};

    return zone_moment(zone, &wall);
}

#endif
