/* Time zones: the system's data base as we read it, and rules in TZ. */
#include "tests/unit/zones.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "osc/control/zone_rule.h"

static const char *const zones[] = {
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "America/St_Johns",
    "Pacific/Apia",
    "Africa/Casablanca",
    "Asia/Tehran",
    "Pacific/Chatham",
    "America/Sao_Paulo",
    "Antarctica/Troll",
    "Europe/Dublin",
    "Australia/Melbourne",
    "America/Argentina/San_Luis",
};

/* The C library's own answer, hour by hour and odd minutes, far into the time of the rule. */
static void assert_agrees_with_the_c_library(const struct zone *zone, const char *name,
                                             int64_t from)
{
    tzset();
    for (int64_t t = from; t < INT64_C(4200000000); t += 12347 * 60 + 29) {
        const time_t seconds = (time_t)t;
        struct tm tm;
        (void)localtime_r(&seconds, &tm);
        if (zone_offset(zone, t) != tm.tm_gmtoff)
            fail_msg("%s at %lld: %lld instead of %ld", name, (long long)t,
                     (long long)zone_offset(zone, t), tm.tm_gmtoff);
        const struct wall wall = zone_wall(zone, t);
        assert_int_equal(wall.year, tm.tm_year + 1900);
        assert_int_equal(wall.month, tm.tm_mon + 1);
        assert_int_equal(wall.day, tm.tm_mday);
        assert_int_equal(wall.hour, tm.tm_hour);
        assert_int_equal(wall.minute, tm.tm_min);
        assert_int_equal(wall.weekday, (tm.tm_wday + 6) % 7);
    }
}

static void zones_agree_with_the_c_library(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(zones); i++) {
        assert_int_equal(setenv("TZ", zones[i], 1), 0);
        assert_agrees_with_the_c_library(zone_of(zones[i], *state), zones[i], -INT64_C(2000000000));
    }
    assert_int_equal(unsetenv("TZ"), 0);
    tzset();
}

static void rules_agree_with_the_c_library(void **state)
{
    static const char *const rules[] = {
        "CET-1CEST,M3.5.0,M10.5.0/3", "XXX3:20:10YYY1:15,M12.5.0/1:30:20,M2.5.6/-1",
        "XXX4YYY,J59/0,J60/0",        "XXX4YYY,J60/0,J300/24",
        "XXX4YYY,58/0,60/0",          "XXX-4YYY,0/2,364/1",
    };

    for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
        assert_int_equal(setenv("TZ", rules[i], 1), 0);
        assert_agrees_with_the_c_library(zone_of("", *state), rules[i],
                                         31536000); /* it leaves the years before 1971 alone */
    }
    assert_int_equal(unsetenv("TZ"), 0);
    tzset();
}

static void around_each_change_of_the_clocks_too(void **state)
{
    const struct zone *zone = zone_of("Europe/Berlin", *state);

    /* 2025-03-30 01:00 UTC and 2025-10-26 01:00 UTC, to the second */
    assert_int_equal(zone_offset(zone, 1743296399), 3600);
    assert_int_equal(zone_offset(zone, 1743296400), 7200);
    assert_int_equal(zone_offset(zone, 1761440399), 7200);
    assert_int_equal(zone_offset(zone, 1761440400), 3600);
    /* by the rule, in 2099 */
    assert_int_equal(zone_offset(zone, at(zone, 2099, 7, 1, 12, 0)), 7200);
    assert_int_equal(zone_offset(zone, at(zone, 2099, 12, 1, 12, 0)), 3600);
}

static void an_hour_that_does_not_come_is_its_end(void **state)
{
    const struct zone *zone = zone_of("Europe/Berlin", *state);

    assert_int_equal(at(zone, 2025, 3, 30, 2, 30), 1743296400); /* the leap */
    assert_int_equal(at(zone, 2025, 3, 30, 3, 0), 1743296400);
    assert_int_equal(at(zone, 2025, 10, 26, 2, 30), 1761438600); /* the first of two */
}

