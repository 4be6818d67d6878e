/*
 * Hooks: each point of the story calls its program, outside of any transaction;
 * before-cutover decides whether there is a swap, and when.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "osc/base/clock.h"
#include "osc/db/server.h"
#include "tests/support/scene.h"

enum { ROWS = 200 };

static char directory[300];

static int open_scene(void **state)
{
    struct scene *s = scene_open("hooks");

    (void)snprintf(directory, sizeof directory, "%s/hooks", s->directory);
    assert_int_equal(mkdir(directory, 0755), 0);
    scene_sql(s, "CREATE TABLE t (id int PRIMARY KEY, v int NOT NULL)");
    for (int i = 1; i <= ROWS; i++)
        scene_sql(s, "INSERT INTO t VALUES (%d, %d)", i, i);
    *state = s;
    return 0;
}

static int close_scene(void **state)
{
    assert_int_equal(system(arena_printf(((struct scene *)*state)->arena, "rm -r %s", directory)),
                     0);
    scene_close(*state);
    return 0;
}

static const char *path_of(struct scene *s, const char *name)
{
    return arena_printf(s->arena, "%s/%s", directory, name);
}

static void hook(struct scene *s, const char *point, const char *script)
{
    FILE *file = fopen(path_of(s, point), "w");

    assert_non_null(file);
    assert_true(fprintf(file, "#!/bin/sh\n%s\n", script) > 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path_of(s, point), 0755), 0);
}

static const char *content_of(struct scene *s, const char *name)
{
    char *content = arena_alloc(s->arena, 20000);
    FILE *file = fopen(path_of(s, name), "r");

    if (!file)
        return "";
    content[fread(content, 1, 19999, file)] = '\0';
    assert_int_equal(fclose(file), 0);
    return content;
}

static void touch(struct scene *s, const char *name)
{
    FILE *file = fopen(path_of(s, name), "w");

    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
}

static void await_file(struct scene *s, const char *name)
{
    const struct deadline until = deadline_in_ms(60000);

    while (access(path_of(s, name), F_OK) != 0) {
        if (deadline_passed(&until))
            fail_msg("no hook wrote %s", name);
        assert_int_equal(usleep(10000), 0);
    }
}

/* Until osc status says so. */
static void await_status(struct scene *s, const char *words)
{
    const struct deadline until = deadline_in_ms(60000);

    for (bool said = false; !said;) {
        struct outcome outcome = scene_osc(s, "status", NULL);
        said = strstr(outcome.out, words) != NULL;
        if (!said && deadline_passed(&until))
            fail_msg("status does not say '%s' but: %s", words, outcome.out);
        outcome_free(&outcome);
    }
}

static void assert_migrated(struct scene *s)
{
    assert_int_equal(scene_number(s, "SELECT count(*) FROM t WHERE c IS NULL"),
                     scene_number(s, "SELECT count(*) FROM t"));
}

static void every_point_calls_its_hook_with_the_facts(void **state)
{
    static const char *const points[] = {"before-step",   "after-step", "before-cutover",
                                         "after-cutover", "failed",     "done"};
    static const char *const steps[] = {"shadow",   "capture", "copy",    "indexes",
                                        "catch-up", "verify",  "cutover", "finish"};
    struct scene *s = *state;
    AUTO(text) expected = TEXT_INIT;

    for (size_t i = 0; i < ARRAY_SIZE(points); i++)
        hook(s, points[i],
             "echo $OSC_HOOK_POINT $OSC_HOOK_STEP >>said; env >facts-$OSC_HOOK_POINT; exit 0");
    assert_exit(scene_osc(s, "alter", "t", "ADD c int", "--hooks", directory, NULL), 0);
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        text_printf(&expected, "before-step %s\n", steps[i]);
        if (strcmp(steps[i], "cutover") == 0)
            text_add(&expected, "before-cutover cutover\nafter-cutover cutover\n");
        text_printf(&expected, "after-step %s\n", steps[i]);
    }
    text_add(&expected, "done finish\n");
    assert_string_equal(content_of(s, "said"), expected.bytes);
    const char *facts = content_of(s, "facts-done");
    assert_non_null(strstr(facts, "OSC_HOOK_TABLE=t\n"));
    assert_non_null(strstr(facts, "OSC_HOOK_ALTER=ADD c int\n"));
    assert_non_null(strstr(facts, arena_printf(s->arena, "OSC_HOOK_SCHEMA=%s\n", s->schema)));
    assert_non_null(strstr(facts, arena_printf(s->arena, "OSC_HOOK_ROWS_COPIED=%d\n", ROWS)));
    assert_null(strstr(facts, "OSC_DSN"));
    if (s->parsed.password && *s->parsed.password)
        assert_null(strstr(facts, s->parsed.password));
    assert_migrated(s);
}

