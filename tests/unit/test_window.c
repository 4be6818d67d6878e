/* Hours of the week, on the wall of a time zone that changes its clocks. */
#include "tests/unit/zones.h"

#include "osc/control/orders.h"
#include "osc/control/rules.h"
#include "osc/control/window.h"

static struct window window_of(const char *text)
{
    struct error err = ERROR_INIT;
    struct window window;

    if (!window_parse(text, &window, &err))
        fail_msg("%s: %s", text, err.text);
    return window;
}

/* ---- windows ---- */

static void days_and_times_are_read(void **state)
{
    const struct zone *zone = zone_of("UTC", *state);
    const struct window window = window_of("Mon-Fri 22:00-06:00, Sat-Sun");
    /* 2025-11-24 was a Monday. */
    static const struct {
        unsigned day, hour, minute;
        bool is_open;
    } moments[] = {
        {24, 12, 0,  false},
        {24, 21, 59, false},
        {24, 22, 0,  true },
        {25, 5,  59, true },
        {25, 6,  0,  false},
        {28, 23, 0,  true },
        {29, 12, 0,  true },
        {30, 23, 59, true },
        {24, 0,  0,  false}, /* Sunday ends at midnight */
        {24, 5,  0,  false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(moments); i++)
        assert_int_equal(
            window_is_open(&window, zone,
                           at(zone, 2025, 11, moments[i].day, moments[i].hour, moments[i].minute)),
            moments[i].is_open);
}

static void many_ways_of_writing(void **state)
{
    static const char *const same[][2] = {
        {"Mon-Sun",                                    "00:00-24:00"                     },
        {"monday-FRIDAY 9:00-10:00",                   NULL                              },
        {"Fri-Mon",                                    "Fri,Sat,Sun,Mon"                 },
        {"Mon 22:00-06:00",                            "Mon 22:00-24:00, Tue 00:00-06:00"},
        {"Sun 23:59-00:01",                            "Sun 23:59-24:00, Mon 00:00-00:01"},
        {"  Mon -  Tue   01:00 - 02:00  03:00-04:00 ",
         "Mon 01:00-02:00,Mon 03:00-04:00,Tue 01:00-02:00,Tue 03:00-04:00"               },
        {"Tuesday",                                    "Tue 00:00-24:00"                 },
        {"00:00-12:00, 12:00-00:00",                   "Mon-Sun"                         },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
        struct error err = ERROR_INIT;
        struct window window;
        if (!same[i][1]) {
            assert_false(window_parse(same[i][0], &window, &err));
            continue;
        }
        window = window_of(same[i][0]);
        const struct window other = window_of(same[i][1]);
        if (memcmp(&window, &other, sizeof window) != 0)
            fail_msg("%s is not %s", same[i][0], same[i][1]);
    }
}

static void nonsense_is_refused_with_an_example(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        ",",
        "Mon,",
        "Mon-",
        "Mon-Xyz",
        "Mo",
        "Mond",
        "Mon 22",
        "Mon 22:00",
        "Mon 22:00-",
        "22:00-22:00",
        "25:00-26:00",
        "22:60-23:00",
        "24:00-01:00",
        "Mon 22:00-06:00;",
        "Mon;Tue",
        "22:00-06:00 Mon",
        "Mon-Fri-Sat",
        "-",
        "12:0",
        "1",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct error err = ERROR_INIT;
        struct window window;
        if (window_parse(bad[i], &window, &err))
            fail_msg("understood: '%s'", bad[i]);
        assert_int_equal(err.kind, ERROR_USAGE);
        assert_non_null(strstr(err.hint, "Mon-Fri 22:00-06:00"));
    }
}

static void it_says_when_it_opens_and_closes(void **state)
{
    const struct zone *zone = zone_of("Europe/Berlin", *state);
    const struct window nights = window_of("Mon-Fri 22:00-06:00, Sat-Sun");
    const struct window minute = window_of("Wed 04:00-04:01"), always = window_of("Mon-Sun");
    int64_t when = 0;

    assert_true(window_changes(&nights, zone, at(zone, 2025, 11, 24, 12, 0) + 17, &when));
    assert_int_equal(when, at(zone, 2025, 11, 24, 22, 0));
    assert_true(window_changes(&nights, zone, when, &when));
    assert_int_equal(when, at(zone, 2025, 11, 25, 6, 0));
    /* from Friday night over the weekend */
    assert_true(window_changes(&nights, zone, at(zone, 2025, 11, 28, 23, 0), &when));
    assert_int_equal(when, at(zone, 2025, 12, 1, 0, 0));
    assert_true(window_changes(&minute, zone, at(zone, 2025, 11, 26, 4, 1), &when));
    assert_int_equal(when, at(zone, 2025, 12, 3, 4, 0));
    assert_true(window_changes(&minute, zone, when + 59, &when));
    assert_int_equal(when, at(zone, 2025, 12, 3, 4, 1));
    assert_false(window_changes(&always, zone, 0, &when));
}

