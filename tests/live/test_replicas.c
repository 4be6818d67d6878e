/*
 * A server with a replica: osc shows how far it is behind, and never takes a
 * replica for the primary.  One that follows a second primary as well is only
 * behind if it is behind ours.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

static bool status_has(struct scene *s, const char *words)
{
    struct outcome status = scene_osc(s, "status", "--json", NULL);
    const bool has = strstr(status.out, words) != NULL;

    outcome_free(&status);
    return has;
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

/* ---- a replica of two primaries ---- */

static struct db *open_there(struct scene *s, const char *dsn)
{
    struct error err = ERROR_INIT;
    struct dsn place;

    if (!dsn_parse(&place, dsn, s->arena, &err))
        fail_msg("%s", err.text);
    struct db *db = db_open(&place, "test", &err);
    if (!db)
        fail_msg("%s", err.text);
    return db;
}

/* In seconds and by its own words, the worst of its channels; LAG_UNKNOWN: one does not run. */
static long behind(struct db *replica)
{
    AUTO(rows) rows = ROWS_INIT;
    struct error err = ERROR_INIT;
    unsigned i = 0, channels = 0;
    long worst = 0;

    if (!db_query(replica, &rows, "SHOW ALL REPLICAS STATUS", &err) &&
        !db_query(replica, &rows, "SHOW REPLICA STATUS", &err))
        fail_msg("%s", err.text);
    while (i < rows.columns && strncasecmp(rows_name(&rows, i), "Seconds_Behind_", 15) != 0)
        i++;
    assert_true(i < rows.columns);
    for (; rows_next(&rows, &err); channels++) {
        const long seconds = strtol(rows_text(&rows, i), NULL, 10);
        if (rows_is_null(&rows, i) || worst == LAG_UNKNOWN)
            worst = LAG_UNKNOWN;
        else if (seconds > worst)
            worst = seconds;
    }
    assert_int_equal(channels, 2);
    return worst;
}

static struct two_sources {
    struct db *other, *replica;
} two;

static int open_two_sources(void **state)
{
    struct scene *s = scene_open("replicas");

    *state = s;
    if (s->is_postgres)
        return 0;
    if (!*pair->other_dsn)
        pair_add_other(pair);
    two.other = open_there(s, pair->other_dsn);
    two.replica = open_there(s, pair->replica_dsn);
    make_t(s);
    return 0;
}

static int close_two_sources(void **state)
{
    if (two.other) {
        pair_apply(pair, "0");
        pair_apply_other(pair, "0");
    }
    db_close(two.other);
    db_close(two.replica);
    two = (struct two_sources){NULL, NULL};
    scene_close(*state);
    return 0;
}

/* A physical replica of PostgreSQL has one primary. */
static void skip_without_channels(const struct scene *s)
{
    if (!s->is_postgres)
        return;
    print_message("a replica follows one primary only here\n");
    skip();
}

static void other_sql(const char *statement)
{
    struct error err = ERROR_INIT;

    if (!db_exec(two.other, statement, NULL, &err))
        fail_msg("%s", err.text);
}

static uint64_t count_notes(struct db *db)
{
    struct error err = ERROR_INIT;
    uint64_t notes = 0;

    return db_value_u64(db, &notes, "SELECT COUNT(*) FROM elsewhere.notes", &err) ? notes : 0;
}

static bool all_has_arrived(void)
{
    return count_notes(two.replica) == count_notes(two.other) && behind(two.replica) == 0;
}

static void the_other_falls_behind(const char *how)
{
    const bool is_stopped = strcmp(how, "stop") == 0;

    other_sql("CREATE DATABASE IF NOT EXISTS elsewhere");
    other_sql("CREATE TABLE IF NOT EXISTS elsewhere.notes (id int PRIMARY KEY AUTO_INCREMENT)");
    while (!all_has_arrived())
        (void)cancel_sleep_ms(NULL, 50);
    pair_apply_other(pair, how);
    do {
        other_sql("INSERT INTO elsewhere.notes VALUES (NULL)");
        (void)cancel_sleep_ms(NULL, 50);
    } while (is_stopped ? behind(two.replica) != LAG_UNKNOWN : behind(two.replica) < 3);
}

static void the_other_catches_up(const char *how)
{
    assert_false(all_has_arrived());
    pair_apply_other(pair, strcmp(how, "stop") == 0 ? "go" : "0");
    while (!all_has_arrived())
        (void)cancel_sleep_ms(NULL, 50);
}

static void runs_while_the_other_channel(struct scene *s, const char *how, const char *clauses)
{
    the_other_falls_behind(how);
    scene_hold(s, "before-indexes");
    const pid_t run = scene_start(s, "alter", "t", clauses, "--max-lag=1s", "--after=drop", NULL);
    scene_await(s, "before-indexes"); /* nothing is copied while a replica counts as lagging */
    await_lag(s, 0, 1500);
    scene_release(s, "before-indexes");
    assert_exit(scene_wait(s, run), 0);
    the_other_catches_up(how);
}

static void the_other_source_of_a_replica_is_not_minded(void **state)
{
    struct scene *s = *state;

    skip_without_channels(s);
    runs_while_the_other_channel(s, "stop", "ADD COLUMN c int");
    runs_while_the_other_channel(s, "600", "ADD COLUMN d int");
}

/* The other channel is well, and says so beside it. */
static void rests_while_our_channel(struct scene *s, const char *how, const char *clauses)
{
    const struct deadline until = deadline_in_ms(PATIENCE_MS);

    scene_hold(s, "copy");
    const pid_t run = scene_start(s, "alter", "t", clauses, "--max-lag=1s", "--after=drop", NULL);
    scene_await(s, "copy");
    await_lag(s, 0, 1500);
    pair_apply(pair, how);
    if (strcmp(how, "stop") == 0)
        await_lag(s, LAG_UNKNOWN, LAG_UNKNOWN);
    else
        await_lag(s, 2000, 600000);
    while (!status_has(s, "\"duty_percent\":0") || !status_has(s, "\"reason\":\"a replica lags\""))
        if (deadline_passed(&until) || !cancel_sleep_ms(NULL, 50))
            fail_msg("the replica does not hold it back");
    scene_release(s, "copy");
    (void)cancel_sleep_ms(NULL, 500); /* long enough for three rows */
    assert_true(status_has(s, "\"step\":\"copy\""));
    pair_apply(pair, strcmp(how, "stop") == 0 ? "go" : "0");
    assert_exit(scene_wait(s, run), 0);
}

static void our_own_source_of_a_replica_is_minded(void **state)
{
    struct scene *s = *state;

    skip_without_channels(s);
    rests_while_our_channel(s, "stop", "ADD COLUMN c int");
    rests_while_our_channel(s, "600", "ADD COLUMN d int");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_lag_is_shown, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(a_replica_is_not_touched, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(a_read_only_switch_stops_the_run, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(what_is_not_known_is_not_small, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(the_other_source_of_a_replica_is_not_minded,
                                        open_two_sources, close_two_sources),
        cmocka_unit_test_setup_teardown(our_own_source_of_a_replica_is_minded, open_two_sources,
                                        close_two_sources),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, start_pair, stop_pair);
}
