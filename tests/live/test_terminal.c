/*
 * What an operator sees: the progress line, log lines, Ctrl-C; and what a
 * program reads.
 */
#include "tests/unit/unit.h"

#include <ctype.h>
#include <jansson.h>
#include <poll.h>
#include <stdlib.h>

#include "osc/base/clock.h"
#include "tests/support/screen.h"

static int open_scene(void **state)
{
    struct scene *s = scene_open("terminal");

    scene_sql(s, "CREATE TABLE items (id bigint PRIMARY KEY, name varchar(50))");
    for (unsigned i = 0; i < 50; i++)
        scene_sql(s, "INSERT INTO items VALUES (%u, 'item')", i);
    *state = s;
    return 0;
}

static int close_scene(void **state)
{
    scene_close(*state);
    return 0;
}

/* 12:34:56 and a blank: a log line. */
static bool has_time(const char *line)
{
    return strlen(line) > 9 && isdigit(line[0]) && isdigit(line[1]) && line[2] == ':' &&
           isdigit(line[3]) && line[5] == ':' && line[8] == ' ';
}

/* Whole log lines, then whole lines of the answer, and no trace of the progress. */
static void assert_clean(const char *text)
{
    bool answer_began = false;

    for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
        const bool is_log = has_time(line);
        const size_t length = strcspn(line, "\n");
        answer_began |= !is_log;
        if ((is_log && answer_began) || memmem(line, length, "items  step ", 12) ||
            memmem(line, length, "▶", strlen("▶")))
            fail_msg("a torn line: %.*s in\n%s", (int)strcspn(line, "\n"), line, text);
    }
}

static void the_progress_line_stands_below_the_log(void **state)
{
    struct scene *s = *state;

    scene_hold(s, "copy");
    struct screen *screen =
        screen_start(s, SCREEN_LOW, 60, "alter", "items", "ADD COLUMN c int", NULL);
    screen_await_last(screen, "items  step 4/9 copy");
    scene_release(s, "copy");
    assert_int_equal(screen_end(screen), 0);
    const char *text = screen_text(screen);
    assert_non_null(strstr(text, "items: migrated in "));
    assert_non_null(strstr(text, "osc finish 1 drops it"));
    assert_clean(text);
    screen_free(screen);
}

static void a_bar_for_each_step_stands_below_the_log(void **state)
{
    struct scene *s = *state;

    scene_hold(s, "indexes");
    struct screen *screen =
        screen_start(s, SCREEN_HIGH, 100, "alter", "items", "ADD COLUMN c int", NULL);
    screen_await(screen, "▶ indexes");
    screen_await(screen, "items  step 5/9 indexes");
    screen_await_last(screen, "backlog 0");
    const char *text = screen_text(screen);
    const char *log = strstr(text, "step=indexes"), *bar = strstr(text, "✓ copy     ▕██████████▏");
    assert_true(log && bar && log < bar && bar < strstr(text, "· verify"));
    scene_release(s, "indexes");
    assert_int_equal(screen_end(screen), 0);
    assert_non_null(strstr(screen_text(screen), "items: migrated in "));
    assert_clean(screen_text(screen));
    screen_free(screen);
}

static void a_narrow_terminal_is_not_overrun(void **state)
{
    struct scene *s = *state;

    scene_hold(s, "copy");
    struct screen *screen = screen_start(s, SCREEN_LOW, 16, "alter", "items", "ADD COLUMN c int",
                                         "--verify=none", NULL);
    screen_await_last(screen, "step 4/9 copy");
    assert_null(strstr(screen_text(screen), "items  step"));
    scene_release(s, "copy");
    assert_int_equal(screen_end(screen), 0);
    screen_free(screen);
}

static void ctrl_c_stops_cleanly_and_resume_goes_on(void **state)
{
    struct scene *s = *state;

    scene_hold(s, "copy");
    struct screen *screen =
        screen_start(s, SCREEN_LOW, 200, "alter", "items", "ADD COLUMN c int", NULL);
    screen_await_last(screen, "items  step 4/9 copy");
    screen_type(screen, "\003");
    screen_await(screen, "stopping cleanly");
    scene_release(s, "copy");
    assert_int_equal(screen_end(screen), 6);
    assert_non_null(strstr(screen_text(screen), "osc resume 1"));
    assert_non_null(strstr(screen_text(screen), "osc abort 1"));
    assert_clean(screen_text(screen));
    screen_free(screen);

    struct outcome status = scene_osc(s, "status", NULL);
    assert_non_null(strstr(status.out, "stopped"));
    assert_non_null(strstr(status.out, "next: osc resume 1 | osc abort 1"));
    assert_exit(status, 0);
    assert_exit(scene_osc(s, "resume", NULL), 0);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM items WHERE c IS NULL"), 50);
}

static void ctrl_c_twice_stops_at_once(void **state)
{
    struct scene *s = *state;

    scene_hold(s, "copy");
    struct screen *screen =
        screen_start(s, SCREEN_LOW, 200, "alter", "items", "ADD COLUMN c int", NULL);
    screen_await_last(screen, "items  step 4/9 copy");
    screen_type(screen, "\003");
    screen_await(screen, "stopping cleanly");
    screen_type(screen, "\003");
    assert_int_equal(screen_end(screen), 6);
    assert_non_null(strstr(screen_text(screen), "osc status says what is left"));
    screen_free(screen);
    scene_release(s, "copy");
    assert_exit(scene_osc(s, "abort", NULL), 0);
    assert_nothing_left(s, false);
}