static void hooks_that_fail_change_nothing(void **state)
{
    struct scene *s = *state;

    hook(s, "before-step", "echo oh no >&2; exit 3");
    hook(s, "after-step", "sleep 60");
    hook(s, "done", "kill -9 $$");
    struct outcome outcome = scene_osc(s, "alter", "t", "ADD c int", "--hooks", directory,
                                       "--hook-timeout", "100ms", NULL);
    assert_non_null(strstr(outcome.err, "hook says hook=before-step line=\"oh no\""));
    assert_non_null(strstr(outcome.err, "warn: hook failed hook=before-step exit_code=3"));
    assert_non_null(
        strstr(outcome.err, "hook failed hook=after-step exit_code=143 because=\"it took"));
    assert_non_null(strstr(outcome.err, "hook failed hook=done exit_code=137"));
    assert_exit(outcome, 0);
    assert_migrated(s);
}

static void a_veto_is_obeyed_and_resume_asks_again(void **state)
{
    struct scene *s = *state;

    hook(s, "before-cutover", "test -e yes");
    hook(s, "failed", "echo \"$OSC_HOOK_EXIT_CODE $OSC_HOOK_ERROR\" >>failures");
    struct outcome outcome = scene_osc(s, "alter", "t", "ADD c int", "--hooks", directory, NULL);
    assert_non_null(strstr(outcome.err, "osc resume 1 asks it again"));
    assert_says(outcome, 6, "the hook before-cutover refuses the swap");
    assert_string_equal(content_of(s, "failures"),
                        "6 cutover: the hook before-cutover refuses the swap\n");
    scene_sql(s, "INSERT INTO t VALUES (1000, 1)");
    /* Remembered: nobody says --hooks again. */
    assert_says(scene_osc(s, "resume", NULL), 6, "refuses the swap");
    touch(s, "yes");
    assert_exit(scene_osc(s, "resume", NULL), 0);
    assert_migrated(s);
    assert_int_equal(scene_number(s, "SELECT count(*) FROM t"), ROWS + 1);
}

static void resume_may_do_without_hooks(void **state)
{
    struct scene *s = *state;

    hook(s, "before-cutover", "exit 1");
    assert_exit(scene_osc(s, "alter", "t", "ADD c int", "--hooks", directory, NULL), 6);
    assert_exit(scene_osc(s, "resume", "--hooks", "none", NULL), 0);
    assert_migrated(s);
}

static void not_now_waits_and_replay_goes_on(void **state)
{
    struct scene *s = *state;

    hook(s, "before-cutover", "test -e go && exit 0; touch asked; exit 75");
    assert_int_equal(setenv("OSC_TUNE_ASK_AGAIN_MS", "300", 1), 0);
    const pid_t osc = scene_start(s, "alter", "t", "ADD c int", "--hooks", directory, NULL);
    assert_int_equal(unsetenv("OSC_TUNE_ASK_AGAIN_MS"), 0);
    await_file(s, "asked");
    scene_sql(s, "INSERT INTO t VALUES (1000, 1)");
    scene_await_some(s, "SELECT count(*) FROM t_osc_new WHERE id = 1000");
    await_status(s, "the hook before-cutover says not now");
    touch(s, "go");
    assert_exit(scene_wait(s, osc), 0);
    assert_migrated(s);
    assert_int_equal(scene_number(s, "SELECT count(*) FROM t"), ROWS + 1);
}

static void an_abort_ends_the_wait_for_a_hook(void **state)
{
    struct scene *s = *state;

    hook(s, "before-cutover", "touch asked; sleep 100");
    const pid_t osc =
        scene_start(s, "alter", "t", "ADD c int", "--hooks", directory, "--hook-timeout=1h", NULL);
    await_file(s, "asked");
    assert_exit(scene_osc(s, "abort", NULL), 0);
    assert_says(scene_wait(s, osc), 6, "aborted by an operator");
    assert_nothing_left(s, false);
}

