/*
 * osc advise: it sees the writers that are there, says what it cannot know, and
 * learns the quiet hours from samples that were kept.
 */
#include "tests/unit/unit.h"

#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "osc/control/window.h"
#include "osc/db/server.h"
#include "tests/support/others.h"
#include "tests/support/writers.h"

enum { RATE = 200, ROWS = 500, HOUR = 3600, QUIET = 50, BUSY = 1000 };

static int open_scene(void **state)
{
    struct scene *s = scene_open("advise");

    assert_int_equal(setenv("XDG_STATE_HOME", s->directory, 1), 0);
    *state = s;
    return 0;
}

static int close_scene(void **state)
{
    scene_close(*state);
    return 0;
}

static void make_t(struct scene *s)
{
    scene_sql(s, "CREATE TABLE t (id int PRIMARY KEY, v int)");
}

static json_t *parsed(struct outcome outcome)
{
    json_error_t trouble;

    if (outcome.status != 0)
        fail_msg("exit code %d:\n%s%s", outcome.status, outcome.out, outcome.err);
    json_t *value = json_loads(outcome.out, 0, &trouble);
    if (!value)
        fail_msg("%s: %s", trouble.text, outcome.out);
    outcome_free(&outcome);
    return value;
}

static json_t *advice(struct scene *s, const char *table)
{
    return parsed(scene_osc(s, "advise", table, "--sample=2s", "--json", "--quiet", NULL));
}

/* A member of a member. */
static double figure(const json_t *advice, const char *outer, const char *what, const char *inner)
{
    const json_t *value = json_object_get(json_object_get(advice, outer), what);

    return json_number_value(inner ? json_object_get(value, inner) : value);
}

static const char *word(const json_t *advice, const char *outer, const char *what)
{
    return json_string_value(json_object_get(json_object_get(advice, outer), what));
}

/* What is there, on a machine that others use as well: a quarter of the rate at the least. */
static void assert_seen(double rate)
{
    if (rate < RATE / 4.0)
        fail_msg("of %d writes a second %f were seen", RATE, rate);
}

static bool counts_writes_of_tables(struct scene *s)
{
    return s->is_postgres || scene_number(s, "SELECT @@performance_schema");
}

static void it_sees_the_writers(void **state)
{
    struct scene *s = *state;
    struct traffic *writers = writers_start(s, &(struct writers_wish){.rows = ROWS, .rate = RATE});
    json_t *seen = advice(s, "users");

    assert_seen(figure(seen, "sample", "work", "mean"));
    assert_seen(figure(seen, "sample", "rows_written", "mean"));
    assert_true(figure(seen, "sample", "log_bytes", "mean") > 0);
    assert_true(figure(seen, "sample", "rows_written", "least") <=
                figure(seen, "sample", "rows_written", "most"));
    assert_string_not_equal(json_string_value(json_object_get(seen, "now")), "quiet");
    if (!counts_writes_of_tables(s)) {
        assert_non_null(strstr(word(seen, "migration", "not_counted"), "userstat"));
        json_decref(seen);
        scene_sql(s, "SET GLOBAL userstat = 1");
        seen = advice(s, "users");
        scene_sql(s, "SET GLOBAL userstat = 0");
    }
    assert_seen(figure(seen, "migration", "written", "mean"));
    assert_true(figure(seen, "migration", "captured", NULL) > 0);
    assert_true(figure(seen, "migration", "seconds_estimate", "likely") > 0);
    json_decref(seen);
    writers_stop(writers, "advise");
}

static void it_sees_who_has_been_at_it_for_long(void **state)
{
    struct scene *s = *state;

    make_t(s);
    scene_sql(s, "INSERT INTO t VALUES (1, 1)");
    struct link writer = begins_to_write(s);
    json_t *seen = advice(s, "t");
    assert_true(figure(seen, "sample", "longest_transaction_ms", NULL) >= 1000);
    json_decref(seen);
    does(&writer, "ROLLBACK");
    link_close(&writer);
}

static void it_sees_who_says_what_not_every_server_can_show(void **state)
{
    struct scene *s = *state;
    struct link writer;
    struct busy sleeper;

    make_t(s);
    writer = begins_to_write(s);
    starts(&sleeper, writer, scene_pick(s, "SELECT pg_sleep(5), '😀'", "SELECT SLEEP(5), '😀'"));
    json_t *seen = advice(s, "t");
    assert_true(figure(seen, "sample", "longest_transaction_ms", NULL) >= 1000);
    json_decref(seen);
    assert_int_equal(ends(&sleeper), REPLY_OK);
    link_close(&sleeper.link);
}

static void a_table_that_is_missing_is_refused_at_once(void **state)
{
    assert_says(scene_osc(*state, "advise", "nowhere", "--sample=1h", NULL), 3, "nowhere");
    assert_says(scene_osc(*state, "advise", "--sample=1s", NULL), 2, "--sample");
}

