/*
 * Beside: rows are compared while the server builds the shadow's indexes, and what was compared
 * counts only where nobody wrote meanwhile.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/scene.h"

enum { ROWS = 5000 };

static int open_scene(void **state)
{
    struct scene *s = scene_open("beside");

    *state = s;
    (void)setenv("OSC_TUNE_RANGE", "100", 1);
    scene_make_numbers(s, "t", ROWS);
    return 0;
}

static int close_scene(void **state)
{
    (void)unsetenv("OSC_TUNE_RANGE");
    scene_close(*state);
    return 0;
}

/* Servers that build by several threads have no processor to spare. */
static bool compares_beside(struct scene *s)
{
    return !s->is_postgres && !scene_try_sql(s, "SET SESSION innodb_ddl_threads = 2");
}

/* All but the last range is compared, and the build is held at its end. */
static pid_t begin_and_compare(struct scene *s)
{
    scene_hold(s, "compared");
    scene_hold(s, "indexes-built");
    const pid_t osc = scene_start(s, "alter", "t", "ADD COLUMN c int", "--after=drop", "--repair",
                                  "--log-level=info", NULL);
    scene_await(s, "compared");
    scene_await(s, "indexes-built");
    return osc;
}

static struct outcome go_on(struct scene *s, pid_t osc)
{
    scene_release(s, "compared");
    scene_release(s, "indexes-built");
    return scene_wait(s, osc);
}

static void assert_counts(struct outcome outcome, const char *counts)
{
    const char *event = strstr(outcome.err, "rows compared beside the index build");

    assert_int_equal(outcome.status, 0);
    assert_non_null(event);
    assert_memory_equal(strstr(event, "counts="), counts, strlen(counts));
    outcome_free(&outcome);
}

static void nobody_else_writes(void **state)
{
    struct scene *s = *state;

    if (!compares_beside(s))
        return;
    assert_counts(go_on(s, begin_and_compare(s)), "counts=yes");
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t WHERE id = v AND c IS NULL"), ROWS);
    assert_nothing_left(s, false);
}

static void rows_that_are_added_behind_the_others_change_nothing(void **state)
{
    struct scene *s = *state;

    if (!compares_beside(s))
        return;
    const pid_t osc = begin_and_compare(s);
    scene_sql(s, "INSERT INTO t VALUES (%d, 1), (%d, 2)", ROWS + 1, ROWS + 2);
    assert_counts(go_on(s, osc), "counts=yes");
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t"), ROWS + 2);
}

/* The second row was spoilt after it had been compared: it is compared again, and so repaired. */
static void where_somebody_wrote_all_rows_are_compared_again(void **state)
{
    struct scene *s = *state;

    if (!compares_beside(s))
        return;
    const pid_t osc = begin_and_compare(s);
    scene_sql(s, "UPDATE t SET v = 70001 WHERE id = 1");
    scene_sql(s, "UPDATE t_osc_new SET v = 70002 WHERE id = 2");
    assert_counts(go_on(s, osc), "counts=no");
    assert_int_equal(scene_number(s, "SELECT v FROM t WHERE id = 1"), 70001);
    assert_int_equal(scene_number(s, "SELECT v FROM t WHERE id = 2"), 2);
}

static void a_row_that_differs_is_left_to_the_proof(void **state)
{
    struct scene *s = *state;

    if (!compares_beside(s))
        return;
    scene_hold(s, "before-indexes");
    const pid_t osc = scene_start(s, "alter", "t", "ADD COLUMN c int", NULL);
    scene_await(s, "before-indexes");
    scene_sql(s, "UPDATE t_osc_new SET v = 70002 WHERE id = 2500");
    scene_hold(s, "indexes-built");
    scene_hold(s, "compared");
    scene_release(s, "before-indexes");
    scene_await(s, "compared");
    scene_await(s, "indexes-built");
    assert_says(go_on(s, osc), 4, "id=2500: differs in v");
    assert_exit(scene_osc(s, "abort", NULL), 0);
    assert_nothing_left(s, false);
}

static void a_server_that_builds_by_several_threads_compares_later(void **state)
{
    struct scene *s = *state;

    if (compares_beside(s))
        return;
    struct outcome outcome =
        scene_osc(s, "alter", "t", "ADD COLUMN c int", "--after=drop", "--log-level=info", NULL);
    assert_int_equal(outcome.status, 0);
    assert_null(strstr(outcome.err, "beside the index build"));
    outcome_free(&outcome);
}

#define SCENE_TEST(test) cmocka_unit_test_setup_teardown(test, open_scene, close_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(nobody_else_writes),
        SCENE_TEST(rows_that_are_added_behind_the_others_change_nothing),
        SCENE_TEST(where_somebody_wrote_all_rows_are_compared_again),
        SCENE_TEST(a_row_that_differs_is_left_to_the_proof),
        SCENE_TEST(a_server_that_builds_by_several_threads_compares_later),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
