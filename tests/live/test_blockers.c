/*
 * Others hold the table: long transactions, waiting DDL, prepared transactions.  osc
 * names them, tries again and again without making the application wait longer
 * than one attempt may, and stops where nothing is lost when its time is up.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/support/others.h"

static const char *const never = "--kill-blockers-after=never";

/* ---- long transactions ---- */

static void blocked_for_a_while(struct scene *s, const char *step)
{
    struct application app;

    const pid_t osc = comes_to(s, step, "--cutover-timeout=30s", never);
    struct link other = begins_to_write(s);
    writes_go_on(&app, s);
    scene_release(s, step);
    awaits(s, osc, "held by others");
    does(&other, "COMMIT");
    link_close(&other);
    assert_exit(scene_wait(s, osc), 0);
    nobody_waited_long(&app);
    assert_true(has_column(s));
    every_write_is_there(s, &app);
    assert_int_equal(scene_number(s, "SELECT v FROM t WHERE id = 1"), 1001);
}

static void capture_waits_for_a_transaction(void **state)
{
    blocked_for_a_while(*state, "capture");
}

static void the_cutover_waits_for_a_transaction(void **state)
{
    blocked_for_a_while(*state, "cutover");
}

static void capture_gives_up(void **state)
{
    struct scene *s = *state;
    struct application app;

    const pid_t osc = comes_to(s, "capture", "--cutover-timeout=2s", never);
    struct link other = begins_to_write(s);
    writes_go_on(&app, s);
    scene_release(s, "capture");
    assert_says(scene_wait(s, osc), 1, "idle in transaction");
    nobody_waited_long(&app);
    assert_nothing_left(s, true);
    does(&other, "ROLLBACK");
    link_close(&other);
    assert_exit(scene_osc(s, "alter", "t", "ADD COLUMN c int", NULL), 0);
    every_write_is_there(s, &app);
}

static void the_cutover_gives_up_and_can_be_resumed(void **state)
{
    struct scene *s = *state;
    struct application app;

    const pid_t osc = comes_to(s, "cutover", "--cutover-timeout=2s", never);
    struct link other = begins_to_write(s);
    writes_go_on(&app, s);
    scene_release(s, "cutover");
    struct outcome outcome = scene_wait(s, osc);
    if (!strstr(outcome.err, "osc resume"))
        fail_msg("no advice: %s", outcome.err);
    assert_says(outcome, 1, "idle in transaction");
    assert_false(has_column(s));
    does(&other, "COMMIT");
    link_close(&other);
    assert_exit(scene_osc(s, "resume", NULL), 0);
    nobody_waited_long(&app);
    assert_true(has_column(s));
    every_write_is_there(s, &app);
}

/* ---- writers who leave no gap ---- */

static void *write_slowly(void *argument)
{
    struct application *app = argument;
    const struct timespec thought = {.tv_nsec = 30000000};
    char sql[80];

    while (!atomic_load(&app->ends) && !app->failed) {
        (void)snprintf(sql, sizeof sql, "UPDATE t SET v = v + 1 WHERE id = %d", app->row);
        app->failed =
            link_run(&app->link, "BEGIN") != REPLY_OK || link_run(&app->link, sql) != REPLY_OK;
        (void)nanosleep(&thought, NULL);
        app->failed = app->failed || link_run(&app->link, "COMMIT") != REPLY_OK;
    }
    return NULL;
}

/* A gentle moment does not come: it must queue while there is time for it. */
static void the_cutover_queues_in_time(void **state)
{
    struct scene *s = *state;
    struct application apps[6];

    const pid_t osc = comes_to(s, "cutover", "--cutover-timeout=2s", never);
    for (size_t i = 0; i < ARRAY_SIZE(apps); i++) {
        apps[i] = (struct application){.link = arrives(s), .row = (int)i + 1};
        assert_int_equal(pthread_create(&apps[i].thread, NULL, write_slowly, &apps[i]), 0);
    }
    scene_release(s, "cutover");
    assert_exit(scene_wait(s, osc), 0);
    for (size_t i = 0; i < ARRAY_SIZE(apps); i++) {
        atomic_store(&apps[i].ends, true);
        (void)pthread_join(apps[i].thread, NULL);
        if (apps[i].failed)
            fail_msg("a write failed: %s", apps[i].link.text);
        link_close(&apps[i].link);
    }
    assert_true(has_column(s));
}

