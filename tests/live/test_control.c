/*
 * Operators: pause, unpause, cutover, set from another process while a
 * migration runs; the hours in which it may work and swap, with a clock that the
 * test moves.
 */
#include "tests/unit/unit.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "osc/base/clock.h"
#include "tests/support/scene.h"

enum { ROWS = 400, OPERATORS = 6 };

static int open_scene(void **state)
{
    struct scene *s = scene_open("control");
    AUTO(text) rows = TEXT_INIT;

    scene_sql(s, "CREATE TABLE t (id int PRIMARY KEY, v int NOT NULL, pad varchar(300))");
    for (int i = 1; i <= ROWS; i++)
        text_printf(&rows, "%s(%d, %d, '%0300d')", i > 1 ? ", " : "", i, i, i);
    /* positions: keys, or pages */
    assert_int_equal(setenv("OSC_TUNE_BEAT_MS", "100", 1), 0);
    assert_int_equal(setenv("OSC_TUNE_CHUNK", s->is_postgres ? "2" : "20", 1), 0);
    scene_sql(s, "INSERT INTO t VALUES %s", rows.bytes);
    *state = s;
    return 0;
}

static int close_scene(void **state)
{
    scene_close(*state);
    return 0;
}

static pid_t start(struct scene *s, const char *option)
{
    return scene_start(s, "alter", "t", "ADD COLUMN c int", "--threads=1", option, NULL);
}

static void pause_ms(long ms)
{
    const struct timespec pause = {.tv_nsec = ms * 1000000};

    (void)nanosleep(&pause, NULL);
}

/* Until osc status says it. */
static void await_status(struct scene *s, const char *words)
{
    const struct deadline until = deadline_in_ms(60000);

    for (;;) {
        struct outcome status = scene_osc(s, "status", "1", NULL);
        const bool is_said = status.status == 0 && strstr(status.out, words);
        if (!is_said && deadline_passed(&until))
            fail_msg("osc status does not say \"%s\":\n%s%s", words, status.out, status.err);
        outcome_free(&status);
        if (is_said)
            return;
        pause_ms(20);
    }
}

/* Gives the order and answers how long the run took to hear of it. */
static uint64_t tell(struct scene *s, const char *command)
{
    struct outcome outcome = scene_osc(s, command, "1", "--json", NULL);
    json_t *answer = json_loads(outcome.out, 0, NULL);

    if (!json_is_true(json_object_get(answer, "heeded")))
        fail_msg("osc %s was not heeded: %s%s", command, outcome.out, outcome.err);
    const json_int_t ms = json_integer_value(json_object_get(answer, "milliseconds"));
    json_decref(answer);
    assert_exit(outcome, 0);
    return (uint64_t)ms;
}

static void move_clock(struct scene *s, int64_t now)
{
    char path[300], fresh[300];

    (void)snprintf(path, sizeof path, "%s/clock", s->directory);
    (void)snprintf(fresh, sizeof fresh, "%s/clock.new", s->directory);
    FILE *file = fopen(fresh, "w");
    assert_non_null(file);
    (void)fprintf(file, "%lld\n", (long long)now);
    (void)fclose(file);
    assert_int_equal(rename(fresh, path), 0);
}

static void assert_migrated(struct scene *s, pid_t osc, unsigned rows)
{
    assert_exit(scene_wait(s, osc), 0);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t WHERE c IS NULL"), rows);
}

static bool has_swapped(struct scene *s)
{
    return scene_number(s, "SELECT COUNT(*) FROM osc_state WHERE step = 'finish'");
}

/* ---- pause ---- */

static void a_pause_is_heeded_in_every_step(void **state)
{
    static const struct {
        const char *name;
        bool can_rest; /* before it does anything; otherwise before the next that can */
    } steps[] = {
        {"shadow",   false},
        {"capture",  true },
        {"copy",     true },
        {"indexes",  true },
        {"catch-up", false},
        {"verify",   true },
        {"cutover",  true },
    };
    struct scene *s = *state;
    uint64_t slowest = 0;

    assert_int_equal(unsetenv("OSC_TUNE_BEAT_MS"), 0); /* as it is */
    scene_hold(s, steps[0].name);
    const pid_t osc = start(s, "--verify=full");
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        scene_await(s, steps[i].name);
        const uint64_t ms = tell(s, "pause");
        slowest = ms > slowest ? ms : slowest;
        await_status(s, "paused by");
        scene_hold(s, "at-rest");
        if (i + 1 < ARRAY_SIZE(steps))
            scene_hold(s, steps[i + 1].name);
        scene_release(s, steps[i].name);
        scene_await(s, steps[i].can_rest ? "at-rest" : steps[i + 1].name);
        scene_release(s, "at-rest");
        assert_false(has_swapped(s));
        (void)tell(s, "unpause");
    }
    printf("slowest reaction to a pause: %d ms\n", (int)slowest);
    assert_true(slowest < 2000);
    assert_migrated(s, osc, ROWS);
}

