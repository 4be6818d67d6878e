#include "osc/control/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "osc/control/zone_rule.h"

enum { DAY = 86400, MOST_BYTES = 1 << 18, HEADER = 44, TYPE = 6, LEAP = 12 };

struct zone {
    const char *name;
    size_t n;                   /* changes that the file lists, in order */
    const unsigned char *times; /* 8 bytes each, big endian              */
    const unsigned char *kinds; /* one byte each: a type                 */
    const unsigned char *types; /* 6 bytes each: offset, is summer, name */
    bool has_rule;              /* for the time after the last change    */
    struct zone_rule rule;
};

/* ---- TZif ---- */

static int64_t big_endian(const unsigned char *bytes, unsigned size)
{
    uint64_t value = bytes[0] & 0x80 ? UINT64_MAX : 0;

    for (unsigned i = 0; i < size; i++)
        value = value << 8 | bytes[i];
    return (int64_t)value;
}

struct header {
    size_t utc, standard, leaps, changes, types, letters;
};

static bool read_header(const unsigned char *bytes, size_t size, struct header *header)
{
    size_t *const counts[] = {&header->utc,     &header->standard, &header->leaps,
                              &header->changes, &header->types,    &header->letters};

    if (size < HEADER || memcmp(bytes, "TZif", 4) != 0)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
        const int64_t count = big_endian(bytes + 20 + 4 * i, 4);
        if (count < 0 || count > MOST_BYTES)
            return false;
        *counts[i] = (size_t)count;
    }
    return header->types > 0;
}

static size_t length_of(const struct header *h, size_t time_size)
{
    return h->changes * (time_size + 1) + h->types * TYPE + h->letters +
           h->leaps * (time_size + LEAP - 8) + h->standard + h->utc;
}

/* The rule stands between two newlines at the end. */
static void read_rule(struct zone *zone, const unsigned char *bytes, size_t size,
                      struct arena *arena)
{
    const unsigned char *end = size && *bytes == '\n' ? memchr(bytes + 1, '\n', size - 1) : NULL;

    if (end)
        zone->has_rule = zone_rule_parse(
            arena_copy(arena, (const char *)bytes + 1, (size_t)(end - bytes - 1)), &zone->rule);
}

const struct zone *zone_parse(const char *name, const unsigned char *bytes, size_t size,
                              struct arena *arena)
{
    struct header header = {.types = 0};
    struct zone *zone = ARENA_NEW(arena, struct zone);

    /* The first half is for programs of the last century. */
    if (!read_header(bytes, size, &header) || bytes[4] < '2')
        return NULL;
    const size_t old = HEADER + length_of(&header, 4);
    if (old > size || !read_header(bytes + old, size - old, &header) ||
        old + HEADER + length_of(&header, 8) > size)
        return NULL;
    zone->name = name;
    zone->n = header.changes;
    zone->times = bytes + old + HEADER;
    zone->kinds = zone->times + zone->n * 8;
    zone->types = zone->kinds + zone->n;
    for (size_t i = 0; i < zone->n; i++)
        if (zone->kinds[i] >= header.types)
            return NULL;
    const size_t end = old + HEADER + length_of(&header, 8);
    read_rule(zone, bytes + end, size - end, arena);
    return zone;
}

static const unsigned char *read_file(const char *path, struct arena *arena, size_t *size)
{
    FILE *file = fopen(path, "re");

    if (!file)
        return NULL;
    unsigned char *bytes = arena_alloc(arena, MOST_BYTES);
    *size = fread(bytes, 1, MOST_BYTES, file);
    (void)fclose(file);
    return bytes;
}

/* A name leads nowhere but into the data base. */
static bool is_decent(const char *name)
{
    return *name != '/' && *name != '.' && !strstr(name, "..") && strlen(name) < 100;
}

/* TZ may hold a rule itself; a host that knows nothing lives by UTC, as the C library has it. */
static const struct zone *zone_of_rule(const char *text, struct arena *arena)
{
    struct zone *zone = ARENA_NEW(arena, struct zone);

    zone->has_rule = true;
    zone->name = text && zone_rule_parse(text, &zone->rule) ? arena_string(arena, text) : "UTC";
    if (strcmp(zone->name, "UTC") == 0)
        zone->rule = (struct zone_rule){.standard = 0};
    return zone;
}

