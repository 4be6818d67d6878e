/*
 * Backups and vacuums against wraparound stand on the table, or on the whole
 * server: osc names who it is, gives up in time, ends none of them, and goes on
 * when they are through.  On a server of the test's own.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "osc/base/clock.h"
#include "tests/support/others.h"
#include "tests/support/own_server.h"

enum { PATIENCE_MS = 30000 };

static const char kill_soon[] = "--kill-blockers-after=100ms";

/* ---- PostgreSQL: a vacuum that does not give way ---- */

/* Many pages, each of which takes its time, and a young age is too old for them. */
static void make_table_old_soon(struct scene *s)
{
    scene_sql(s, "ALTER TABLE t SET (autovacuum_freeze_max_age = 100000, "
                 "autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1)");
    scene_sql(s, "ALTER TABLE t ADD COLUMN f text");
    scene_sql(s, "ALTER TABLE t ALTER COLUMN f SET STORAGE PLAIN");
    scene_sql(s, "UPDATE t SET f = repeat('x', 3000)");
    scene_sql(s, "SET synchronous_commit = off");
    scene_sql(s, "ALTER SYSTEM SET autovacuum_naptime = '1s'");
    scene_sql(s, "ALTER SYSTEM SET autovacuum = on");
    scene_sql(s, "SELECT pg_reload_conf()");
}

static void burn_transactions(struct scene *s)
{
    scene_sql(s, "DO $$ BEGIN FOR i IN 1 .. 101000 LOOP PERFORM txid_current(); COMMIT; END LOOP; "
                 "END $$");
}

static uint64_t vacuum_process(struct scene *s)
{
    return scene_number(s,
                        "SELECT coalesce(max(pid), 0) FROM pg_stat_activity WHERE backend_type = "
                        "'autovacuum worker' AND query LIKE '%%.t (to prevent wraparound)'");
}

static uint64_t await_vacuum(struct scene *s)
{
    const struct deadline until = deadline_in_ms(PATIENCE_MS);
    const struct timespec pause = {.tv_nsec = 50000000};

    for (uint64_t pid; !deadline_passed(&until); (void)nanosleep(&pause, NULL))
        if ((pid = vacuum_process(s)))
            return pid;
    fail_msg("no vacuum against wraparound has begun");
    return 0;
}

/* And none begins again: the launcher may have sent for another one before it heard of it. */
static void vacuum_ends(struct scene *s)
{
    const struct timespec nap = {.tv_sec = 1, .tv_nsec = 200000000};

    scene_sql(s, "ALTER SYSTEM SET autovacuum = off");
    scene_sql(s, "SELECT pg_reload_conf()");
    do {
        scene_sql(s, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = "
                     "'autovacuum worker'");
        (void)nanosleep(&nap, NULL);
    } while (vacuum_process(s));
}

static void capture_waits_for_a_vacuum(void **state)
{
    struct scene *s = *state;
    struct application app;

    if (!s->is_postgres)
        return;
    make_table_old_soon(s);
    const pid_t osc = comes_to(s, "capture", "--cutover-timeout=30s", kill_soon);
    burn_transactions(s);
    const uint64_t vacuum = await_vacuum(s);
    writes_go_on(&app, s);
    scene_release(s, "capture");
    awaits(s, osc, "to prevent wraparound");
    assert_int_equal(vacuum_process(s), vacuum);
    vacuum_ends(s);
    assert_exit(scene_wait(s, osc), 0);
    nobody_waited_long(&app);
    assert_true(has_column(s));
    every_write_is_there(s, &app);
}

static void the_cutover_gives_up_behind_a_vacuum(void **state)
{
    struct scene *s = *state;
    struct application app;

    if (!s->is_postgres)
        return;
    make_table_old_soon(s);
    const pid_t osc = comes_to(s, "cutover", "--cutover-timeout=3s", kill_soon);
    burn_transactions(s);
    const uint64_t vacuum = await_vacuum(s);
    writes_go_on(&app, s);
    scene_release(s, "cutover");
    struct outcome outcome = scene_wait(s, osc);
    assert_non_null(strstr(outcome.err, "osc resume"));
    assert_says(outcome, 1, "to prevent wraparound");
    assert_int_equal(vacuum_process(s), vacuum);
    assert_false(has_column(s));
    vacuum_ends(s);
    assert_exit(scene_osc(s, "resume", "--cutover-timeout=30s", NULL), 0);
    nobody_waited_long(&app);
    assert_true(has_column(s));
    every_write_is_there(s, &app);
}

