/*
 * --kill-blockers-after: who is ended when he has held the table for too long,
 * and who never is.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "osc/db/server.h"
#include "tests/support/others.h"

static const char *const never = "--kill-blockers-after=never";

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

/* Some servers list no connection at all while a statement of one has a character of four bytes. */
static void no_statement_hides_who_holds(void **state)
{
    struct scene *s = *state;
    struct scene theirs = *s;
    struct busy busy;

    if (s->is_postgres)
        return;
    const char *user = arena_printf(s->arena, "'plain_%d'@'%%'", (int)getpid());
    scene_sql(s, "CREATE USER %s", user);
    scene_sql(s, "GRANT ALL ON %s.* TO %s", s->schema, user);
    scene_sql(s, "GRANT PROCESS, SUPER ON *.* TO %s", user);
    (void)snprintf(theirs.dsn, sizeof theirs.dsn, "mysql://plain_%d%s", (int)getpid(),
                   strchr(s->dsn, '@'));
    const pid_t osc = comes_to(&theirs, "cutover", "--cutover-timeout=2s", never);
    struct link other = begins_to_write(s);
    starts(&busy, arrives(s), "SELECT SLEEP(6), '\xF0\x9F\x98\x80'");
    scene_release(&theirs, "cutover");
    assert_says(scene_wait(&theirs, osc), 1, "idle in transaction");
    does(&other, "ROLLBACK");
    link_close(&other);
    assert_exit(scene_osc(&theirs, "resume", NULL), 0);
    assert_int_equal(ends(&busy), REPLY_OK);
    link_close(&busy.link);
    scene_sql(s, "DROP USER %s", user);
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

/* Asked once when osc connects; whoever administers the server may think otherwise later. */
static void what_tells_who_holds_may_go(void **state)
{
    struct scene *s = *state;

    assert_true(plugin(s, "INSTALL SONAME 'metadata_lock_info'"));
    const pid_t osc = comes_to(s, "cutover", "--cutover-timeout=30s", never);
    assert_true(plugin(s, "UNINSTALL SONAME 'metadata_lock_info'"));
    scene_release(s, "cutover");
    assert_exit(scene_wait(s, osc), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(killed_at_capture, others_open, others_close),
        cmocka_unit_test_setup_teardown(killed_at_the_cutover, others_open, others_close),
        cmocka_unit_test_setup_teardown(suspects_are_not_killed, others_open, others_close),
        cmocka_unit_test_setup_teardown(no_statement_hides_who_holds, others_open, others_close),
        cmocka_unit_test_setup_teardown(what_tells_who_holds_may_go, others_open, others_close),
        cmocka_unit_test_setup_teardown(backups_and_maintenance_are_left_alone, others_open,
                                        others_close),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