/* ---- what is left to be removed ---- */

/* A dump that has read it already, for instance. */
static struct link begins_to_read(const struct scene *s, const char *table)
{
    struct link link = arrives(s);
    char sql[80];

    (void)snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM %s", table);
    does(&link, "BEGIN");
    does(&link, sql);
    return link;
}

static void leaves(struct link *link)
{
    does(link, "COMMIT");
    link_close(link);
}

static void finish_waits_for_a_reader(void **state)
{
    struct scene *s = *state;

    assert_exit(scene_osc(s, "alter", "t", "ADD COLUMN c int", NULL), 0);
    struct link reader = begins_to_read(s, "t_osc_old");
    assert_says(scene_osc(s, "finish", "--cutover-timeout=1s", NULL), 1, "idle in transaction");
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t_osc_old"), OTHERS_ROWS);
    const pid_t osc = scene_start(s, "finish", "--cutover-timeout=30s", NULL);
    awaits(s, osc, "held by others");
    leaves(&reader);
    assert_exit(scene_wait(s, osc), 0);
    assert_nothing_left(s, false);
}

/* The swap has happened: only the rest of the work waits, and can be resumed. */
static void dropping_at_once_can_be_resumed(void **state)
{
    struct scene *s = *state;
    struct application app;

    scene_hold(s, "finish");
    const pid_t osc = scene_start(s, "alter", "t", "ADD COLUMN c int", "--after=drop",
                                  "--cutover-timeout=2s", NULL);
    scene_await(s, "finish");
    struct link reader = begins_to_read(s, "t_osc_old");
    writes_go_on(&app, s);
    scene_release(s, "finish");
    struct outcome outcome = scene_wait(s, osc);
    if (!strstr(outcome.err, "osc resume"))
        fail_msg("no advice: %s", outcome.err);
    assert_says(outcome, 1, "idle in transaction");
    assert_true(has_column(s));
    leaves(&reader);
    assert_exit(scene_osc(s, "resume", NULL), 0);
    nobody_waited_long(&app);
    every_write_is_there(s, &app);
    assert_nothing_left(s, false);
}

static void abort_waits_for_a_reader_of_the_shadow(void **state)
{
    struct scene *s = *state;

    scene_kill_at(s, "verify");
    assert_exit(scene_osc(s, "alter", "t", "ADD COLUMN c int", NULL), 128 + 9);
    struct link reader = begins_to_read(s, "t_osc_new");
    assert_says(scene_osc(s, "abort", "--cutover-timeout=1s", NULL), 1, "osc abort");
    const pid_t osc = scene_start(s, "abort", NULL);
    awaits(s, osc, "held by others");
    leaves(&reader);
    assert_exit(scene_wait(s, osc), 0);
    assert_nothing_left(s, false);
}

/* A dump, say: it keeps us from adding an index, and nobody waiting. */
static void an_index_build_waits_for_a_reader_of_the_shadow(void **state)
{
    struct scene *s = *state;
    struct application app;

    if (s->is_postgres)
        skip(); /* there readers are not in the way of CREATE INDEX */
    scene_sql(s, "CREATE INDEX t_v ON t (v)");
    const pid_t osc = comes_to(s, "before-indexes", "--cutover-timeout=30s", never);
    struct link reader = begins_to_read(s, "t_osc_new");
    writes_go_on(&app, s);
    scene_release(s, "before-indexes");
    awaits(s, osc, "held by others");
    leaves(&reader);
    assert_exit(scene_wait(s, osc), 0);
    nobody_waited_long(&app);
    every_write_is_there(s, &app);
}

static void an_index_build_gives_up(void **state)
{
    struct scene *s = *state;

    if (s->is_postgres)
        skip();
    (void)setenv("OSC_TUNE_LEAST_WAIT", "500", 1);
    scene_sql(s, "CREATE INDEX t_v ON t (v)");
    const pid_t osc = comes_to(s, "before-indexes", "--cutover-timeout=1s", never);
    struct link reader = begins_to_read(s, "t_osc_new");
    scene_release(s, "before-indexes");
    assert_says(scene_wait(s, osc), 1, "osc resume");
    (void)unsetenv("OSC_TUNE_LEAST_WAIT");
    leaves(&reader);
    assert_exit(scene_osc(s, "resume", NULL), 0);
    assert_true(has_column(s));
}

