/* Which hours of the week are quiet, and how that is written. */
#include "tests/unit/unit.h"

#include "osc/control/quiet.h"

enum { CALM = 20, BUSY = 1000, HOUR = 3600, MONDAY = 345600 /* 1970-01-05 00:00 UTC */ };

struct fixture {
    struct arena *arena;
    const struct zone *utc;
    struct quiet_week week;
    struct quiet_choice choice;
};

static int set_up(void **state)
{
    struct error err = ERROR_INIT;
    struct arena *arena = arena_new();
    struct fixture *f = ARENA_NEW(arena, struct fixture);

    f->arena = arena;
    f->utc = zone_open("UTC", arena, &err);
    assert_non_null(f->utc);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    arena_free(f->arena);
    return 0;
}

/* A minute of each hour of so many days, the quiet ones as `window` says. */
static void see_days(struct fixture *f, unsigned days, const char *window, double quiet)
{
    struct error err = ERROR_INIT;
    struct window hours;

    assert_true(window_parse(window, &hours, &err));
    for (int64_t at = MONDAY; at < MONDAY + (int64_t)days * DAY_HOURS * HOUR; at += HOUR)
        quiet_note(&f->week, f->utc, at, 60, window_is_open(&hours, f->utc, at) ? quiet : BUSY);
}

static void assert_chosen(struct fixture *f, const char *window)
{
    AUTO(text) out = TEXT_INIT;

    quiet_choose(&f->week, CALM, &f->choice);
    assert_int_equal(f->choice.verdict, QUIET_SOME);
    quiet_write(f->choice.open, &out);
    assert_string_equal(out.bytes, window);
}

static void nights_of_two_days_are_quiet_every_day(void **state)
{
    struct fixture *f = *state;

    see_days(f, 2, "22:00-06:00", 100);
    assert_chosen(f, "22:00-06:00");
    assert_false(f->choice.is_weekly);
    assert_int_equal(f->choice.hours, 7 * 8);
    assert_int_equal(f->choice.least_days, 2);
    assert_int_equal(f->choice.most_samples, 2);
    assert_true(f->choice.inside > 99 && f->choice.inside < 101);
    assert_true(f->choice.outside > BUSY - 1);
}

static void weekends_show_after_a_week(void **state)
{
    struct fixture *f = *state;

    see_days(f, 7, "Mon-Fri 22:00-06:00, Sat 08:00-20:00", 100);
    assert_chosen(f, "Mon-Fri 22:00-06:00, Sat 08:00-20:00");
    assert_true(f->choice.is_weekly);
    assert_int_equal(f->choice.least_days, 1);
}

static void a_whole_weekend_is_written_as_days(void **state)
{
    struct fixture *f = *state;

    see_days(f, 14, "Sat-Sun", 100);
    assert_chosen(f, "Sat-Sun");
    assert_int_equal(f->choice.least_days, 2);
}

/* The rest of Friday and the beginning of Monday are written as the other nights are. */
static void nights_and_weekends_are_written_together(void **state)
{
    struct fixture *f = *state;

    see_days(f, 7, "Mon-Fri 22:00-06:00, Sat-Sun, Mon 00:00-06:00", 100);
    assert_chosen(f, "Sat-Sun, Sun-Fri 22:00-06:00");
}

static void what_was_not_seen_is_not_called_quiet(void **state)
{
    struct fixture *f = *state;

    for (int64_t at = MONDAY; at < MONDAY + 23 * HOUR; at += HOUR)
        quiet_note(&f->week, f->utc, at, 60, at < MONDAY + 6 * HOUR ? 1 : BUSY);
    quiet_choose(&f->week, CALM, &f->choice);
    assert_int_equal(f->choice.verdict, QUIET_UNKNOWN);
    assert_int_equal(f->choice.hours_known, 23);
    assert_int_equal(f->choice.samples, 23);
}