const struct zone *zone_open(const char *name, struct arena *arena, struct error *err)
{
    const char *directory = getenv("TZDIR"), *theirs = getenv("TZ");
    const bool is_host = !name || !*name;
    const struct zone *zone = NULL;
    size_t size = 0;

    if (is_host && theirs && *theirs)
        name = *theirs == ':' ? theirs + 1 : theirs;
    const bool is_named = name && *name && is_decent(name);
    const char *path =
        is_named ? arena_printf(arena, "%s/%s", directory ? directory : "/usr/share/zoneinfo", name)
                 : "/etc/localtime";
    const unsigned char *bytes = is_named || is_host ? read_file(path, arena, &size) : NULL;
    if (bytes)
        zone = zone_parse(is_named ? arena_string(arena, name) : "local time", bytes, size, arena);
    if (zone)
        return zone;
    if (is_host)
        return zone_of_rule(name, arena);
    (void)error_set(err, ERROR_USAGE, "this host knows no time zone '%s'", name);
    (void)error_hint(err, "write it as in Europe/Berlin; the package tzdata brings them");
    return NULL;
}

const char *zone_name(const struct zone *zone)
{
    return zone->name;
}

int64_t zone_offset(const struct zone *zone, int64_t at)
{
    size_t low = 0, high = zone->n;

    while (low < high) { /* how many changes are not after `at` */
        const size_t middle = (low + high) / 2;
        if (big_endian(zone->times + middle * 8, 8) <= at)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == zone->n && zone->has_rule)
        return zone_rule_offset(&zone->rule, at);
    return big_endian(zone->types + TYPE * (low ? zone->kinds[low - 1] : 0), 4);
}

/* ---- the calendar ---- */

/* Howard Hinnant's: years begin in March, so that the leap day is their last. */
int64_t zone_days(int year, unsigned month, unsigned day)
{
    const int64_t y = year - (month <= 2);
    const int64_t era = (y >= 0 ? y : y - 399) / 400;
    const int64_t of_era = y - era * 400;
    const int64_t of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void zone_date(int64_t days, struct wall *wall)
{
    const int64_t z = days + 719468;
    const int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    const int64_t of_era = z - era * 146097;
    const int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    const int64_t month = (5 * of_year + 2) / 153;

    wall->day = (unsigned)(of_year - (153 * month + 2) / 5 + 1);
    wall->month = (unsigned)(month < 10 ? month + 3 : month - 9);
    wall->year = (int)(year + era * 400 + (wall->month <= 2));
}

struct wall zone_wall(const struct zone *zone, int64_t at)
{
    const int64_t local = at + zone_offset(zone, at);
    const int64_t days = local / DAY - (local % DAY < 0);
    const int64_t second = local - days * DAY;
    struct wall wall = {
        .hour = (unsigned)(second / 3600),
        .minute = (unsigned)(second / 60 % 60),
        .second = (unsigned)(second % 60),
        .weekday = (unsigned)(((days + 3) % 7 + 7) % 7),
    };

    zone_date(days, &wall);
    return wall;
}

int64_t zone_moment(const struct zone *zone, const struct wall *wall)
{
    const int64_t wanted = zone_days(wall->year, wall->month, wall->day) * DAY +
                           wall->hour * INT64_C(3600) + wall->minute * INT64_C(60) + wall->second;
    int64_t low = wanted - 2 * DAY, high = wanted + 2 * DAY;
    int64_t best = high;

    /*
     * Either offset in force around that day gives a moment.  Of those at which the wall shows
     * it the first counts; in a gap nothing does, and the leap itself is looked for.
     */
    const int64_t offsets[] = {zone_offset(zone, low), zone_offset(zone, high)};
    for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
        const int64_t at = wanted - offsets[i];
        if (at + zone_offset(zone, at) == wanted && at < best)
            best = at;
    }
    if (best < high)
        return best;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (middle + zone_offset(zone, middle) >= wanted)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}