static void a_quiet_run_says_only_the_result(void **state)
{
    struct scene *s = *state;
    struct screen *screen =
        screen_start(s, SCREEN_LOW, 100, "alter", "items", "ADD COLUMN c int", "--quiet", NULL);

    assert_int_equal(screen_end(screen), 0);
    assert_true(strncmp(screen_text(screen), "items: migrated in ", 19) == 0);
    screen_free(screen);
}

/* Each line an object with an event; returns how many, the last one in *last. */
static size_t read_events(const char *lines, json_t **last)
{
    size_t n = 0;

    *last = NULL;
    for (const char *line = lines; *line; line += strcspn(line, "\n") + 1, n++) {
        json_decref(*last);
        *last = json_loadb(line, strcspn(line, "\n"), 0, NULL);
        assert_non_null(json_string_value(json_object_get(*last, "event")));
    }
    return n;
}

static void a_program_reads_one_event_per_line(void **state)
{
    struct scene *s = *state;
    json_t *last = NULL;

    scene_hold(s, "copy");
    const pid_t pid = scene_start(s, "alter", "items", "ADD COLUMN c int", "--json", NULL);
    scene_await(s, "copy");
    /* Long enough for the reporter to look. */
    const struct deadline until = deadline_in_ms(600);
    while (!deadline_passed(&until))
        (void)poll(NULL, 0, 20);
    scene_release(s, "copy");
    struct outcome outcome = scene_wait(s, pid);
    assert_true(read_events(outcome.out, &last) >= 2);
    assert_string_equal(json_string_value(json_object_get(last, "event")), "done");
    assert_string_equal(json_string_value(json_object_get(last, "retired")), "items_osc_old");
    assert_int_equal(json_integer_value(json_object_get(last, "id")), 1);
    json_decref(last);
    assert_exit(outcome, 0);
}

static void a_program_reads_why_it_failed(void **state)
{
    struct scene *s = *state;
    json_t *last = NULL;
    struct outcome outcome = scene_osc(s, "alter", "nowhere", "ADD COLUMN c int", "--json", NULL);

    assert_int_equal(read_events(outcome.out, &last), 1);
    assert_string_equal(json_string_value(json_object_get(last, "event")), "failed");
    assert_int_equal(json_integer_value(json_object_get(last, "exit_code")), 3);
    json_decref(last);
    assert_exit(outcome, 3);
}

static void history_and_status_agree_with_what_happened(void **state)
{
    struct scene *s = *state;
    json_t *answer = NULL;

    assert_exit(scene_osc(s, "alter", "items", "ADD COLUMN c int", NULL), 0);
    struct outcome outcome = scene_osc(s, "status", "--json", NULL);
    answer = json_loads(outcome.out, 0, NULL);
    json_t *first = json_array_get(json_object_get(answer, "migrations"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "state")), "swapped");
    assert_string_equal(json_string_value(json_object_get(first, "table")), "items");
    json_decref(answer);
    assert_exit(outcome, 0);

    assert_exit(scene_osc(s, "finish", "1", NULL), 0);
    outcome = scene_osc(s, "status", NULL);
    assert_non_null(strstr(outcome.out, "No migration is under way"));
    assert_exit(outcome, 0);
    outcome = scene_osc(s, "history", NULL);
    assert_non_null(strstr(outcome.out, "done"));
    assert_non_null(strstr(outcome.out, "ADD COLUMN c int"));
    assert_exit(outcome, 0);
}

static void a_plan_changes_nothing(void **state)
{
    struct scene *s = *state;
    struct outcome outcome = scene_osc(s, "plan", "items", "ADD COLUMN c int", NULL);

    assert_non_null(strstr(outcome.out, "items_osc_new"));
    assert_non_null(strstr(outcome.out, "-- cutover"));
    assert_exit(outcome, 0);
    assert_nothing_left(s, false);
    assert_exit(scene_osc(s, "alter", "items", "ADD COLUMN c int", "--dry-run", NULL), 0);
    assert_nothing_left(s, false);
}

static void verify_compares_two_tables(void **state)
{
    struct scene *s = *state;

    scene_sql(s, "CREATE TABLE twin (id bigint PRIMARY KEY, name varchar(50))");
    scene_sql(s, "INSERT INTO twin SELECT id, name FROM items");
    assert_exit(scene_osc(s, "verify", "items", "twin", NULL), 0);
    scene_sql(s, "UPDATE twin SET name = 'other' WHERE id = 7");
    struct outcome outcome = scene_osc(s, "verify", "items", "twin", "--json", NULL);
    assert_non_null(strstr(outcome.out, "id=7"));
    assert_exit(outcome, 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)
    const struct CMUnitTest tests[] = {
        TEST(the_progress_line_stands_below_the_log),
        TEST(a_bar_for_each_step_stands_below_the_log),
        TEST(a_narrow_terminal_is_not_overrun),
        TEST(ctrl_c_stops_cleanly_and_resume_goes_on),
        TEST(ctrl_c_twice_stops_at_once),
        TEST(a_quiet_run_says_only_the_result),
        TEST(a_program_reads_one_event_per_line),
        TEST(a_program_reads_why_it_failed),
        TEST(history_and_status_agree_with_what_happened),
        TEST(a_plan_changes_nothing),
        TEST(verify_compares_two_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