/* ---- somebody else's DDL in the queue ---- */

/* It waits for the reader, and everybody would wait behind it: osc must not make that worse. */
static void waiting_ddl_is_named(void **state)
{
    struct scene *s = *state;
    const struct timespec a_while = {.tv_sec = 1, .tv_nsec = 300000000};
    struct busy ddl;

    const pid_t osc = comes_to(s, "cutover", "--cutover-timeout=2s", "--kill-blockers-after=500ms");
    struct link reader = arrives(s), changer = arrives(s);
    does(&changer, scene_pick(s, "SET lock_timeout = '7s'", "SET lock_wait_timeout = 7"));
    does(&reader, scene_pick(s, "SET application_name = 'pg_dump'", "BEGIN"));
    does(&reader, scene_pick(s, "BEGIN", "LOCK TABLES t READ"));
    does(&reader, "SELECT COUNT(*) FROM t");
    starts(&ddl, changer, "ALTER TABLE t ADD COLUMN w int");
    (void)nanosleep(&a_while, NULL);
    scene_release(s, "cutover");
    awaits(s, osc, "ALTER TABLE t ADD COLUMN w int");
    assert_exit(scene_wait(s, osc), 1);
    assert_int_equal(ends(&ddl), REPLY_REFUSED); /* by its own timeout, not by us */
    does(&reader, "SELECT COUNT(*) FROM t");
    link_close(&reader);
    link_close(&ddl.link);
    assert_exit(scene_osc(s, "resume", NULL), 0);
    assert_true(has_column(s));
}

struct queue {
    struct link reader;
    struct busy ddl;
};

static void queues(struct queue *queue, struct scene *s, const char *timeout)
{
    struct link changer = arrives(s);

    queue->reader = arrives(s);
    does(&changer, timeout);
    does(&queue->reader, "BEGIN");
    does(&queue->reader, "SELECT COUNT(*) FROM t");
    starts(&queue->ddl, changer, "ALTER TABLE t ADD COLUMN w int");
    scene_await_some(
        s,
        scene_pick(s,
                   "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND "
                   "wait_event_type = 'Lock' AND query LIKE 'ALTER TABLE t ADD COLUMN w%'",
                   scene_waits(s)));
}

static void is_refused(struct queue *queue)
{
    assert_int_equal(ends(&queue->ddl), REPLY_REFUSED); /* by its own timeout */
    leaves(&queue->reader);
    link_close(&queue->ddl.link);
}

/* A chunk or a replay keeps nobody waiting: it stays as long as the DDL does, and says behind whom.
 */
static void waits_behind_ddl(struct scene *s, pid_t osc, const char *moment)
{
    struct queue queue;

    queues(&queue, s, scene_pick(s, "SET lock_timeout = '9s'", "SET lock_wait_timeout = 9"));
    scene_release(s, moment);
    awaits(s, osc, "ALTER TABLE t ADD COLUMN w int");
    is_refused(&queue);
    assert_exit(scene_wait(s, osc), 0);
    assert_true(has_column(s));
}

static void gives_up_behind_ddl(struct scene *s, pid_t osc, const char *moment)
{
    struct queue queue;

    queues(&queue, s, scene_pick(s, "SET lock_timeout = '5s'", "SET lock_wait_timeout = 5"));
    scene_release(s, moment);
    struct outcome outcome = scene_wait(s, osc);
    is_refused(&queue);
    assert_says(outcome, 1, "osc resume");
    assert_exit(scene_osc(s, "resume", NULL), 0);
    assert_true(has_column(s));
}

static void a_chunk_waits_behind_ddl(void **state)
{
    struct scene *s = *state;

    waits_behind_ddl(s, comes_to(s, "chunk-registered", "--cutover-timeout=30s", never),
                     "chunk-registered");
}

