/*
 * Where no RENAME is allowed under LOCK TABLES, a second connection has it queued
 * behind a sentry: whatever becomes of that connection, the swap is whole, tried
 * again, or told.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "tests/support/scene.h"

static int open_scene(void **state)
{
    struct scene *s = scene_open("sentry");

    scene_sql(s, "CREATE TABLE t (id int PRIMARY KEY, v int NOT NULL)");
    scene_sql(s, "INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)");
    *state = s;
    return 0;
}

static int close_scene(void **state)
{
    scene_close(*state);
    return 0;
}

static bool needs_sentry(void)
{
    return strncmp(getenv("OSC_TEST_SERVER"), "mariadb", 7) == 0;
}

static pid_t begin(struct scene *s, const char *moment)
{
    scene_hold(s, moment);
    const pid_t run = scene_start(s, "alter", "t", "ADD COLUMN c int", NULL);
    scene_await(s, moment);
    return run;
}

static const char renames[] =
    "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'RENAME TABLE %'";

/* Once it is there. */
static void kill_the_rename(struct scene *s)
{
    scene_await_some(s, renames);
    scene_sql(s, "KILL QUERY %s",
              scene_value(s, "SELECT ID FROM information_schema.PROCESSLIST "
                             "WHERE INFO LIKE 'RENAME TABLE %%'"));
    while (scene_number(s, "%s", renames) != 0)
        ;
}

static void a_rename_that_is_killed_is_tried_again(void **state)
{
    static const char *const moments[] = {"rename-sent", "before-rename", "sentry-dropped"};
    struct scene *s = *state;

    if (!needs_sentry())
        return;
    for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
        const pid_t run = begin(s, moments[i]);
        kill_the_rename(s);
        scene_release(s, moments[i]);
        assert_exit(scene_wait(s, run), 0);
        assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t WHERE c IS NULL"), 3);
        assert_exit(scene_osc(s, "finish", NULL), 0);
        assert_nothing_left(s, false);
        scene_sql(s, "ALTER TABLE t DROP COLUMN c");
    }
}

/* It cannot happen as long as the server keeps to the order of its queue. */
static void a_write_between_the_last_look_and_the_swap_is_told(void **state)
{
    struct scene *s = *state;

    if (!needs_sentry())
        return;
    const pid_t run = begin(s, "renamed");
    scene_sql(s, "INSERT INTO t_osc_journal (k1) VALUES (2)");
    scene_release(s, "renamed");
    assert_says(scene_wait(s, run), 4, "copy these rows from t_osc_old by hand");
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t_osc_old"), 3);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t_osc_journal WHERE k1 = 2"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_rename_that_is_killed_is_tried_again),
        TEST(a_write_between_the_last_look_and_the_swap_is_told),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