static uint64_t copied(struct scene *s)
{
    return scene_number(s, "SELECT COUNT(*) FROM t_osc_new");
}

static void a_paused_copy_rests_and_writes_are_kept(void **state)
{
    struct scene *s = *state;

    scene_hold(s, "chunk-committed");
    const pid_t osc = start(s, "--chunk-time=10ms");
    scene_await(s, "chunk-committed");
    (void)tell(s, "pause");
    scene_release(s, "chunk-committed");
    await_status(s, "osc unpause 1");
    const uint64_t before = copied(s);
    assert_true(before > 0 && before < ROWS);
    scene_sql(s, "INSERT INTO t (id, v) VALUES (%d, 1)", ROWS + 1);
    pause_ms(600);
    assert_true(copied(s) <= before + 1); /* what is replayed */
    (void)tell(s, "unpause");
    assert_migrated(s, osc, ROWS + 1);
}

static void a_killed_migration_is_still_paused(void **state)
{
    struct scene *s = *state;

    scene_hold(s, "chunk-committed");
    pid_t osc = start(s, "--chunk-time=10ms");
    scene_await(s, "chunk-committed");
    (void)tell(s, "pause");
    (void)kill(osc, SIGKILL);
    assert_exit(scene_wait(s, osc), 128 + SIGKILL);
    scene_release(s, "chunk-committed");
    scene_hold(s, "at-rest");
    osc = scene_start(s, "resume", "1", NULL);
    scene_await(s, "at-rest");
    scene_release(s, "at-rest");
    await_status(s, "paused by");
    (void)tell(s, "unpause");
    assert_migrated(s, osc, ROWS);
}

static void a_stopped_migration_can_be_told_beforehand(void **state)
{
    struct scene *s = *state;

    scene_kill_at(s, "copy");
    assert_exit(scene_osc(s, "alter", "t", "ADD COLUMN c int", NULL), 128 + SIGKILL);
    scene_release(s, "copy");
    scene_sql(s, "UPDATE osc_state SET status = 'failed'");
    struct outcome outcome = scene_osc(s, "pause", NULL);
    assert_non_null(strstr(outcome.out, "nothing runs now"));
    assert_exit(outcome, 0);
    await_status(s, "it rests after osc resume until osc unpause 1");
    assert_exit(scene_osc(s, "unpause", NULL), 0);
    assert_exit(scene_osc(s, "resume", NULL), 0);
    assert_says(scene_osc(s, "pause", "1", NULL), 2, "has swapped already");
}

/* ---- the swap ---- */

static void a_manual_cutover_waits_for_the_word(void **state)
{
    struct scene *s = *state;

    const pid_t osc = start(s, "--cutover=manual");
    await_status(s, "it waits for osc cutover");
    scene_sql(s, "INSERT INTO t (id, v) VALUES (%d, 7)", ROWS + 1);
    scene_await_some(s, "SELECT COUNT(*) FROM t_osc_new WHERE v = 7 AND id > 400");
    assert_false(has_swapped(s));
    (void)tell(s, "cutover");
    assert_migrated(s, osc, ROWS + 1);
}

static void the_word_may_be_taken_back(void **state)
{
    struct scene *s = *state;

    scene_hold(s, "verify");
    const pid_t osc = start(s, "--cutover=manual");
    scene_await(s, "verify");
    (void)tell(s, "cutover");
    assert_exit(scene_osc(s, "set", "cutover=manual", NULL), 0);
    scene_release(s, "verify");
    await_status(s, "it waits for osc cutover");
    assert_exit(scene_osc(s, "set", "1", "cutover=auto", NULL), 0);
    assert_migrated(s, osc, ROWS);
}