static void no_hour_stands_out_where_all_are_alike(void **state)
{
    struct fixture *f = *state;

    see_days(f, 7, "02:00-04:00", BUSY * 0.8);
    quiet_choose(&f->week, CALM, &f->choice);
    assert_int_equal(f->choice.verdict, QUIET_NONE);
}

static void any_hour_will_do_where_none_is_busy(void **state)
{
    struct fixture *f = *state;

    see_days(f, 1, "Mon-Sun", CALM - 1);
    quiet_choose(&f->week, CALM, &f->choice);
    assert_int_equal(f->choice.verdict, QUIET_ANY);
}

static void one_hour_neither_makes_a_night_nor_breaks_it(void **state)
{
    struct fixture *f = *state;

    see_days(f, 1, "00:00-03:00, 04:00-06:00, 12:00-13:00", 100);
    /* From 3 to 4 it is less than in the mean hour, but not quiet. */
    struct quiet_hour *third = &f->week.hours[3];
    third->load = third->seconds * 500;
    assert_chosen(f, "00:00-06:00");
}

static void most_of_a_sample_decides_its_hour(void **state)
{
    struct fixture *f = *state;

    quiet_note(&f->week, f->utc, MONDAY + HOUR - 10, 60, 5);
    assert_int_equal(f->week.hours[0].samples, 0);
    assert_int_equal(f->week.hours[1].samples, 1);
}

/* Whatever is written opens exactly the hours that it was written from. */
static void every_window_reads_back(void **state)
{
    struct fixture *f = *state;
    uint64_t dice = 42;

    for (unsigned round = 0; round < 3000; round++) {
        bool open[WEEK_HOURS];
        struct window window;
        struct error err = ERROR_INIT;
        AUTO(text) out = TEXT_INIT;
        const unsigned stickiness = 1 + round % 60;
        bool is_open = true;
        for (unsigned h = 0; h < WEEK_HOURS; h++) {
            dice = dice * 6364136223846793005u + 1442695040888963407u;
            if ((dice >> 33) % stickiness == 0)
                is_open = !is_open;
            open[h] = h == round % WEEK_HOURS || is_open;
        }
        quiet_write(open, &out);
        if (!window_parse(out.bytes, &window, &err))
            fail_msg("%s: %s", out.bytes, err.text);
        for (unsigned h = 0; h < WEEK_HOURS; h++)
            if (window_is_open(&window, f->utc, MONDAY + (int64_t)h * HOUR) != open[h])
                fail_msg("%s: hour %u", out.bytes, h);
    }
}

static void nights_are_counted_until_the_work_is_done(void **state)
{
    struct fixture *f = *state;
    struct error err = ERROR_INIT;
    struct window night;
    unsigned openings = 0;
    int64_t when = 0;

    assert_true(window_parse("22:00-06:00", &night, &err));
    assert_true(quiet_openings(&night, f->utc, MONDAY + 12 * HOUR, 8 * HOUR, &openings, &when));
    assert_int_equal(openings, 1);
    assert_int_equal(when, MONDAY + 30 * HOUR);
    assert_true(quiet_openings(&night, f->utc, MONDAY + 12 * HOUR, 9 * HOUR, &openings, &when));
    assert_int_equal(openings, 2);
    assert_true(quiet_openings(&night, f->utc, MONDAY + 23 * HOUR, HOUR, &openings, &when));
    assert_int_equal(openings, 1);
    assert_false(
        quiet_openings(&night, f->utc, MONDAY, INT64_C(500) * 24 * HOUR, &openings, &when));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nights_of_two_days_are_quiet_every_day),
        TEST(weekends_show_after_a_week),
        TEST(a_whole_weekend_is_written_as_days),
        TEST(nights_and_weekends_are_written_together),
        TEST(what_was_not_seen_is_not_called_quiet),
        TEST(no_hour_stands_out_where_all_are_alike),
        TEST(any_hour_will_do_where_none_is_busy),
        TEST(one_hour_neither_makes_a_night_nor_breaks_it),
        TEST(most_of_a_sample_decides_its_hour),
        TEST(every_window_reads_back),
        TEST(nights_are_counted_until_the_work_is_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
