/*
 * Others hold the table: long transactions, waiting DDL, prepared transactions,
 * backups.  osc names them, tries again and again without making the application
 * wait longer than one attempt may, and stops where nothing is lost when its time is up.
 */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "osc/base/clock.h"
#include "osc/db/server.h"
#include "tests/support/scene.h"
#include "tests/support/traffic_link.h"

enum {
    ROWS = 300,
    LOCK_MS = 500,   /* --lock-timeout as it is when nothing is said */
    MARGIN_MS = 500, /* for a machine that does other things, too */
    PATIENCE_MS = 20000,
};

static int open_scene(void **state)
{
    struct scene *s = scene_open("blockers");
    AUTO(text) rows = TEXT_INIT;

    *state = s;
    scene_sql(s, "CREATE TABLE t (id int PRIMARY KEY, v int NOT NULL)");
    for (int i = 1; i <= ROWS; i++)
        text_printf(&rows, "%s(%d, %d)", i > 1 ? ", " : "", i, i);
    scene_sql(s, "INSERT INTO t VALUES %s", rows.bytes);
    return 0;
}

static int close_scene(void **state)
{
    scene_close(*state);
    return 0;
}

/* ---- the others ---- */

static struct link arrives(const struct scene *s)
{
    const struct link_settings settings = {.dsn = s->dsn, .statement_timeout_ms = 60000};
    struct link link;

    if (!link_open(&link, &settings))
        fail_msg("%s", link.text);
    return link;
}

static void does(struct link *link, const char *sql)
{
    if (link_run(link, sql) != REPLY_OK)
        fail_msg("%s: %s", sql, link->text);
}

/* Somebody who writes a row and then thinks about it. */
static struct link begins_to_write(const struct scene *s)
{
    struct link link = arrives(s);

    does(&link, "BEGIN");
    does(&link, "UPDATE t SET v = v + 1000 WHERE id = 1");
    return link;
}

/* Somebody whose statement takes long, or waits. */
struct busy {
    struct link link;
    const char *sql;
    enum reply reply;
    pthread_t thread;
};

static void *is_busy(void *argument)
{
    struct busy *busy = argument;

    busy->reply = link_run(&busy->link, busy->sql);
    return NULL;
}

static void starts(struct busy *busy, struct link link, const char *sql)
{
    *busy = (struct busy){.link = link, .sql = sql};
    assert_int_equal(pthread_create(&busy->thread, NULL, is_busy, busy), 0);
}

static enum reply ends(struct busy *busy)
{
    (void)pthread_join(busy->thread, NULL);
    return busy->reply;
}

/* ---- the application: single writes, the longest of which counts ---- */

struct application {
    struct link link;
    pthread_t thread;
    atomic_bool ends;
    uint64_t writes, longest_ms;
    bool failed;
};

static void *write_on_and_on(void *argument)
{
    struct application *app = argument;
    const struct timespec pause = {.tv_nsec = 3000000};
    char sql[80];

    while (!atomic_load(&app->ends) && !app->failed) {
        (void)snprintf(sql, sizeof sql, "UPDATE t SET v = v + 1 WHERE id = %d",
                       (int)(2 + app->writes % (ROWS - 2)));
        const uint64_t began = clock_ms();
        app->failed = link_run(&app->link, sql) != REPLY_OK;
        const uint64_t took = clock_ms() - began;
        if (took > app->longest_ms)
            app->longest_ms = took;
        app->writes++;
        (void)nanosleep(&pause, NULL);
    }
    return NULL;
}

static void writes_go_on(struct application *app, const struct scene *s)
{
    *app = (struct application){.link = arrives(s)};
    assert_int_equal(pthread_create(&app->thread, NULL, write_on_and_on, app), 0);
}

static void nobody_waited_long(struct application *app)
{
    atomic_store(&app->ends, true);
    (void)pthread_join(app->thread, NULL);
    print_message("%lu writes, the longest took %lu ms\n", (unsigned long)app->writes,
                  (unsigned long)app->longest_ms);
    if (app->failed)
        fail_msg("a write failed: %s", app->link.text);
    assert_true(app->longest_ms < LOCK_MS + MARGIN_MS);
    link_close(&app->link);
}