static void rules_are_read(void **state)
{
    static const char *const good[] = {
        "CET-1CEST,M3.5.0,M10.5.0/3",
        "<+0330>-3:30",
        "EST5EDT,M3.2.0,M11.1.0",
        "IST-1GMT0,M10.5.0,M3.5.0/1",
        "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
        "EST5EDT4,J60/0,J300/24",
        "XXX3YYY,0/0,J365/25",
    };
    static const char *const bad[] = {
        "",
        "C",
        "CET",
        "CET-1CEST",
        "CET-1CEST,M13.1.0,M1.1.0",
        "<+03",
        "CET-1CEST,M3.5.0",
        "CET-1CEST,M3.5.0,M10.5.0/3x",
        "CET-999",
        "CET-1:60",
        "CET-1CEST-x,M3.5.0,M10.5.0",
        "CET-1,M3",
        "CET-1CEST,M3.6.0,M10.5.0",
    };
    struct zone_rule rule;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        if (!zone_rule_parse(good[i], &rule))
            fail_msg("not read: %s", good[i]);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        if (zone_rule_parse(bad[i], &rule))
            fail_msg("read: %s", bad[i]);
}

static void an_unknown_zone_is_refused(void **state)
{
    static const char *const names[] = {"Nowhere/Else", "../../etc/passwd", "/etc/passwd", ".",
                                        "Europe"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct error err = ERROR_INIT;
        assert_null(zone_open(names[i], *state, &err));
        assert_int_equal(err.kind, ERROR_USAGE);
    }
}

static void a_host_may_have_a_rule_in_its_environment(void **state)
{
    assert_int_equal(setenv("TZ", "XYZ-5:30", 1), 0);
    assert_int_equal(zone_offset(zone_of("", *state), 0), 19800);
    assert_int_equal(setenv("TZ", ":Asia/Tokyo", 1), 0);
    assert_int_equal(zone_offset(zone_of(NULL, *state), 1700000000), 32400);
    assert_int_equal(setenv("TZ", "XYZ9:99", 1), 0); /* nor half of what cannot be read */
    assert_string_equal(zone_name(zone_of("", *state)), "UTC");
    assert_int_equal(zone_offset(zone_of("", *state), 0), 0);
    assert_int_equal(unsetenv("TZ"), 0);
}

/* Where the numbers of a header of TZif stand, and the size of the older half before the newer. */
enum { OF_CHANGES = 32, OF_TYPES = 36, OF_LETTERS = 40, HEADER = 44 };

static size_t number_at(const unsigned char *bytes)
{
    return (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
}

static void a_file_that_is_damaged_is_no_zone(void **state)
{
    unsigned char good[10000], bytes[sizeof good];
    FILE *file = fopen("/usr/share/zoneinfo/Europe/Berlin", "r");

    assert_non_null(file);
    const size_t size = fread(good, 1, sizeof good, file);
    assert_int_equal(fclose(file), 0);
    assert_non_null(zone_parse("good", good, size, *state));
    const size_t newer = HEADER + number_at(good + OF_CHANGES) * 5 +
                         number_at(good + OF_TYPES) * 6 + number_at(good + OF_LETTERS) +
                         number_at(good + 20) + number_at(good + 24) + number_at(good + 28) * 8;
    assert_memory_equal(good + newer, "TZif", 4);
    const size_t kinds = newer + HEADER + number_at(good + newer + OF_CHANGES) * 8;
    const struct {
        size_t at;
        unsigned char byte;
    } damages[] = {
        {0,                      'X'},
        {OF_CHANGES,             255},
        {OF_CHANGES + 1,         1  },
        {newer,                  'X'},
        {newer + OF_CHANGES + 1, 3  },
        {kinds,                  99 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
        memcpy(bytes, good, size);
        bytes[damages[i].at] = damages[i].byte;
        assert_null(zone_parse("bad", bytes, size, *state));
    }
    for (size_t length = 0; length < size - 40; length += 7)
        assert_null(zone_parse("short", good, length, *state));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(zones_agree_with_the_c_library),
        TEST(rules_agree_with_the_c_library),
        TEST(around_each_change_of_the_clocks_too),
        TEST(an_hour_that_does_not_come_is_its_end),
        TEST(rules_are_read),
        TEST(an_unknown_zone_is_refused),
        TEST(a_host_may_have_a_rule_in_its_environment),
        TEST(a_file_that_is_damaged_is_no_zone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