static void without_a_place_for_the_sample_none_is_taken(void **state)
{
    char *home = strdup(getenv("HOME") ? getenv("HOME") : "/");

    assert_int_equal(unsetenv("XDG_STATE_HOME"), 0);
    assert_int_equal(unsetenv("HOME"), 0);
    assert_says(scene_osc(*state, "advise", "--sample=1h", "--record", NULL), 2, "XDG_STATE_HOME");
    assert_int_equal(setenv("HOME", home, 1), 0);
    free(home);
}

static void samples_that_cannot_be_read_are_an_error(void **state)
{
    struct scene *s = *state;
    const char *file = arena_printf(s->arena, "%s/osc", s->directory);

    assert_int_equal(fclose(fopen(file, "w")), 0); /* where a directory should be */
    assert_says(scene_osc(s, "advise", "--sample=2s", NULL), 1, "cannot be read: Not a directory");
}

static void it_says_that_one_sample_is_little(void **state)
{
    struct scene *s = *state;
    struct outcome said = scene_osc(s, "advise", "--sample=2s", NULL);

    if (said.status != 0 || !strstr(said.out, "Quiet hours unknown: 0 of the day's 24 hours") ||
        !strstr(said.out, "--record") || strstr(said.out, "Table"))
        fail_msg("%d: %s%s", said.status, said.out, said.err);
    outcome_free(&said);
}

static void ctrl_c_ends_it_with_a_report(void **state)
{
    struct scene *s = *state;
    const pid_t osc = scene_start(s, "advise", "--sample=1h", "--json", NULL);

    awaits(s, osc, "sampling");
    assert_int_equal(kill(osc, SIGINT), 0);
    json_t *seen = parsed(scene_wait(s, osc));
    assert_true(figure(seen, "sample", "seconds", NULL) < 60);
    json_decref(seen);
}

/* A sample in each hour of the three days before now, few of them busy. */
static void keep_three_days(const char *path)
{
    const time_t now = time(NULL);
    FILE *file = fopen(path, "a");

    assert_non_null(file);
    for (time_t at = now - 72 * HOUR; at < now - HOUR; at += HOUR) {
        struct tm wall;
        assert_non_null(gmtime_r(&at, &wall));
        const bool is_night = wall.tm_hour >= 22 || wall.tm_hour < 6;
        assert_true(fprintf(file, "{\"at\":%lld,\"seconds\":60.0,\"work\":%d.0,\"rows\":1.0}\n",
                            (long long)(at - at % HOUR + 60), is_night ? QUIET : BUSY) > 0);
    }
    assert_int_equal(fclose(file), 0);
}

static void kept_samples_show_the_quiet_hours(void **state)
{
    struct scene *s = *state;
    struct window window;
    struct error err = ERROR_INIT;

    make_t(s);
    struct outcome recorded =
        scene_osc(s, "advise", "--sample=2s", "--record", "--quiet", "--time-zone=UTC", NULL);
    assert_int_equal(recorded.status, 0);
    assert_string_equal(recorded.out, "");
    assert_string_equal(recorded.err, "");
    outcome_free(&recorded);
    json_t *seen = advice(s, "t");
    assert_true(figure(seen, "hours", "samples", NULL) > 0);
    assert_string_equal(word(seen, "hours", "quiet"), "unknown");
    keep_three_days(word(seen, "hours", "file"));
    json_decref(seen);

    seen =
        parsed(scene_osc(s, "advise", "t", "--sample=2s", "--json", "-q", "--time-zone=UTC", NULL));
    assert_string_equal(word(seen, "hours", "quiet"), "some");
    assert_non_null(word(seen, "hours", "window"));
    assert_true(window_parse(word(seen, "hours", "window"), &window, &err));
    assert_non_null(strstr(word(seen, "hours", "window"), "22:00-06:00"));
    assert_true(figure(seen, "migration", "nights", NULL) >= 1);
    json_decref(seen);

    struct outcome said = scene_osc(s, "advise", "t", "--sample=2s", "--time-zone=UTC", NULL);
    static const char *const words[] = {"Quiet hours",     "--window \"",           "22:00-06:00",
                                        "--time-zone UTC", "Each of them rests on", "Nights"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (said.status != 0 || !strstr(said.out, words[i]))
            fail_msg("%d, no \"%s\": %s%s", said.status, words[i], said.out, said.err);
    outcome_free(&said);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, open_scene, close_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_sees_the_writers),
        TEST(it_sees_who_has_been_at_it_for_long),
        TEST(it_sees_who_says_what_not_every_server_can_show),
        TEST(a_table_that_is_missing_is_refused_at_once),
        TEST(without_a_place_for_the_sample_none_is_taken),
        TEST(samples_that_cannot_be_read_are_an_error),
        TEST(it_says_that_one_sample_is_little),
        TEST(ctrl_c_ends_it_with_a_report),
        TEST(kept_samples_show_the_quiet_hours),
    };

    return cmocka_run_group_tests_name("advise", tests, NULL, NULL);
}