/* ---- osc ---- */

/* Until osc has said so. */
static void awaits(const struct scene *s, pid_t osc, const char *words)
{
    const struct deadline until = deadline_in_ms(PATIENCE_MS);
    const struct timespec pause = {.tv_nsec = 10000000};
    char path[300], said[20000];

    (void)snprintf(path, sizeof path, "%s/%d.err", s->directory, (int)osc);
    do {
        FILE *file = fopen(path, "r");
        const size_t n = file ? fread(said, 1, sizeof said - 1, file) : 0;
        said[n] = 0;
        if (file)
            (void)fclose(file);
        if (strstr(said, words))
            return;
        (void)nanosleep(&pause, NULL);
    } while (!deadline_passed(&until));
    fail_msg("osc does not say \"%s\" but: %s", words, said);
}

/* osc that has come to `step` and stands still there. */
static pid_t comes_to(struct scene *s, const char *step, const char *timeout, const char *kill)
{
    scene_hold(s, step);
    const pid_t osc =
        scene_start(s, "alter", "t", "ADD COLUMN c int", "--threads=1", timeout, kill, NULL);
    scene_await(s, step);
    return osc;
}

static bool has_column(struct scene *s)
{
    return scene_number(s,
                        "SELECT COUNT(*) FROM information_schema.columns WHERE table_name = 't' "
                        "AND column_name = 'c' AND table_schema = '%s'",
                        s->schema) == 1;
}

static void every_write_is_there(struct scene *s, const struct application *app)
{
    /* v was the id; the first row is the blocker's */
    assert_int_equal(scene_number(s, "SELECT SUM(v) - SUM(id) FROM t WHERE id > 1"),
                     (int)app->writes);
}

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

/* ---- somebody else's DDL in the queue ---- */

