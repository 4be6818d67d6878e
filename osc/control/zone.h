/*
 * Zone: what the clock on the wall shows in a time zone, and when it shows it.
 *
 * Reads the system's own tzdata (/usr/share/zoneinfo, TZif with its POSIX rule
 * for the years behind the table) instead of setting TZ: that is one variable
 * for the whole process, not to be changed while threads read the environment,
 * and status shows migrations of several zones.
 */
#ifndef OSC_CONTROL_ZONE_H
#define OSC_CONTROL_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "osc/base/arena.h"
#include "osc/base/error.h"

struct zone;

/* `name` as in Europe/Berlin; NULL or "": the zone of this host. */
const struct zone *zone_open(const char *name, struct arena *arena, struct error *err) MUST_CHECK;
/* The bytes of a TZif file; NULL where they are none. */
const struct zone *zone_parse(const char *name, const unsigned char *bytes, size_t size,
                              struct arena *arena);
const char *zone_name(const struct zone *zone);

/* Seconds east of UTC at that moment (seconds since 1970). */
int64_t zone_offset(const struct zone *zone, int64_t at);

/* What the wall shows. */
struct wall {
    int year;
    unsigned month, day, hour, minute, second;
    unsigned weekday; /* 0: Monday */
};

struct wall zone_wall(const struct zone *zone, int64_t at);
/*
 * The first moment at which the wall shows that or more: of an hour that the
 * clock goes through twice the first, of one that it leaps over its end.
 */
int64_t zone_moment(const struct zone *zone, const struct wall *wall);

/* Days since 1970-01-01 of a date of the Gregorian calendar, and back. */
int64_t zone_days(int year, unsigned month, unsigned day);
void zone_date(int64_t days, struct wall *wall);

#endif
