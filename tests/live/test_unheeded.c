/*
 * Orders that a run cannot heed, or not now: it sleeps, it waits for somebody, its
 * row is gone or holds nonsense.  Who gave the order is told, and nothing is lost.
 */
#include "tests/unit/unit.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/support/scene.h"

enum { ROWS = 20, INTERRUPTED = 6 };

static int open_scene(void **state)
{
    struct scene *s = scene_open("unheeded");

    scene_sql(s, "CREATE TABLE t (id int PRIMARY KEY, v int NOT NULL)");
    for (int i = 1; i <= ROWS; i++)
        scene_sql(s, "INSERT INTO t VALUES (%d, %d)", i, i);
    *state = s;
    return 0;
}

static int close_scene(void **state)
{
    (void)unsetenv("OSC_TUNE_HEARING_MS");
    (void)unsetenv("OSC_TUNE_ANSWER_MS");
    (void)unsetenv("OSC_TUNE_BEAT_MS");
    scene_close(*state);
    return 0;
}

static pid_t begin(struct scene *s, const char *moment)
{
    scene_hold(s, moment);
    const pid_t run = scene_start(s, "alter", "t", "ADD COLUMN c int", "--after=drop", NULL);
    scene_await(s, moment);
    return run;
}

static void assert_migrated(struct scene *s, pid_t run)
{
    assert_exit(scene_wait(s, run), 0);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t WHERE c IS NULL"), ROWS);
    assert_nothing_left(s, false);
}

static void assert_untouched(struct scene *s)
{
    assert_nothing_left(s, false);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t"), ROWS);
    assert_false(scene_try_sql(s, "SELECT c FROM t"));
}

static void assert_prints(struct outcome outcome, const char *words)
{
    if (outcome.status != 0 || !strstr(outcome.out, words))
        fail_msg("osc ended with %d, or did not print \"%s\":\n%s%s", outcome.status, words,
                 outcome.out, outcome.err);
    outcome_free(&outcome);
}

static void a_run_that_sleeps_hears_it_later(void **state)
{
    struct scene *s = *state;
    const pid_t run = begin(s, "before-indexes");

    assert_int_equal(kill(run, SIGSTOP), 0);
    (void)setenv("OSC_TUNE_HEARING_MS", "300", 1);
    assert_prints(scene_osc(s, "pause", "t", NULL), "the run has not heeded it within");
    (void)unsetenv("OSC_TUNE_HEARING_MS");
    const pid_t pause = scene_start(s, "pause", "t", NULL);
    scene_await_some(s, "SELECT COUNT(*) FROM osc_state WHERE orders >= 2");
    assert_int_equal(kill(pause, SIGINT), 0);
    assert_exit(scene_wait(s, pause), INTERRUPTED);
    assert_int_equal(kill(run, SIGCONT), 0);
    assert_prints(scene_osc(s, "pause", "t", NULL), "an index build that runs cannot rest");
    assert_prints(scene_osc(s, "unpause", "t", NULL), "heeded");
    scene_release(s, "before-indexes");
    assert_migrated(s, run);
}

static void a_migration_may_be_gone_before_it_hears(void **state)
{
    struct scene *s = *state;
    const pid_t run = begin(s, "before-indexes");

    assert_int_equal(kill(run, SIGSTOP), 0);
    const pid_t pause = scene_start(s, "pause", "t", NULL);
    scene_await_some(s, "SELECT COUNT(*) FROM osc_state WHERE paused <> ''");
    scene_sql(s, "DELETE FROM osc_state");
    assert_says(scene_wait(s, pause), 2, "migration 1 was aborted meanwhile");
    assert_int_equal(kill(run, SIGCONT), 0);
    scene_release(s, "before-indexes");
    assert_says(scene_wait(s, run), 1, "migration 1 was deleted from");
    assert_exit(scene_osc(s, "abort", "t", NULL), 0);
    assert_untouched(s);
}

/* The keeper looks once, at the begin: it is the main thread that reads the nonsense. */
static void nonsense_in_the_row_stops_nobody(void **state)
{
    struct scene *s = *state;

    (void)setenv("OSC_TUNE_BEAT_MS", "600000", 1);
    const pid_t run = begin(s, "copy");
    scene_sql(s, "UPDATE osc_state SET options = 'nonsense', orders = orders + 1");
    scene_release(s, "copy");
    struct outcome outcome = scene_wait(s, run);
    assert_non_null(strstr(outcome.err, "orders not understood"));
    assert_exit(outcome, 0);
    assert_nothing_left(s, false);
}

static void an_order_without_sense_is_refused(void **state)
{
    struct scene *s = *state;
    const pid_t run = begin(s, "copy");

    assert_says(scene_osc(s, "set", "1", "time-zone=Nowhere/Land", NULL), 2, "Nowhere/Land");
    scene_release(s, "copy");
    assert_migrated(s, run);
}

static void an_abort_that_waits_says_so(void **state)
{
    struct scene *s = *state;
    const pid_t run = begin(s, "before-indexes");

    (void)setenv("OSC_TUNE_ANSWER_MS", "600", 1);
    assert_says(scene_osc(s, "abort", "t", NULL), 1, "the running process has not answered yet");
    scene_release(s, "before-indexes");
    assert_says(scene_wait(s, run), INTERRUPTED, "aborted by an operator");
    assert_untouched(s);
}