static pid_t comes_to_replay(struct scene *s, const char *timeout)
{
    const pid_t osc = comes_to(s, "indexes", timeout, never);

    scene_sql(s, "UPDATE t SET v = v + 1000 WHERE id = 1");
    scene_hold(s, "batch-read");
    scene_release(s, "indexes");
    scene_await(s, "batch-read");
    return osc;
}

static void a_replay_waits_behind_ddl(void **state)
{
    struct scene *s = *state;

    waits_behind_ddl(s, comes_to_replay(s, "--cutover-timeout=30s"), "batch-read");
    assert_int_equal(scene_number(s, "SELECT v FROM t WHERE id = 1"), 1001);
}

static void a_chunk_gives_up(void **state)
{
    struct scene *s = *state;

    (void)setenv("OSC_TUNE_LEAST_WAIT", "500", 1);
    gives_up_behind_ddl(s, comes_to(s, "chunk-registered", "--cutover-timeout=1s", never),
                        "chunk-registered");
    (void)unsetenv("OSC_TUNE_LEAST_WAIT");
}

static void a_replay_gives_up(void **state)
{
    struct scene *s = *state;

    (void)setenv("OSC_TUNE_LEAST_WAIT", "500", 1);
    gives_up_behind_ddl(s, comes_to_replay(s, "--cutover-timeout=1s"), "batch-read");
    (void)unsetenv("OSC_TUNE_LEAST_WAIT");
    assert_int_equal(scene_number(s, "SELECT v FROM t WHERE id = 1"), 1001);
}

/* Some servers' lists of tables wait for whoever holds any of them. */
static void waiting_ddl_of_another_table_is_none_of_our_business(void **state)
{
    struct scene *s = *state;
    struct busy ddl;

    scene_sql(s, "CREATE TABLE another (id int PRIMARY KEY)");
    struct link reader = arrives(s), changer = arrives(s);
    does(&reader, "BEGIN");
    does(&reader, "SELECT COUNT(*) FROM another");
    starts(&ddl, changer, "ALTER TABLE another ADD COLUMN w int");
    const char *waits = scene_pick(
        s,
        "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE "
        "'ALTER TABLE another%' AND pid <> pg_backend_pid()",
        scene_waits(s));
    scene_await_some(s, waits);
    assert_exit(scene_osc(s, "plan", "t", "ADD COLUMN c int", NULL), 0);
    assert_exit(scene_osc(s, "alter", "t", "ADD COLUMN c int", "--after=drop", NULL), 0);
    assert_true(has_column(s));
    assert_int_equal(scene_number(s, "%s", waits), 1);
    does(&reader, "COMMIT");
    assert_int_equal(ends(&ddl), REPLY_OK);
    link_close(&reader);
    link_close(&ddl.link);
    scene_sql(s, "DROP TABLE another");
}

/* ---- prepared transactions ---- */

static void prepares(const struct scene *s, int id)
{
    struct link link = arrives(s);
    char sql[80];

    does(&link, scene_pick(s, "BEGIN", "XA START 'shop'"));
    (void)snprintf(sql, sizeof sql, "INSERT INTO t VALUES (%d, 0)", id);
    does(&link, sql);
    if (!s->is_postgres)
        does(&link, "XA END 'shop'");
    does(&link, scene_pick(s, "PREPARE TRANSACTION 'shop'", "XA PREPARE 'shop'"));
    link_close(&link);
}

static void is_committed(struct scene *s)
{
    scene_sql(s, "%s", scene_pick(s, "COMMIT PREPARED 'shop'", "XA COMMIT 'shop'"));
}

/* It is no connection's, and cannot be ended: what it has written is not to be lost. */
static void blocked_by_prepared(struct scene *s, const char *step, bool resumes)
{
    struct application app;

    const pid_t osc = comes_to(s, step, "--cutover-timeout=2s", "--kill-blockers-after=100ms");
    prepares(s, 7000);
    writes_go_on(&app, s);
    scene_release(s, step);
    struct outcome outcome = scene_wait(s, osc);
    is_committed(s);
    nobody_waited_long(&app);
    assert_says(outcome, 1, "prepared");
    if (resumes)
        assert_exit(scene_osc(s, "resume", NULL), 0);
    else
        assert_exit(scene_osc(s, "alter", "t", "ADD COLUMN c int", NULL), 0);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t WHERE id = 7000"), 1);
    assert_true(has_column(s));
}

