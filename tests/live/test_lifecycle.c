/*
 * A whole migration, without and with writers, and the commands around it.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "tests/support/scene.h"

static int open_scene(void **state)
{
    *state = scene_open("lifecycle");
    return 0;
}

static int close_scene(void **state)
{
    scene_close(*state);
    return 0;
}

static void make_items(struct scene *s, const char *table, unsigned rows)
{
    scene_sql(s,
              "CREATE TABLE %s (id bigint PRIMARY KEY, name varchar(50), price int NOT NULL, "
              "CONSTRAINT %s_name UNIQUE (name))",
              table, table);
    scene_sql(s, "CREATE INDEX %s_price ON %s (price)", table, table);
    if (rows && s->is_postgres)
        scene_sql(s, "INSERT INTO %s SELECT i, 'item ' || i, i %% 97 FROM generate_series(1, %u) i",
                  table, rows);
    else if (rows)
        scene_sql(s,
                  "INSERT INTO %s WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                  "WHERE i < %u) SELECT i, CONCAT('item ', i), i %% 97 FROM n",
                  table, rows);
}

static uint64_t sum_of(struct scene *s, const char *table)
{
    return scene_number(s, "SELECT COALESCE(SUM(id * 31 + price), 0) + COUNT(*) FROM %s", table);
}

static void a_table_gets_its_new_column(void **state)
{
    struct scene *s = *state;

    make_items(s, "items", 900);
    const uint64_t before = sum_of(s, "items");
    assert_exit(
        scene_osc(s, "alter", "items", "ADD COLUMN note varchar(20) NOT NULL DEFAULT 'x'", NULL),
        0);
    assert_int_equal(sum_of(s, "items"), before);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM items WHERE note = 'x'"), 900);
    assert_int_equal(sum_of(s, "items_osc_old"), before);
    assert_nothing_left(s, true);
    assert_exit(scene_osc(s, "finish", "1", NULL), 0);
    assert_nothing_left(s, false);
}

static void empty_and_one_row_tables_are_normal(void **state)
{
    struct scene *s = *state;

    for (unsigned rows = 0; rows <= 1; rows++) {
        const char *table = rows ? "one" : "none";
        make_items(s, table, rows);
        assert_exit(scene_osc(s, "alter", table, "ADD COLUMN c int", "--after=drop", NULL), 0);
        assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM %s WHERE c IS NULL", table), rows);
    }
    assert_nothing_left(s, true);
}

static void a_rejected_alter_leaves_nothing(void **state)
{
    struct scene *s = *state;

    make_items(s, "plain", 10);
    assert_exit(scene_osc(s, "alter", "plain", "DROP COLUMN nothing_like_it", NULL), 3);
    assert_exit(scene_osc(s, "alter", "plain", "ADD COLUMN", NULL), 3);
    assert_exit(scene_osc(s, "alter", "plain", "", NULL), 2);
    assert_exit(scene_osc(s, "alter", "plain", "RENAME TO other", NULL), 2);
    assert_exit(scene_osc(s, "alter", "plain", "ADD COLUMN c int; DROP TABLE plain", NULL), 2);
    assert_exit(scene_osc(s, "alter", "no_such_table", "ADD COLUMN c int", NULL), 3);
    assert_exit(scene_osc(s, "plan", "plain", "DROP COLUMN nothing_like_it", NULL), 3);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM plain"), 10);
    assert_nothing_left(s, true);
}

static void plan_changes_nothing(void **state)
{
    struct scene *s = *state;

    make_items(s, "planned", 50);
    struct outcome plan =
        scene_osc(s, "plan", "planned", "ADD COLUMN c int, DROP COLUMN price", NULL);
    assert_int_equal(plan.status, 0);
    assert_non_null(strstr(plan.out, "planned_osc_new"));
    assert_non_null(strstr(plan.out, " TRIGGER "));
    assert_non_null(strstr(plan.out, "INSERT INTO"));
    outcome_free(&plan);
    assert_nothing_left(s, true);
    assert_int_equal(
        scene_number(s, "SELECT CASE WHEN SUM(price) > 0 THEN 1 ELSE 0 END FROM planned"), 1);
}

static void two_runs_on_one_table_cannot_meet(void **state)
{
    struct scene *s = *state;

    make_items(s, "busy", 500);
    scene_hold(s, "copy");
    const pid_t first = scene_start(s, "alter", "busy", "ADD COLUMN c int", NULL);
    scene_await(s, "copy");
    assert_says(scene_osc(s, "alter", "busy", "ADD COLUMN d int", NULL), 3, "busy");
    assert_exit(scene_osc(s, "status", NULL), 0);
    scene_release(s, "copy");
    assert_exit(scene_wait(s, first), 0);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM busy WHERE c IS NULL"), 500);
}

/* All want to make the table of the migrations, and each to drop it when it seems the last. */
static void several_begin_at_once_and_end_at_once(void **state)
{
    enum { RUNS = 8, ROUNDS = 3 };
    struct scene *s = *state;
    pid_t runs[RUNS];

    for (unsigned i = 0; i < RUNS; i++)
        make_items(s, arena_printf(s->arena, "side%u", i), 3);
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < RUNS; i++)
            runs[i] = scene_start(s, "alter", arena_printf(s->arena, "side%u", i),
                                  arena_printf(s->arena, "ADD COLUMN c%u int", round),
                                  "--after=drop", NULL);
        for (unsigned i = 0; i < RUNS; i++)
            assert_exit(scene_wait(s, runs[i]), 0);
        assert_nothing_left(s, false);
    }
}