static void an_abort_that_fails_is_told_to_both(void **state)
{
    struct scene *s = *state;
    const pid_t run = begin(s, "verify");
    const pid_t abort = scene_start(s, "abort", "t", NULL);

    scene_await_some(s, "SELECT COUNT(*) FROM osc_state WHERE wish = 'abort'");
    scene_sql(s, "DROP TABLE t_osc_new");
    scene_sql(s, "CREATE TABLE t_osc_new (id int PRIMARY KEY, precious int)");
    scene_release(s, "verify");
    assert_says(scene_wait(s, run), 3, "is not the table");
    assert_says(scene_wait(s, abort), 1, "is not the table");
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t_osc_new WHERE precious = 1"), 0);
    scene_sql(s, "DROP TABLE t_osc_new");
    assert_exit(scene_osc(s, "abort", "t", NULL), 0);
    assert_untouched(s);
}

/* Told to wait when an attempt to swap has failed already: somebody has a write open. */
static void a_pause_between_two_attempts_is_heeded(void **state)
{
    struct scene *s = *state;
    struct error err = ERROR_INIT;
    struct db *writer = db_open(&s->parsed, "writer", &err);
    const char *update = arena_printf(s->arena, "UPDATE %s.t SET v = 5 WHERE id = 5", s->schema);
    const pid_t run = begin(s, "before-lock");

    if (!writer || !db_begin(writer, &err) || !db_exec(writer, update, NULL, &err))
        fail_msg("%s", err.text);
    scene_sql(s, "UPDATE osc_state SET paused = 'me', orders = orders + 1");
    scene_release(s, "before-lock");
    scene_await_some(s, "SELECT COUNT(*) FROM osc_state WHERE progress LIKE '%\"is_at_rest\":1%'");
    if (!db_commit(writer, &err))
        fail_msg("%s", err.text);
    db_close(writer);
    assert_prints(scene_osc(s, "unpause", "t", NULL), "heeded");
    assert_migrated(s, run);
}

/* Whoever cannot read whether the other run lives does not take its place. */
static void a_lost_connection_relieves_nobody(void **state)
{
    struct scene *s = *state;
    const pid_t run = begin(s, "before-indexes");
    char fault[20];

    s->fault = "c:0";
    assert_exit(scene_osc(s, "resume", "t", NULL), 3);
    (void)snprintf(fault, sizeof fault, "b:%u", scene_calls(s) - 3); /* of its looks, the last */
    s->fault = fault;
    assert_says(scene_osc(s, "resume", "t", NULL), 1, "osc resume 1 tries again");
    s->fault = NULL;
    scene_release(s, "before-indexes");
    assert_migrated(s, run);
}

/* ---- ^C ---- */

static void an_index_build_is_interrupted(void **state)
{
    struct scene *s = *state;
    struct error err = ERROR_INIT;
    struct db *reader = db_open(&s->parsed, "reader", &err);

    assert_non_null(reader);
    scene_sql(s, "CREATE INDEX t_v ON t (v)");
    const pid_t run = begin(s, "before-indexes");
    if (!db_begin(reader, &err) ||
        !db_exec(reader, arena_printf(s->arena, "DELETE FROM %s.t_osc_new WHERE v = 0", s->schema),
                 NULL, &err))
        fail_msg("%s", err.text);
    scene_release(s, "before-indexes");
    scene_await_some(s, s->is_postgres ? "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = "
                                         "current_database() AND wait_event_type = 'Lock'"
                                       : scene_waits(s));
    assert_int_equal(kill(run, SIGINT), 0);
    assert_says(scene_wait(s, run), INTERRUPTED, "osc resume 1");
    db_rollback(reader);
    db_close(reader);
    assert_exit(scene_osc(s, "resume", NULL), 0);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t WHERE c IS NULL"), ROWS);
    assert_nothing_left(s, false);
}

static void a_wait_for_a_hook_is_interrupted(void **state)
{
    struct scene *s = *state;
    const char *hook = arena_printf(s->arena, "%s/hooks/before-cutover", s->directory);

    assert_int_equal(mkdir(arena_printf(s->arena, "%s/hooks", s->directory), 0755), 0);
    FILE *file = fopen(hook, "w");
    assert_non_null(file);
    assert_true(fputs("#!/bin/sh\nexit 75\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(hook, 0755), 0);
    scene_hold(s, "cutover");
    const pid_t run =
        scene_start(s, "alter", "t", "ADD COLUMN c int", "--hooks",
                    arena_printf(s->arena, "%s/hooks", s->directory), "--after=drop", NULL);
    scene_await(s, "cutover");
    scene_release(s, "cutover");
    scene_await_some(s, "SELECT COUNT(*) FROM osc_state WHERE progress LIKE '%\"rests\":7%'");
    assert_int_equal(kill(run, SIGINT), 0);
    assert_says(scene_wait(s, run), INTERRUPTED, "osc resume 1");
    assert_exit(scene_osc(s, "resume", "--hooks=none", NULL), 0);
    assert_int_equal(system(arena_printf(s->arena, "rm -r '%s/hooks'", s->directory)), 0);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t WHERE c IS NULL"), ROWS);
    assert_nothing_left(s, false);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_run_that_sleeps_hears_it_later),    TEST(a_migration_may_be_gone_before_it_hears),
        TEST(nonsense_in_the_row_stops_nobody),    TEST(an_abort_that_waits_says_so),
        TEST(an_abort_that_fails_is_told_to_both), TEST(an_index_build_is_interrupted),
        TEST(a_wait_for_a_hook_is_interrupted),    TEST(a_pause_between_two_attempts_is_heeded),
        TEST(a_lost_connection_relieves_nobody),   TEST(an_order_without_sense_is_refused),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