/* How many transactions are open in the scene's database. */
static const char *open_transactions(const struct scene *s)
{
    /* MySQL's list of InnoDB's fails while any session's statement has an emoji. */
    static const char mysql[] =
        "SELECT COUNT(*) FROM performance_schema.events_transactions_current e JOIN "
        "performance_schema.threads t ON t.THREAD_ID = e.THREAD_ID WHERE e.STATE = 'ACTIVE' AND "
        "e.AUTOCOMMIT = 'NO' AND t.PROCESSLIST_DB = DATABASE()";
    static const char mariadb[] = "SELECT COUNT(*) FROM information_schema.innodb_trx x JOIN "
                                  "information_schema.PROCESSLIST p "
                                  "ON p.ID = x.trx_mysql_thread_id WHERE p.DB = DATABASE()";

    return scene_pick(s,
                      "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() "
                      "AND state LIKE 'idle in transaction%'",
                      db_facts(s->db)->lists_processes_well ? mysql : mariadb);
}

/* Of what others see of osc, nothing is in a transaction while its hooks run. */
static void no_transaction_is_open_while_a_hook_runs(void **state)
{
    struct scene *s = *state;
    static const char *const points[] = {"before-step", "after-step", "after-cutover"};

    for (size_t i = 0; i < ARRAY_SIZE(points); i++)
        hook(s, points[i],
             "at=$OSC_HOOK_POINT-$OSC_HOOK_STEP; touch here-$at; until [ -e go-$at ]; do sleep "
             "0.02; done");
    const pid_t osc = scene_start(s, "alter", "t", "ADD c int", "--hooks", directory, NULL);
    static const char *const moments[] = {
        "before-step-shadow",  "after-step-shadow",     "before-step-capture",
        "after-step-capture",  "before-step-copy",      "after-step-copy",
        "before-step-indexes", "after-step-indexes",    "before-step-catch-up",
        "after-step-catch-up", "before-step-verify",    "after-step-verify",
        "before-step-cutover", "after-cutover-cutover", "after-step-cutover",
        "before-step-finish",  "after-step-finish",
    };
    for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
        await_file(s, arena_printf(s->arena, "here-%s", moments[i]));
        /* The heartbeat's own statement passes; whoever stays in a transaction is seen for long. */
        const struct deadline until = deadline_in_ms(20000);
        while (scene_number(s, "%s", open_transactions(s)) != 0) {
            if (deadline_passed(&until))
                fail_msg("a transaction is open at %s", moments[i]);
            /* Asked more often, InnoDB tells again what it told before. */
            assert_int_equal(usleep(150000), 0);
        }
        touch(s, arena_printf(s->arena, "go-%s", moments[i]));
    }
    assert_exit(scene_wait(s, osc), 0);
    assert_migrated(s);
}

static void a_throttle_that_lasts_is_told(void **state)
{
    struct scene *s = *state;

    hook(s, "throttled", "env >slow");
    hook(s, "unthrottled", "touch fast");
    scene_hold(s, "copy");
    scene_hold(s, "verify");
    assert_int_equal(setenv("OSC_TUNE_LASTING_MS", "300", 1), 0);
    const pid_t osc = scene_start(s, "alter", "t", "ADD c int", "--hooks", directory, NULL);
    assert_int_equal(unsetenv("OSC_TUNE_LASTING_MS"), 0);
    scene_await(s, "copy");
    assert_exit(scene_osc(s, "pause", NULL), 0);
    scene_release(s, "copy");
    await_file(s, "slow");
    assert_exit(scene_osc(s, "unpause", NULL), 0);
    scene_await(s, "verify");
    await_file(s, "fast");
    scene_release(s, "verify");
    assert_exit(scene_wait(s, osc), 0);
    assert_non_null(strstr(content_of(s, "slow"), "OSC_HOOK_THROTTLE=paused by an operator\n"));
    assert_non_null(strstr(content_of(s, "slow"), "OSC_HOOK_DUTY_PERCENT=0\n"));
    assert_migrated(s);
}

/* ---- hours and hooks together ---- */

/* 2025-11-24 was a Monday. */
enum { MONDAY_UTC = 1763942400, HOUR = 3600, DAY = 24 * HOUR };