static void an_hour_that_is_leapt_over_does_not_come(void **state)
{
    const struct zone *zone = zone_of("Europe/Berlin", *state);
    const struct window window = window_of("Sun 02:10-02:40");
    int64_t when = 0;

    /* 2025-03-30: from 02:00 to 03:00 at once */
    assert_true(window_changes(&window, zone, at(zone, 2025, 3, 29, 12, 0), &when));
    assert_int_equal(when, at(zone, 2025, 4, 6, 2, 10));
    const struct window night = window_of("Sun 01:00-05:00");
    assert_int_equal(
        window_open_between(&night, zone, at(zone, 2025, 3, 30, 0, 0), at(zone, 2025, 3, 31, 0, 0)),
        3 * 3600);
}

static void an_hour_that_comes_twice_is_open_twice(void **state)
{
    const struct zone *zone = zone_of("Europe/Berlin", *state);
    const struct window window = window_of("Sun 02:10-02:40");
    int64_t when = at(zone, 2025, 10, 26, 0, 0);
    const int64_t first = at(zone, 2025, 10, 26, 2, 10);
    const int64_t expected[] = {first, first + 1800, first + 3600, first + 5400};

    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        assert_true(window_changes(&window, zone, when, &when));
        assert_int_equal(when, expected[i]);
    }
    const struct window night = window_of("Sun 01:00-05:00");
    assert_int_equal(window_open_between(&night, zone, at(zone, 2025, 10, 26, 0, 0),
                                         at(zone, 2025, 10, 27, 0, 0)),
                     5 * 3600);
}

static void a_zone_of_half_hours_and_one_that_changes_by_half_an_hour(void **state)
{
    const struct zone *zone = zone_of("Australia/Lord_Howe", *state);
    const struct window window = window_of("Sun 00:00-06:00");

    /* 2025-04-06: half an hour back */
    assert_int_equal(window_open_between(&window, zone, at(zone, 2025, 4, 5, 12, 0),
                                         at(zone, 2025, 4, 6, 12, 0)),
                     6 * 3600 + 1800);
    assert_int_equal(at(zone_of("Asia/Kolkata", *state), 2025, 1, 1, 0, 0) % 3600, 1800);
}

static void it_says_when_work_will_be_done(void **state)
{
    const struct zone *zone = zone_of("Europe/Berlin", *state);
    const struct window nights = window_of("22:00-06:00"), always = window_of("Mon-Sun");
    const int64_t noon = at(zone, 2025, 11, 24, 12, 0);
    int64_t when = 0;

    assert_true(window_will_do(&nights, zone, noon, 3600, &when));
    assert_int_equal(when, at(zone, 2025, 11, 24, 23, 0));
    assert_true(window_will_do(&nights, zone, noon, 20 * 3600, &when));
    assert_int_equal(when, at(zone, 2025, 11, 27, 2, 0));
    assert_true(window_will_do(&always, zone, noon, 20 * 3600, &when));
    assert_int_equal(when, noon + 20 * 3600);
    const struct window minute = window_of("Wed 04:00-04:01");
    assert_false(window_will_do(&minute, zone, noon, 86400, &when));
}

/* ---- rules ---- */

static struct rules rules_of(struct options *options, int64_t now, struct arena *arena)
{
    struct error err = ERROR_INIT;
    struct rules rules = {.flag_file = NULL};

    if (!rules_settle(options, now, arena, &err) || !rules_read(options, arena, &rules, &err))
        fail_msg("%s", err.text);
    return rules;
}

static void a_time_without_a_date_is_the_next(void **state)
{
    struct options options = {.time_zone = "Europe/Berlin", .cutover = "at=02:00"};
    const struct zone *zone = zone_of("Europe/Berlin", *state);
    const int64_t now = at(zone, 2025, 12, 31, 12, 0);

    const struct rules rules = rules_of(&options, now, *state);
    assert_string_equal(options.cutover, "at=2026-01-01T02:00");
    const struct rest rest = rules_rest(&rules, ERRAND_SWAP, false, false, now);
    assert_int_equal(rest.why, REST_TIME);
    assert_int_equal(rest.until, at(zone, 2026, 1, 1, 2, 0));
    assert_int_equal(rules_rest(&rules, ERRAND_SWAP, false, false, rest.until).why, REST_NONE);
    options.cutover = "at=12:01";
    (void)rules_of(&options, now, *state);
    assert_string_equal(options.cutover, "at=2025-12-31T12:01");
}