static void capture_waits_for_prepared_transactions(void **state)
{
    blocked_by_prepared(*state, "capture", false);
}

static void the_cutover_waits_for_prepared_transactions(void **state)
{
    blocked_by_prepared(*state, "cutover", true);
}

/* ---- a backlog that only grows ---- */

static void *rewrite_on_and_on(void *argument)
{
    struct application *app = argument;

    while (!atomic_load(&app->ends) && !app->failed)
        app->failed = link_run(&app->link, "UPDATE t SET v = v + 1") != REPLY_OK;
    return NULL;
}

/* Replay of one entry at a time loses against whole-table updates. */
static void lose_a_race(struct scene *s)
{
    struct application app = {.link = arrives(s)};

    (void)setenv("OSC_TUNE_BATCH", "1", 1);
    (void)setenv("OSC_TUNE_RACE", "300", 1);
    const pid_t osc = comes_to(s, "indexes", "--cutover-timeout=2s", never);
    assert_int_equal(pthread_create(&app.thread, NULL, rewrite_on_and_on, &app), 0);
    scene_release(s, "indexes");
    awaits(s, osc, "the backlog does not shrink");
    assert_says(scene_wait(s, osc), 1, "entries/s come");
    atomic_store(&app.ends, true);
    (void)pthread_join(app.thread, NULL);
    assert_false(app.failed);
    link_close(&app.link);
    (void)unsetenv("OSC_TUNE_BATCH");
    (void)unsetenv("OSC_TUNE_RACE");
    (void)unsetenv("OSC_TUNE_COUNTED");
    assert_exit(scene_osc(s, "resume", NULL), 0);
    assert_true(has_column(s));
}

static void a_lost_race_is_told(void **state)
{
    lose_a_race(*state);
}

/* Where the backlog is too long to be counted to its end. */
static void a_hopeless_race_is_told(void **state)
{
    (void)setenv("OSC_TUNE_COUNTED", "100", 1);
    lose_a_race(*state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_lost_race_is_told, others_open, others_close),
        cmocka_unit_test_setup_teardown(a_hopeless_race_is_told, others_open, others_close),
        cmocka_unit_test_setup_teardown(finish_waits_for_a_reader, others_open, others_close),
        cmocka_unit_test_setup_teardown(dropping_at_once_can_be_resumed, others_open, others_close),
        cmocka_unit_test_setup_teardown(abort_waits_for_a_reader_of_the_shadow, others_open,
                                        others_close),
        cmocka_unit_test_setup_teardown(an_index_build_waits_for_a_reader_of_the_shadow,
                                        others_open, others_close),
        cmocka_unit_test_setup_teardown(an_index_build_gives_up, others_open, others_close),
        cmocka_unit_test_setup_teardown(a_chunk_gives_up, others_open, others_close),
        cmocka_unit_test_setup_teardown(a_replay_gives_up, others_open, others_close),
        cmocka_unit_test_setup_teardown(waiting_ddl_is_named, others_open, others_close),
        cmocka_unit_test_setup_teardown(a_chunk_waits_behind_ddl, others_open, others_close),
        cmocka_unit_test_setup_teardown(a_replay_waits_behind_ddl, others_open, others_close),
        cmocka_unit_test_setup_teardown(waiting_ddl_of_another_table_is_none_of_our_business,
                                        others_open, others_close),
        cmocka_unit_test_setup_teardown(capture_waits_for_prepared_transactions, others_open,
                                        others_close),
        cmocka_unit_test_setup_teardown(the_cutover_waits_for_prepared_transactions, others_open,
                                        others_close),
        cmocka_unit_test_setup_teardown(capture_waits_for_a_transaction, others_open, others_close),
        cmocka_unit_test_setup_teardown(the_cutover_waits_for_a_transaction, others_open,
                                        others_close),
        cmocka_unit_test_setup_teardown(capture_gives_up, others_open, others_close),
        cmocka_unit_test_setup_teardown(the_cutover_gives_up_and_can_be_resumed, others_open,
                                        others_close),
        cmocka_unit_test_setup_teardown(the_cutover_queues_in_time, others_open, others_close),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
