/*
 * A server with a replica: osc shows how far it is behind, and never takes a
 * replica for the primary.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "osc/base/cancel.h"
#include "osc/base/clock.h"
#include "tests/support/pair.h"
#include "tests/support/scene.h"

enum { PATIENCE_MS = 20000 };

static struct pair *pair;

static int start_pair(void **state)
{
    (void)state;
    pair = pair_start();
    return 0;
}

static int stop_pair(void **state)
{
    (void)state;
    pair_stop(pair);
    return 0;
}

static int open_scene(void **state)
{
    *state = scene_open("replicas");
    return 0;
}

static int close_scene(void **state)
{
    scene_close(*state);
    return 0;
}

static void make_t(struct scene *s)
{
    scene_sql(s, "CREATE TABLE t (id int PRIMARY KEY, v int NOT NULL)");
    scene_sql(s, "INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)");
}

enum { LAG_UNKNOWN = -1, LAG_MISSING = -2 };

/* As osc status --json says it. */
static long lag_ms(struct scene *s)
{
    static const char name[] = "\"replica_lag_ms\":";
    struct outcome status = scene_osc(s, "status", "--json", NULL);
    const char *found = strstr(status.out, name);
    long lag = LAG_MISSING;

    assert_int_equal(status.status, 0);
    if (found)
        lag = strncmp(found + strlen(name), "null", 4) == 0
                  ? LAG_UNKNOWN
                  : strtol(found + strlen(name), NULL, 10);
    outcome_free(&status);
    return lag;
}

static void await_lag(struct scene *s, long least, long most)
{
    const struct deadline until = deadline_in_ms(PATIENCE_MS);
    long lag = lag_ms(s);

    while (lag < least || lag > most) {
        if (deadline_passed(&until))
            fail_msg("the lag is %ld, not from %ld to %ld", lag, least, most);
        (void)cancel_sleep_ms(NULL, 100);
        lag = lag_ms(s);
    }
}

static void assert_status_says(struct scene *s, const char *words)
{
    struct outcome status = scene_osc(s, "status", NULL);

    if (!strstr(status.out, words))
        fail_msg("osc status does not say \"%s\":\n%s", words, status.out);
    outcome_free(&status);
}

static void the_lag_is_shown(void **state)
{
    struct scene *s = *state;

    make_t(s);
    scene_hold(s, "before-indexes");
    const pid_t run = scene_start(s, "alter", "t", "ADD COLUMN c int", "--json", NULL);
    scene_await(s, "before-indexes");
    await_lag(s, 0, 1500);
    pair_apply(pair, "600");
    await_lag(s, 2000, 600000);
    const long lag = lag_ms(s);
    await_lag(s, lag + 2000, 600000);
    pair_apply(pair, "0");
    await_lag(s, 0, 1500);
    assert_status_says(s, "lag ");
    scene_release(s, "before-indexes");
    struct outcome outcome = scene_wait(s, run);
    assert_non_null(strstr(outcome.out, "\"replica_lag_ms\":"));
    assert_exit(outcome, 0);
}

/* The replicas of the MySQL family do not know how far they are when they are stopped. */
static void what_is_not_known_is_not_small(void **state)
{
    struct scene *s = *state;

    make_t(s);
    scene_hold(s, "before-indexes");
    const pid_t run = scene_start(s, "alter", "t", "ADD COLUMN c int", NULL);
    scene_await(s, "before-indexes");
    await_lag(s, 0, 1500);
    pair_apply(pair, "stop");
    if (s->is_postgres) {
        await_lag(s, 2000, 600000);
    } else {
        await_lag(s, LAG_UNKNOWN, LAG_UNKNOWN);
        assert_status_says(s, "lag ?");
    }
    pair_apply(pair, "go");
    await_lag(s, 0, 1500);
    scene_release(s, "before-indexes");
    assert_exit(scene_wait(s, run), 0);
}

/* One that obeys root all the same would no longer follow its primary. */
static void a_replica_is_not_touched(void **state)
{
    struct scene *s = *state;

    make_t(s);
    scene_kill_at(s, "before-indexes");
    assert_exit(scene_osc(s, "alter", "t", "ADD COLUMN c int", NULL), 128 + 9);
    scene_release(s, "before-indexes");
    scene_sql(s, "CREATE TABLE last_word (id int)");
    const char *primary = pair->primary_dsn;
    scene_move(s, pair->replica_dsn);
    while (!scene_try_sql(s, "SELECT id FROM last_word"))
        (void)cancel_sleep_ms(NULL, 50);
    const char *words = scene_pick(s, "standby", "read_only");
    assert_says(scene_osc(s, "alter", "last_word", "ADD COLUMN c int", NULL), 3, words);
    assert_says(scene_osc(s, "resume", NULL), 3, words);
    assert_says(scene_osc(s, "abort", NULL), 3, words);
    assert_says(scene_osc(s, "abort", "last_word", NULL), 3, words);
    scene_move(s, primary);
    assert_exit(scene_osc(s, "resume", NULL), 0);
    assert_nothing_left(s, true);
}

/* Only MySQL keeps root out as well; on the others this switch cannot be tried with the test's
 * user. */
static void a_read_only_switch_stops_the_run(void **state)
{
    struct scene *s = *state;

    make_t(s);
    if (!scene_try_sql(s, "SET GLOBAL super_read_only = 0"))
        skip();
    scene_hold(s, "before-indexes");
    const pid_t run = scene_start(s, "alter", "t", "ADD COLUMN c int", NULL);
    scene_await(s, "before-indexes");
    scene_sql(s, "SET GLOBAL super_read_only = 1");
    scene_release(s, "before-indexes");
    assert_says(scene_wait(s, run), 1, "read-only");
    assert_says(scene_osc(s, "resume", NULL), 3, "read_only");
    scene_sql(s, "SET GLOBAL read_only = 0");
    scene_sql(s, "UPDATE t SET v = 7 WHERE id = 1");
    assert_exit(scene_osc(s, "resume", NULL), 0);
    assert_int_equal(scene_number(s, "SELECT SUM(v) FROM t WHERE c IS NULL"), 12);
    assert_nothing_left(s, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_lag_is_shown, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(a_replica_is_not_touched, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(a_read_only_switch_stops_the_run, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(what_is_not_known_is_not_small, open_scene, close_scene),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, start_pair, stop_pair);
}