static void a_pause_is_above_all_and_the_word_above_the_rest(void **state)
{
    struct options options = {.time_zone = "UTC", .cutover = "manual", .cutover_window = "Sat"};
    const struct rules rules = rules_of(&options, 0, *state);

    assert_int_equal(rules_rest(&rules, ERRAND_SWAP, true, true, 0).why, REST_PAUSED);
    assert_int_equal(rules_rest(&rules, ERRAND_WORK, true, true, 0).why, REST_PAUSED);
    assert_int_equal(rules_rest(&rules, ERRAND_SWAP, false, false, 0).why, REST_MANUAL);
    assert_int_equal(rules_rest(&rules, ERRAND_SWAP, false, true, 0).why, REST_NONE);
    assert_int_equal(rules_rest(&rules, ERRAND_WORK, false, false, 0).why, REST_NONE);
    options.cutover = "auto"; /* 1970-01-01 was a Thursday */
    const struct rules later = rules_of(&options, 0, *state);
    const struct rest rest = rules_rest(&later, ERRAND_SWAP, false, false, 0);
    assert_int_equal(rest.why, REST_CUTOVER_WINDOW);
    assert_int_equal(rest.until, 2 * 86400);
}

static void what_cutover_may_say(void **state)
{
    static const char *const good[] = {"auto", "manual", "at=02:00", "at=2025-11-23T02:00",
                                       "at=2024-02-29 23:59"};
    static const char *const bad[] = {"",
                                      "never",
                                      "at=",
                                      "at=24:00",
                                      "at=2:60",
                                      "at=2025-02-29T01:00",
                                      "at=2025-13-01T01:00",
                                      "at=02:00x",
                                      "at=2025-11-23",
                                      "AUTO"};
    struct error err = ERROR_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        if (!rules_check_cutover(good[i], &err))
            fail_msg("%s: %s", good[i], err.text);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        if (rules_check_cutover(bad[i], &err))
            fail_msg("understood: %s", bad[i]);
}

/* A host that knows fewer zones may go on with what another has begun. */
static void what_was_right_elsewhere_is_looked_at_again(void **state)
{
    struct options options = {.time_zone = "Nowhere/Else", .cutover = "auto"};
    struct error err = ERROR_INIT;

    assert_false(rules_settle(&options, 0, *state, &err));
    assert_int_equal(err.kind, ERROR_USAGE);
    error_clear(&err);
    assert_null(standing_orders_new(&options, &err));
    assert_int_equal(err.kind, ERROR_USAGE);
}

static void nonsense_in_the_row_changes_no_order(void **state)
{
    static const char *const bad[] = {"[]", "{\"window\":\"sometimes\"}",
                                      "{\"time-zone\":\"Nowhere/Else\"}"};
    const struct options options = {.time_zone = "UTC", .window = "Mon-Fri"};
    struct error err = ERROR_INIT;
    struct standing_orders *standing = standing_orders_new(&options, &err);

    (void)state;
    assert_non_null(standing);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        const struct orders orders = {
            .wish = "", .paused = "", .let_go = "", .options = bad[i], .number = i};
        error_clear(&err);
        assert_false(standing_orders_take(standing, &orders, &err));
        assert_string_equal(standing_orders_options(standing).window, "Mon-Fri");
        assert_string_equal(zone_name(standing_orders_zone(standing)), "UTC");
    }
    standing_orders_free(standing);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(days_and_times_are_read),
        TEST(many_ways_of_writing),
        TEST(nonsense_is_refused_with_an_example),
        TEST(it_says_when_it_opens_and_closes),
        TEST(an_hour_that_is_leapt_over_does_not_come),
        TEST(an_hour_that_comes_twice_is_open_twice),
        TEST(a_zone_of_half_hours_and_one_that_changes_by_half_an_hour),
        TEST(it_says_when_work_will_be_done),
        TEST(a_time_without_a_date_is_the_next),
        TEST(a_pause_is_above_all_and_the_word_above_the_rest),
        TEST(what_cutover_may_say),
        TEST(what_was_right_elsewhere_is_looked_at_again),
        TEST(nonsense_in_the_row_changes_no_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
