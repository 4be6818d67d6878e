/*
 * What is asked of osc that makes no sense, or not now, is answered by words that
 * help; what it says of itself and of its migrations is there for people and programs.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <sys/wait.h>

#include "tests/support/scene.h"

static int open_scene(void **state)
{
    *state = scene_open("commands");
    return 0;
}

static int close_scene(void **state)
{
    scene_close(*state);
    return 0;
}

static void make(struct scene *s, const char *table)
{
    scene_sql(s, "CREATE TABLE %s (id int PRIMARY KEY, v int)", table);
    scene_sql(s, "INSERT INTO %s VALUES (1, 1), (2, 2)", table);
}

static void assert_shows(struct outcome outcome, const char *words)
{
    if (outcome.status != 0 || !strstr(outcome.out, words))
        fail_msg("osc ended with %d, or did not show \"%s\":\n%s%s", outcome.status, words,
                 outcome.out, outcome.err);
    outcome_free(&outcome);
}

/* How it ends where the shell starts it. */
static int shell(struct scene *s, const char *words, const char *redirection)
{
    const int status =
        system(arena_printf(s->arena, "'%s' %s %s", getenv("OSC_BINARY"), words, redirection));

    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void osc_explains_itself(void **state)
{
    struct scene *s = *state;

    assert_shows(scene_osc(s, "--version", NULL), "libpq ");
    assert_shows(scene_osc(s, "--help", NULL), "osc help");
    assert_shows(scene_osc(s, "abort", "--help", NULL), "osc abort");
    assert_int_equal(shell(s, "help abort", "| grep -q 'osc abort'"), 0);
    assert_int_equal(shell(s, "help nonsense", "2>&1"), 2);
}

static void before_anything_ran(void **state)
{
    struct scene *s = *state;

    make(s, "t");
    assert_shows(scene_osc(s, "history", NULL), "Nothing has run here yet");
    assert_says(scene_osc(s, "status", "9", NULL), 2, "there is no migration 9 on this server");
    assert_says(scene_osc(s, "resume", "9", NULL), 2, "there is no migration 9");
    assert_says(scene_osc(s, "verify", "t", NULL), 2, "osc verify t OTHER");
    assert_exit(scene_osc(s, "abort", arena_printf(s->arena, "%s.gone", s->schema), NULL), 0);
}

static void after_the_swap(void **state)
{
    struct scene *s = *state;

    make(s, "t");
    assert_exit(scene_osc(s, "alter", "t", "ADD COLUMN c int", NULL), 0);
    assert_says(scene_osc(s, "resume", "1", NULL), 2, "nothing to resume");
    assert_says(scene_osc(s, "abort", "1", NULL), 2, "osc finish 1");
    assert_says(scene_osc(s, "abort", "t", NULL), 2, "osc finish 1");
    assert_shows(scene_osc(s, "history", "--json", NULL), "\"id\":1,");
    assert_shows(scene_osc(s, "finish", "1", "--json", NULL), "\"event\":\"finish\"");
    assert_says(scene_osc(s, "finish", "t", NULL), 2, "no retired table of t is left");
    assert_says(scene_osc(s, "abort", "1", NULL), 2, "the table as it was is gone");
    assert_exit(scene_osc(s, "abort", "t", NULL), 0);
}

static void between_the_swap_and_the_end(void **state)
{
    struct scene *s = *state;

    make(s, "t");
    scene_kill_at(s, "finish");
    assert_exit(scene_osc(s, "alter", "t", "ADD COLUMN c int", NULL), 128 + 9);
    scene_release(s, "finish");
    assert_says(scene_osc(s, "abort", "t", NULL), 2, "osc resume 1");
    assert_exit(scene_osc(s, "resume", "1", NULL), 0);
}

static void while_one_is_stopped(void **state)
{
    struct scene *s = *state;

    make(s, "done");
    assert_exit(scene_osc(s, "alter", "done", "ADD COLUMN c int", NULL), 0);
    make(s, "t");
    scene_kill_at(s, "capture");
    assert_exit(scene_osc(s, "alter", "t", "ADD COLUMN c int", NULL), 128 + 9);
    scene_release(s, "capture");
    assert_says(scene_osc(s, "alter", "t", "ADD COLUMN d int", NULL), 3, "was stopped in step");
    assert_says(scene_osc(s, "finish", "2", NULL), 2, "is not over");
    assert_says(scene_osc(s, "verify", "t", NULL), 3, "has not copied every row yet");
    assert_exit(scene_osc(s, "resume", NULL), 0);
    assert_says(scene_osc(s, "finish", NULL), 2, "more than one migration fits");
}

static void one_that_finishes_is_not_aborted(void **state)
{
    struct scene *s = *state;

    make(s, "done");
    assert_exit(scene_osc(s, "alter", "done", "ADD COLUMN c int", "--after=drop", NULL), 0);
    make(s, "t");
    scene_hold(s, "finish");
    const pid_t run = scene_start(s, "alter", "t", "ADD COLUMN c int", NULL);
    scene_await(s, "finish");
    const pid_t aborter = scene_start(s, "abort", "t", NULL);
    scene_await_some(s, "SELECT COUNT(*) FROM osc_state WHERE wish = 'abort'");
    scene_release(s, "finish");
    assert_says(scene_wait(s, aborter), 1, "ended otherwise: done");
    assert_exit(scene_wait(s, run), 0);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t WHERE c IS NULL"), 2);
    assert_nothing_left(s, true);
}

static void progress_is_shown(void **state)
{
    struct scene *s = *state;

    make(s, "t");
    assert_exit(scene_osc(s, "alter", "t", "ADD COLUMN c int", NULL), 0);
    scene_sql(s,
              "UPDATE osc_state SET status = 'running', step = 'catch-up', finished_at = NULL, "
              "updated_at = %s, progress = '{\"backlog\": 4321}'",
              scene_pick(s, "clock_timestamp() AT TIME ZONE 'UTC'", "UTC_TIMESTAMP(3)"));
    assert_shows(scene_osc(s, "status", NULL), "backlog 4");
}

/* Only the comparison of all rows would show what was merged: told before anything is copied. */
static void a_merging_key_is_not_left_unverified(void **state)
{
    struct scene *s = *state;
    const char *const commands[] = {"plan", "alter"};
    const char *clause = scene_pick(s, "ALTER COLUMN id TYPE varchar(20) COLLATE ci",
                                    "MODIFY id varchar(20) CHARACTER SET utf8mb4 COLLATE "
                                    "utf8mb4_general_ci NOT NULL");

    if (s->is_postgres)
        scene_sql(s, "CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level1', "
                     "deterministic = false)");
    scene_sql(s, "CREATE TABLE m (id varchar(20) %s PRIMARY KEY)",
              scene_pick(s, "", "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"));
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        assert_says(scene_osc(s, commands[i], "m", clause, "--verify=none", NULL), 3, "unsafe");
    assert_nothing_left(s, true);
    assert_exit(scene_osc(s, "alter", "m", clause, "--after=drop", NULL), 0);
    scene_sql(s, "DROP TABLE m");
}

/* Two schemas may each have a migration 1. */
static void a_number_may_need_its_schema(void **state)
{
    struct scene *s = *state;

    if (!s->is_postgres)
        return;
    make(s, "t");
    scene_sql(s, "CREATE SCHEMA other");
    make(s, "other.t");
    assert_exit(scene_osc(s, "alter", "public.t", "ADD COLUMN c int", NULL), 0);
    assert_exit(scene_osc(s, "alter", "other.t", "ADD COLUMN c int", NULL), 0);
    assert_shows(scene_osc(s, "history", NULL), "other.1");
    assert_says(scene_osc(s, "finish", "1", NULL), 2, "SCHEMA.ID");
    assert_exit(scene_osc(s, "finish", "other.1", NULL), 0);
}

/* By a name that fits both of them nothing is removed: neither what is stopped nor what is done. */
static void a_name_may_need_its_schema(void **state)
{
    struct scene *s = *state;

    if (!s->is_postgres)
        return;
    make(s, "t");
    scene_sql(s, "CREATE SCHEMA other");
    make(s, "other.t");
    scene_kill_at(s, "copy");
    assert_exit(scene_osc(s, "alter", "public.t", "ADD COLUMN c int", NULL), 128 + 9);
    assert_exit(scene_osc(s, "alter", "other.t", "ADD COLUMN c int", NULL), 128 + 9);
    scene_release(s, "copy");
    assert_says(scene_osc(s, "abort", "t", NULL), 2, "SCHEMA.ID");
    assert_int_equal(scene_number(s, "SELECT count(*) FROM pg_class WHERE relname = 't_osc_new'"),
                     2);
    assert_exit(scene_osc(s, "resume", "public.1", NULL), 0);
    assert_exit(scene_osc(s, "resume", "other.1", NULL), 0);
    assert_says(scene_osc(s, "abort", "t", NULL), 2, "SCHEMA.ID");
    assert_exit(scene_osc(s, "finish", "public.1", NULL), 0);
    assert_exit(scene_osc(s, "finish", "other.1", NULL), 0);
}

/* The test build takes the table for one of gigabytes. */
static void a_log_without_room_is_told(void **state)
{
    struct scene *s = *state;

    make(s, "t");
    scene_sql(s, "%s", scene_pick(s, "ANALYZE t", "ANALYZE TABLE t"));
    struct outcome outcome = scene_osc(s, "plan", "t", "ADD COLUMN c int", NULL);
    assert_null(strstr(outcome.out, scene_pick(s, "wal: ", "redo-log: ")));
    outcome_free(&outcome);
    (void)setenv("OSC_TUNE_LOG_TIMES", "300000", 1);
    assert_shows(scene_osc(s, "plan", "t", "ADD COLUMN c int", NULL),
                 scene_pick(s, "SET max_wal_size = '", " = 10 * 1024"));
    assert_shows(scene_osc(s, "plan", "t", "ADD COLUMN c int", NULL),
                 scene_pick(s, "SET min_wal_size = '", "SET GLOBAL innodb_"));
    if (!s->is_postgres && scene_number(s, "SELECT @@sync_binlog") == 0)
        assert_shows(scene_osc(s, "plan", "t", "ADD COLUMN c int", NULL),
                     "SET GLOBAL sync_binlog = 1");
    (void)unsetenv("OSC_TUNE_LOG_TIMES");
}

static void a_full_disk_behind_a_plan_is_told(void **state)
{
    struct scene *s = *state;
    const char *plan = arena_printf(s->arena, "plan t 'ADD COLUMN c int' --dsn='%s'", s->dsn);

    make(s, "t");
    assert_int_equal(shell(s, plan, ">/dev/full"), 1);
    assert_int_equal(shell(s, plan, "2>&1 >/dev/full | grep -q 'output cannot be written'"), 0);
}

/* Our sessions run in UTC: what the user's would make of a time must not depend on that. */
static void a_time_zone_that_decides_is_to_be_named(void **state)
{
    struct scene *s = *state;

    if (!s->is_postgres)
        return;
    scene_sql(s, "CREATE TABLE z (id int PRIMARY KEY, at timestamp)");
    scene_sql(s, "INSERT INTO z VALUES (1, '2025-07-01 12:00')");
    scene_sql(s, "ALTER DATABASE %s SET TimeZone = 'Europe/Berlin'",
              scene_value(s, "SELECT current_database()"));
    assert_says(scene_osc(s, "alter", "z", "ALTER COLUMN at TYPE timestamptz", NULL), 3,
                "USING at AT TIME ZONE 'Europe/Berlin'");
    assert_nothing_left(s, true);
    assert_exit(scene_osc(s, "alter", "z",
                          "ALTER COLUMN at TYPE timestamptz USING at AT TIME ZONE 'Europe/Berlin'",
                          NULL),
                0);
    assert_int_equal(scene_number(s, "SELECT count(*) FROM z WHERE at = '2025-07-01 10:00+00'"), 1);
}

/* The work, which takes long enough for some progress to be shown, is done all the same. */
static void a_full_disk_behind_the_progress_is_told(void **state)
{
    struct scene *s = *state;
    const char *alter =
        arena_printf(s->arena, "alter t 'ADD COLUMN c int' --json --dsn='%s'", s->dsn);

    make(s, "t");
    scene_hold(s, "cutover");
    assert_int_equal(setenv("OSC_FAILPOINTS", s->directory, 1), 0);
    assert_int_equal(system(arena_printf(s->arena, "(sleep 1; rm '%s/cutover') &", s->directory)),
                     0);
    assert_int_equal(shell(s, alter, "2>&1 >/dev/full | grep -q 'progress could not be shown'"), 0);
    assert_int_equal(unsetenv("OSC_FAILPOINTS"), 0);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t WHERE c IS NULL"), 2);
}

static void what_is_watched_in_json_ends_with_the_run(void **state)
{
    struct scene *s = *state;

    make(s, "t");
    assert_exit(scene_osc(s, "alter", "t", "ADD COLUMN c int", NULL), 0);
    assert_shows(scene_osc(s, "status", "--watch", "--json", NULL), "[");
}

static void tables_without_a_key_are_not_compared(void **state)
{
    struct scene *s = *state;

    scene_sql(s, "CREATE TABLE keyless (a int)");
    scene_sql(s, "CREATE TABLE other (a int)");
    assert_says(scene_osc(s, "verify", "keyless", "other", NULL), 3, "no unique key");
    scene_sql(s, "DROP TABLE keyless");
    scene_sql(s, "DROP TABLE other");
}

static void a_shadow_that_is_gone_is_not_compared(void **state)
{
    struct scene *s = *state;

    make(s, "t");
    scene_kill_at(s, "verify");
    assert_exit(scene_osc(s, "alter", "t", "ADD COLUMN c int", NULL), 128 + 9);
    scene_release(s, "verify");
    scene_sql(s, "DROP TABLE t_osc_new");
    assert_says(scene_osc(s, "verify", "t", NULL), 3, "t_osc_new");
}

/* Of the MySQL family: only PROCESS shows which transactions are open. */
static void advice_does_without_what_is_not_shown(void **state)
{
    struct scene *s = *state;
    char dsn[sizeof s->dsn];

    if (s->is_postgres)
        return;
    make(s, "t");
    scene_sql(s, "CREATE USER %s_poor IDENTIFIED BY ''", s->schema);
    scene_sql(s, "GRANT SELECT ON %s.* TO %s_poor", s->schema, s->schema);
    memcpy(dsn, s->dsn, sizeof dsn);
    (void)snprintf(s->dsn, sizeof s->dsn, "mysql://%s_poor%s", s->schema, strchr(dsn, '@'));
    (void)setenv("OSC_TUNE_SAMPLE_MS", "100", 1);
    assert_shows(scene_osc(s, "advise", "t", "--sample=2s", NULL),
                 "which transactions are open is not shown to us");
    (void)unsetenv("OSC_TUNE_SAMPLE_MS");
    memcpy(s->dsn, dsn, sizeof dsn);
    scene_sql(s, "DROP USER %s_poor", s->schema);
}

static void a_state_table_of_another_make_is_told(void **state)
{
    struct scene *s = *state;

    scene_sql(s, "CREATE TABLE osc_state (id int)");
    assert_says(scene_osc(s, "status", NULL), 0, "passed over");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(osc_explains_itself),
        TEST(before_anything_ran),
        TEST(after_the_swap),
        TEST(between_the_swap_and_the_end),
        TEST(while_one_is_stopped),
        TEST(one_that_finishes_is_not_aborted),
        TEST(progress_is_shown),
        TEST(a_merging_key_is_not_left_unverified),
        TEST(a_number_may_need_its_schema),
        TEST(a_name_may_need_its_schema),
        TEST(a_log_without_room_is_told),
        TEST(a_full_disk_behind_a_plan_is_told),
        TEST(a_time_zone_that_decides_is_to_be_named),
        TEST(a_full_disk_behind_the_progress_is_told),
        TEST(what_is_watched_in_json_ends_with_the_run),
        TEST(a_shadow_that_is_gone_is_not_compared),
        TEST(tables_without_a_key_are_not_compared),
        TEST(advice_does_without_what_is_not_shown),
        TEST(a_state_table_of_another_make_is_told),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