static void a_flag_file_postpones_the_swap(void **state)
{
    struct scene *s = *state;
    char path[300], option[400];

    (void)snprintf(path, sizeof path, "%s/not yet", s->directory);
    (void)snprintf(option, sizeof option, "--postpone-flag-file=%s", path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fclose(file);
    const pid_t osc = start(s, option);
    await_status(s, "it waits as long as");
    assert_false(has_swapped(s));
    assert_int_equal(unlink(path), 0);
    assert_migrated(s, osc, ROWS);
}

static void a_pause_stands_above_the_word(void **state)
{
    struct scene *s = *state;

    const pid_t osc = start(s, "--cutover=manual");
    await_status(s, "it waits for osc cutover");
    (void)tell(s, "pause");
    struct outcome outcome = scene_osc(s, "cutover", NULL);
    assert_non_null(strstr(outcome.out, "osc unpause 1 first"));
    assert_exit(outcome, 0);
    assert_false(has_swapped(s));
    (void)tell(s, "unpause");
    assert_migrated(s, osc, ROWS);
}

/* ---- several operators ---- */

static void operators_at_once_do_no_harm(void **state)
{
    static const char *const commands[OPERATORS][2] = {
        {"set",     "chunk-time=77ms"    },
        {"set",     "lock-timeout=333ms" },
        {"set",     "cutover-timeout=99s"},
        {"set",     "window=Mon-Sun"     },
        {"pause",   "1"                  },
        {"cutover", "1"                  },
    };
    struct scene *s = *state;
    pid_t operators[OPERATORS];

    scene_hold(s, "copy");
    const pid_t osc = start(s, "--cutover=manual");
    scene_await(s, "copy");
    for (size_t i = 0; i < OPERATORS; i++)
        operators[i] = scene_start(s, commands[i][0], commands[i][1], NULL);
    for (size_t i = 0; i < OPERATORS; i++)
        assert_exit(scene_wait(s, operators[i]), 0);
    const char *options = scene_value(s, "SELECT options FROM osc_state");
    assert_non_null(strstr(options, "77ms"));
    assert_non_null(strstr(options, "333ms"));
    assert_non_null(strstr(options, "99s"));
    assert_non_null(strstr(options, "Mon-Sun"));
    assert_int_equal(scene_number(s, "SELECT orders FROM osc_state"), OPERATORS);
    scene_release(s, "copy");
    (void)tell(s, "unpause");
    assert_migrated(s, osc, ROWS);
}

static void nonsense_changes_nothing(void **state)
{
    struct scene *s = *state;

    scene_hold(s, "copy");
    const pid_t osc = start(s, "--cutover=auto");
    scene_await(s, "copy");
    const char *before = scene_value(s, "SELECT options FROM osc_state");
    assert_says(scene_osc(s, "set", "window=Mon 25:00-26:00", NULL), 2, "22:00-06:00");
    assert_says(scene_osc(s, "set", "chunk-time=77ms", "treads=2", NULL), 2, "treads");
    assert_says(scene_osc(s, "set", "strategy=copy", NULL), 2, "cannot be changed");
    assert_says(scene_osc(s, "set", "time-zone=Nowhere/Else", NULL), 2, "no time zone");
    assert_says(scene_osc(s, "pause", "17", NULL), 2, "no migration 17");
    assert_string_equal(scene_value(s, "SELECT options FROM osc_state"), before);
    scene_release(s, "copy");
    assert_migrated(s, osc, ROWS);
}

/* ---- looking on ---- */

/* A line of shell, and what it prints. */
PRINTF(2, 3)
static const char *shell(struct scene *s, const char *format, ...)
{
    char *command = NULL, bytes[8192];
    va_list args;

    va_start(args, format);
    assert_true(vasprintf(&command, format, args) > 0);
    va_end(args);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    const size_t length = fread(bytes, 1, sizeof bytes, pipe);
    (void)pclose(pipe);
    free(command);
    return arena_copy(s->arena, bytes, length);
}

/* What stands on the terminal, once these words do. */
static const char *await_pane(struct scene *s, const char *words)
{
    const struct deadline until = deadline_in_ms(60000);

    for (;;) {
        const char *pane = shell(s, "tmux -S %s/tmux capture-pane -p 2>&1", s->directory);
        if (strstr(pane, words))
            return pane;
        if (deadline_passed(&until))
            fail_msg("\"%s\" does not stand on the terminal:\n%s", words, pane);
        pause_ms(50);
    }
}

static void a_terminal_shows_what_runs_and_draws_over_it(void **state)
{
    struct scene *s = *state;

    scene_hold(s, "chunk-committed");
    const pid_t osc = start(s, "--chunk-time=10ms");
    scene_await(s, "chunk-committed");
    (void)shell(s,
                "LC_ALL=C.UTF-8 tmux -u -S %s/tmux -f /dev/null new-session -d -x 90 -y 40 "
                "\"%s status --watch --dsn '%s'; sleep 60\"",
                s->directory, getenv("OSC_BINARY"), s->dsn);
    (void)await_pane(s, "▶ copy");
    (void)tell(s, "pause");
    const char *pane = await_pane(s, "paused by");
    assert_non_null(strstr(pane, "✓ capture"));
    assert_non_null(strstr(pane, "osc unpause 1"));
    assert_null(strstr(strstr(pane, "migration 1") + 1, "migration 1")); /* drawn over */
    scene_release(s, "chunk-committed");
    (void)tell(s, "unpause");
    assert_migrated(s, osc, ROWS);
    pane = await_pane(s, "swapped");
    assert_null(strstr(strstr(pane, "migration 1") + 1, "migration 1"));
    assert_non_null(strstr(pane, "osc finish 1"));
    (void)shell(s, "tmux -S %s/tmux kill-server", s->directory);
}

static void without_a_terminal_there_are_plain_lines(void **state)
{
    struct scene *s = *state;

    scene_hold(s, "copy");
    const pid_t osc = start(s, "--cutover=manual");
    scene_await(s, "copy");
    assert_int_equal(setenv("OSC_TUNE_LINE_MS", "200", 1), 0);
    s->fault = "b:40"; /* a look that fails is not the last one */
    const pid_t watch = scene_start(s, "status", "--watch", NULL);
    s->fault = NULL;
    scene_release(s, "copy");
    await_status(s, "it waits for osc cutover");
    pause_ms(600);
    (void)tell(s, "cutover");
    assert_migrated(s, osc, ROWS);
    struct outcome outcome = scene_wait(s, watch);
    assert_non_null(strstr(outcome.out, "1 running t  step 8/9 cutover  waits for osc cutover\n"));
    assert_null(strstr(outcome.out, "\033"));
    assert_exit(outcome, 0);
    assert_int_equal(unsetenv("OSC_TUNE_LINE_MS"), 0);
}

/* ---- hours ---- */

/* 2025-11-24 was a Monday; Berlin is an hour ahead. */
enum { MONDAY_NOON_UTC = 1763985600, HOUR = 3600 };

static void outside_its_window_the_copy_rests(void **state)
{
    struct scene *s = *state;

    assert_int_equal(setenv("OSC_TIME_ZONE", "Europe/Berlin", 1), 0);
    move_clock(s, MONDAY_NOON_UTC);
    scene_hold(s, "chunk-committed");
    const pid_t osc = start(s, "--window=Mon-Fri 22:00-06:00, Sat-Sun");
    await_status(s, "until 2025-11-24 22:00 Europe/Berlin (in 9 h");
    move_clock(s, MONDAY_NOON_UTC + 10 * HOUR);
    scene_await(s, "chunk-committed");
    move_clock(s, MONDAY_NOON_UTC + 18 * HOUR);
    await_status(s, "until 2025-11-25 22:00 Europe/Berlin");
    scene_release(s, "chunk-committed");
    scene_sql(s, "INSERT INTO t (id, v) VALUES (%d, 7)", ROWS + 1);
    pause_ms(300);
    assert_true(copied(s) < ROWS);
    move_clock(s, MONDAY_NOON_UTC + 34 * HOUR);
    assert_migrated(s, osc, ROWS + 1);
    assert_int_equal(unsetenv("OSC_TIME_ZONE"), 0);
}

static void the_swap_has_hours_of_its_own(void **state)
{
    struct scene *s = *state;

    assert_int_equal(setenv("OSC_TIME_ZONE", "UTC", 1), 0);
    move_clock(s, MONDAY_NOON_UTC);
    pid_t osc = start(s, "--cutover-window=04:00-04:01");
    await_status(s, "until 2025-11-25 04:00 UTC");
    assert_false(has_swapped(s));
    move_clock(s, MONDAY_NOON_UTC + 16 * HOUR + 59);
    assert_migrated(s, osc, ROWS);
    scene_sql(s, "DROP TABLE t_osc_old");
    assert_exit(scene_osc(s, "finish", NULL), 0);

    move_clock(s, MONDAY_NOON_UTC);
    osc = scene_start(s, "alter", "t", "ADD COLUMN d int", "--cutover=at=11:59", NULL);
    scene_await_some(s, "SELECT COUNT(*) FROM osc_state WHERE id = 2 AND step = 'cutover'");
    move_clock(s, MONDAY_NOON_UTC + 23 * HOUR);
    pause_ms(400);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM osc_state WHERE step = 'cutover'"), 1);
    move_clock(s, MONDAY_NOON_UTC + 24 * HOUR);
    assert_migrated(s, osc, ROWS);
    assert_int_equal(unsetenv("OSC_TIME_ZONE"), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)
    const struct CMUnitTest tests[] = {
        TEST(a_pause_is_heeded_in_every_step),
        TEST(a_paused_copy_rests_and_writes_are_kept),
        TEST(a_killed_migration_is_still_paused),
        TEST(a_stopped_migration_can_be_told_beforehand),
        TEST(a_manual_cutover_waits_for_the_word),
        TEST(the_word_may_be_taken_back),
        TEST(a_flag_file_postpones_the_swap),
        TEST(a_pause_stands_above_the_word),
        TEST(operators_at_once_do_no_harm),
        TEST(nonsense_changes_nothing),
        TEST(a_terminal_shows_what_runs_and_draws_over_it),
        TEST(without_a_terminal_there_are_plain_lines),
        TEST(outside_its_window_the_copy_rests),
        TEST(the_swap_has_hours_of_its_own),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