/* ---- the MySQL family: backups ---- */

struct backup {
    const char *begin[2], *end;
    bool writes_go_on; /* only DDL has to wait */
};

static const struct backup global_lock = {
    .begin = {"FLUSH TABLES WITH READ LOCK"},
    .end = "UNLOCK TABLES",
};

static struct backup modern_backup(void)
{
    if (strncmp(getenv("OSC_TEST_SERVER"), "mariadb", 7) == 0)
        return (struct backup){
            .begin = {"BACKUP STAGE START", "BACKUP STAGE BLOCK_DDL"},
            .end = "BACKUP STAGE END",
            .writes_go_on = true,
        };
    return (struct backup){
        .begin = {"LOCK INSTANCE FOR BACKUP"},
        .end = "UNLOCK INSTANCE",
        .writes_go_on = true,
    };
}

static struct link backs_up(const struct scene *s, const struct backup *backup)
{
    struct link link = arrives(s);

    for (size_t i = 0; i < ARRAY_SIZE(backup->begin) && backup->begin[i]; i++)
        does(&link, backup->begin[i]);
    return link;
}

/* The backup is longer than osc wants to wait, and must go on as if nothing were. */
static void gives_up_behind(struct scene *s, const char *step, struct backup backup)
{
    struct application app;

    const pid_t osc = comes_to(s, step, "--cutover-timeout=2s", kill_soon);
    struct link link = backs_up(s, &backup);
    if (backup.writes_go_on)
        writes_go_on(&app, s);
    scene_release(s, step);
    assert_exit(scene_wait(s, osc), 1);
    does(&link, backup.end);
    link_close(&link);
    assert_false(has_column(s));
    assert_exit(scene_osc(s, strcmp(step, "cutover") == 0 ? "resume" : "abort", NULL), 0);
    if (backup.writes_go_on) {
        nobody_waited_long(&app);
        every_write_is_there(s, &app);
    }
    assert_int_equal(has_column(s), strcmp(step, "cutover") == 0);
}

static void capture_gives_up_behind_a_backup(void **state)
{
    struct scene *s = *state;

    if (!s->is_postgres)
        gives_up_behind(s, "capture", modern_backup());
}

static void the_cutover_gives_up_behind_a_backup(void **state)
{
    struct scene *s = *state;

    if (!s->is_postgres)
        gives_up_behind(s, "cutover", modern_backup());
}

static void capture_gives_up_behind_a_global_lock(void **state)
{
    struct scene *s = *state;

    if (!s->is_postgres)
        gives_up_behind(s, "capture", global_lock);
}

static void the_cutover_gives_up_behind_a_global_lock(void **state)
{
    struct scene *s = *state;

    if (!s->is_postgres)
        gives_up_behind(s, "cutover", global_lock);
}

/* MariaDB tells of them when its plugin is there. */
static void backups_are_named(void **state)
{
    struct scene *s = *state;
    const bool needs_plugin = strncmp(getenv("OSC_TEST_SERVER"), "mariadb", 7) == 0;
    struct backup backup = modern_backup();

    if (s->is_postgres)
        return;
    if (needs_plugin)
        scene_sql(s, "INSTALL SONAME 'metadata_lock_info'");
    const pid_t osc = comes_to(s, "cutover", "--cutover-timeout=30s", kill_soon);
    struct link link = backs_up(s, &backup);
    scene_release(s, "cutover");
    awaits(s, osc, "idle with a lock on the whole server");
    awaits(s, osc, "spared_because=backup");
    does(&link, backup.end);
    assert_exit(scene_wait(s, osc), 0);
    link_close(&link);
    assert_true(has_column(s));
    if (needs_plugin)
        scene_sql(s, "UNINSTALL SONAME 'metadata_lock_info'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(capture_waits_for_a_vacuum, others_open, others_close),
        cmocka_unit_test_setup_teardown(the_cutover_gives_up_behind_a_vacuum, others_open,
                                        others_close),
        cmocka_unit_test_setup_teardown(capture_gives_up_behind_a_backup, others_open,
                                        others_close),
        cmocka_unit_test_setup_teardown(the_cutover_gives_up_behind_a_backup, others_open,
                                        others_close),
        cmocka_unit_test_setup_teardown(capture_gives_up_behind_a_global_lock, others_open,
                                        others_close),
        cmocka_unit_test_setup_teardown(the_cutover_gives_up_behind_a_global_lock, others_open,
                                        others_close),
        cmocka_unit_test_setup_teardown(backups_are_named, others_open, others_close),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, own_server_open, own_server_close);
}