static void it_is(struct scene *s, int64_t now)
{
    const char *clock = arena_printf(s->arena, "%s/clock", s->directory);
    const char *fresh = arena_printf(s->arena, "%s/clock.new", s->directory);
    FILE *file = fopen(fresh, "w");

    assert_non_null(file);
    assert_true(fprintf(file, "%lld\n", (long long)now) > 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(rename(fresh, clock), 0);
}

static pid_t start_by_the_hour(struct scene *s)
{
    assert_int_equal(setenv("OSC_TUNE_LASTING_MS", "300", 1), 0);
    assert_int_equal(setenv("OSC_TUNE_ASK_AGAIN_MS", "300", 1), 0);
    const pid_t osc =
        scene_start(s, "alter", "t", "ADD c int", "--hooks", directory, "--time-zone=UTC",
                    "--window=22:00-23:00", "--cutover-window=04:00-04:30", NULL);
    assert_int_equal(unsetenv("OSC_TUNE_LASTING_MS"), 0);
    assert_int_equal(unsetenv("OSC_TUNE_ASK_AGAIN_MS"), 0);
    return osc;
}

static void works_and_swaps_in_its_hours_and_tells_the_hooks(void **state)
{
    struct scene *s = *state;

    hook(s, "throttled", "echo $OSC_HOOK_THROTTLE >slow");
    hook(s, "unthrottled", "touch fast");
    hook(s, "before-cutover", "test -e yes && exit 0; touch asked; exit 75");
    it_is(s, MONDAY_UTC + 12 * HOUR);
    scene_hold(s, "copy");
    const pid_t osc = start_by_the_hour(s);
    await_status(s, "until 2025-11-24 22:00 UTC (in 10 h");
    it_is(s, MONDAY_UTC + 22 * HOUR);
    scene_await(s, "copy");
    it_is(s, MONDAY_UTC + 23 * HOUR); /* over before a row is copied */
    scene_release(s, "copy");
    await_status(s, "until 2025-11-25 22:00 UTC (in 23 h");
    await_file(s, "slow");
    assert_string_equal(content_of(s, "slow"), "outside the hours allowed\n");
    scene_sql(s, "INSERT INTO t VALUES (1000, 1)");
    assert_exit(scene_osc(s, "pause", NULL), 0);
    it_is(s, MONDAY_UTC + DAY + 22 * HOUR); /* a pause is above the hours */
    await_status(s, "paused by");
    assert_exit(scene_osc(s, "unpause", NULL), 0);
    await_status(s, "outside --cutover-window \"04:00-04:30\" until 2025-11-26 04:00 UTC (in 6 h");
    await_file(s, "fast");
    assert_int_equal(access(path_of(s, "asked"), F_OK), -1);
    it_is(s, MONDAY_UTC + 2 * DAY + 4 * HOUR);
    await_status(s, "the hook before-cutover says not now");
    assert_int_equal(scene_number(s, "SELECT count(*) FROM osc_state WHERE step = 'cutover'"), 1);
    touch(s, "yes");
    assert_exit(scene_wait(s, osc), 0);
    assert_migrated(s);
    assert_int_equal(scene_number(s, "SELECT count(*) FROM t"), ROWS + 1);
}

static void hooks_that_anybody_may_write_are_refused_before_anything_begins(void **state)
{
    struct scene *s = *state;

    hook(s, "done", "exit 0");
    assert_int_equal(chmod(path_of(s, "done"), 0777), 0);
    assert_says(scene_osc(s, "alter", "t", "ADD c int", "--hooks", directory, NULL), 3,
                "anybody may write");
    assert_nothing_left(s, false);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)
    const struct CMUnitTest tests[] = {
        TEST(every_point_calls_its_hook_with_the_facts),
        TEST(hooks_that_fail_change_nothing),
        TEST(a_veto_is_obeyed_and_resume_asks_again),
        TEST(resume_may_do_without_hooks),
        TEST(not_now_waits_and_replay_goes_on),
        TEST(an_abort_ends_the_wait_for_a_hook),
        TEST(no_transaction_is_open_while_a_hook_runs),
        TEST(a_throttle_that_lasts_is_told),
        TEST(works_and_swaps_in_its_hours_and_tells_the_hooks),
        TEST(hooks_that_anybody_may_write_are_refused_before_anything_begins),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