/* It waits for the reader, and everybody would wait behind it: osc must not make that worse. */
static void waiting_ddl_is_named(void **state)
{
    struct scene *s = *state;
    struct busy ddl;

    const pid_t osc = comes_to(s, "cutover", "--cutover-timeout=2s", "--kill-blockers-after=500ms");
    struct link reader = arrives(s), changer = arrives(s);
    does(&changer, scene_pick(s, "SET lock_timeout = '7s'", "SET lock_wait_timeout = 7"));
    does(&reader, scene_pick(s, "SET application_name = 'pg_dump'", "BEGIN"));
    does(&reader, scene_pick(s, "BEGIN", "LOCK TABLES t READ"));
    does(&reader, "SELECT COUNT(*) FROM t");
    starts(&ddl, changer, "ALTER TABLE t ADD COLUMN w int");
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

/* ---- ending blockers ---- */

static void blocker_is_killed(struct scene *s, const char *step)
{
    struct application app;

    const pid_t osc = comes_to(s, step, "--cutover-timeout=30s", "--kill-blockers-after=2s");
    struct link other = begins_to_write(s);
    writes_go_on(&app, s);
    scene_release(s, step);
    struct outcome outcome = scene_wait(s, osc);
    if (!strstr(outcome.err, "blocker killed"))
        fail_msg("nobody was killed: %s", outcome.err);
    assert_exit(outcome, 0);
    nobody_waited_long(&app);
    assert_int_not_equal(link_run(&other, "COMMIT"), REPLY_OK);
    link_close(&other);
    assert_int_equal(scene_number(s, "SELECT v FROM t WHERE id = 1"), 1);
    every_write_is_there(s, &app);
}

/* MariaDB tells who holds a table when a plugin of its own is there. */
static bool tells_who_holds(struct scene *s)
{
    return db_facts(s->db)->sees_metadata_locks || db_facts(s->db)->sees_metadata_lock_info;
}

static bool plugin(struct scene *s, const char *statement)
{
    return tells_who_holds(s) || scene_try_sql(s, statement);
}

static void killed_at_capture(void **state)
{
    struct scene *s = *state;

    assert_true(plugin(s, "INSTALL SONAME 'metadata_lock_info'"));
    blocker_is_killed(s, "capture");
    assert_true(plugin(s, "UNINSTALL SONAME 'metadata_lock_info'"));
}

static void killed_at_the_cutover(void **state)
{
    struct scene *s = *state;

    assert_true(plugin(s, "INSTALL SONAME 'metadata_lock_info'"));
    blocker_is_killed(s, "cutover");
    assert_true(plugin(s, "UNINSTALL SONAME 'metadata_lock_info'"));
}

/* A server that does not tell who holds the table: nobody is ended, and what would help is said. */
static void suspects_are_not_killed(void **state)
{
    struct scene *s = *state;

    if (tells_who_holds(s))
        return;
    const pid_t osc = comes_to(s, "cutover", "--cutover-timeout=2s", "--kill-blockers-after=100ms");
    struct link other = begins_to_write(s);
    scene_release(s, "cutover");
    assert_says(scene_wait(s, osc), 1, "INSTALL SONAME 'metadata_lock_info'");
    does(&other, "COMMIT");
    link_close(&other);
    assert_exit(scene_osc(s, "resume", NULL), 0);
}

/* Those whom osc must leave alone, and the word it has for them. */
static const struct spared {
    const char *postgres, *mysql;     /* what it does first */
    const char *postgres_2, *mysql_2; /* what takes long */
    const char *word;
} spared[] = {
    {"SET application_name = 'pg_dump'", "SELECT 1", "SELECT COUNT(*), pg_sleep(4) FROM t",
     "SELECT /*!40001 SQL_NO_CACHE */ id, SLEEP(id = 1 AND v < 2) + SLEEP(4 * (id = 2)) FROM t",                  "backup"     },
    {"SET vacuum_cost_delay = 100",      "SELECT 1", NULL,                                  "LOCK TABLES t READ", "maintenance"},
};

static void leaves_alone(struct scene *s, const struct spared *one)
{
    struct busy busy;

    const pid_t osc = comes_to(s, "cutover", "--cutover-timeout=2s", "--kill-blockers-after=100ms");
    struct link link = arrives(s);
    does(&link, scene_pick(s, one->postgres, one->mysql));
    starts(&busy, link, scene_pick(s, one->postgres_2, one->mysql_2));
    scene_release(s, "cutover");
    awaits(s, osc, one->word);
    assert_exit(scene_wait(s, osc), 1);
    assert_int_equal(ends(&busy), REPLY_OK);
    link_close(&busy.link);
    assert_exit(scene_osc(s, "resume", NULL), 0);
    scene_sql(s, "ALTER TABLE t DROP COLUMN c");
    assert_exit(scene_osc(s, "finish", NULL), 0);
}

static void backups_and_maintenance_are_left_alone(void **state)
{
    struct scene *s = *state;

    assert_true(plugin(s, "INSTALL SONAME 'metadata_lock_info'"));
    for (size_t i = 0; i < ARRAY_SIZE(spared); i++)
        if (scene_pick(s, spared[i].postgres_2, spared[i].mysql_2))
            leaves_alone(s, &spared[i]);
    assert_true(plugin(s, "UNINSTALL SONAME 'metadata_lock_info'"));
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
static void a_lost_race_is_told(void **state)
{
    struct scene *s = *state;
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
    assert_exit(scene_osc(s, "resume", NULL), 0);
    assert_true(has_column(s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_lost_race_is_told, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(waiting_ddl_is_named, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(capture_waits_for_prepared_transactions, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(the_cutover_waits_for_prepared_transactions, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(killed_at_capture, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(killed_at_the_cutover, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(suspects_are_not_killed, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(backups_and_maintenance_are_left_alone, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(capture_waits_for_a_transaction, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(the_cutover_waits_for_a_transaction, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(capture_gives_up, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(the_cutover_gives_up_and_can_be_resumed, open_scene,
                                        close_scene),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