static void abort_reaches_the_running_process(void **state)
{
    struct scene *s = *state;

    make_items(s, "unwanted", 500);
    scene_hold(s, "before-indexes");
    const pid_t run = scene_start(s, "alter", "unwanted", "ADD COLUMN c int", NULL);
    scene_await(s, "before-indexes");
    const pid_t aborter = scene_start(s, "abort", NULL);
    while (!scene_number(s, "SELECT COUNT(*) FROM osc_state WHERE wish = 'abort'"))
        ;
    scene_release(s, "before-indexes");
    assert_exit(scene_wait(s, aborter), 0);
    assert_exit(scene_wait(s, run), 6);
    assert_nothing_left(s, true);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM unwanted"), 500);
}

static void a_killed_run_is_resumed_or_aborted(void **state)
{
    static const char *const steps[] = {"shadow",  "capture",  "copy",   "before-indexes",
                                        "indexes", "catch-up", "verify", "cutover",
                                        "locked",  "swapped",  "finish"};
    struct scene *s = *state;

    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        char table[40];
        const bool swapped = i >= 9;
        (void)snprintf(table, sizeof table, "killed%zu", i);
        make_items(s, table, 300);
        const uint64_t before = sum_of(s, table);
        for (int again = 0; again < 2; again++) {
            scene_kill_at(s, steps[i]);
            assert_exit(scene_osc(s, "alter", table,
                                  again ? "ADD COLUMN d int" : "ADD COLUMN c int", "--after=drop",
                                  NULL),
                        128 + 9);
            scene_release(s, steps[i]);
            /* the application goes on meanwhile */
            scene_sql(s, "UPDATE %s SET price = price + 1 WHERE id = 7", table);
            scene_sql(s, "UPDATE %s SET price = price - 1 WHERE id = 7", table);
            assert_exit(scene_osc(s, again && !swapped ? "abort" : "resume", NULL), 0);
            assert_nothing_left(s, false);
            assert_int_equal(sum_of(s, table), before);
        }
        assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM %s WHERE c IS NULL", table), 300);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_table_gets_its_new_column, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(empty_and_one_row_tables_are_normal, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(a_rejected_alter_leaves_nothing, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(plan_changes_nothing, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(two_runs_on_one_table_cannot_meet, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(several_begin_at_once_and_end_at_once, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(abort_reaches_the_running_process, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(a_killed_run_is_resumed_or_aborted, open_scene,
                                        close_scene),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
