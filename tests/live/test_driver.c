/*
 * What both drivers must do: name columns, end a statement from another thread, and
 * tell an error that comes in the middle of the rows.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "osc/base/clock.h"
#include "osc/base/group.h"
#include "tests/support/scene.h"

static int open_scene(void **state)
{
    *state = scene_open("driver");
    return 0;
}

static int close_scene(void **state)
{
    scene_close(*state);
    return 0;
}

static void columns_have_names(void **state)
{
    struct scene *s = *state;
    struct error err = ERROR_INIT;
    AUTO(rows) rows = ROWS_INIT;

    assert_true(db_query(s->db, &rows, "SELECT 1 AS one, 2 AS two", &err));
    assert_string_equal(rows_name(&rows, 1), "two");
    assert_true(rows_next(&rows, &err));
    assert_int_equal(rows_u64(&rows, 1), 2);
}

static bool interrupt_soon(void *db, struct cancel *cancel, struct error *err)
{
    (void)err;
    while (cancel_sleep_ms(cancel, 200))
        db_interrupt(db);
    return true;
}

static void a_statement_can_be_ended_from_another_thread(void **state)
{
    struct scene *s = *state;
    struct error err = ERROR_INIT, ignored = ERROR_INIT;
    struct group *group = group_new(NULL);
    const uint64_t began = clock_ms();

    assert_true(group_start(group, "interrupt", interrupt_soon, s->db, &err));
    (void)!db_exec(s->db, scene_pick(s, "SELECT pg_sleep(50)", "SELECT SLEEP(50)"), NULL, &err);
    group_cancel(group);
    (void)!group_join(group, &ignored);
    assert_in_range(clock_ms() - began, 0, 30000);
}

/* The third row divides by zero, or has two values where one may be. */
static void an_error_in_the_middle_of_the_rows_is_one(void **state)
{
    struct scene *s = *state;
    const char *query =
        scene_pick(s, "SELECT 1 / (3 - i) FROM generate_series(1, 5) i",
                   "SELECT IF(i = 3, (SELECT 1 UNION SELECT 2 FROM (SELECT i) x), i) FROM (SELECT "
                   "1 AS i UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4) n");
    struct error err = ERROR_INIT;
    AUTO(rows) rows = ROWS_INIT;
    unsigned n = 0;

    if (db_query(s->db, &rows, query, &err))
        while (rows_next(&rows, &err))
            n++;
    assert_in_range(n, 0, 2);
    assert_int_not_equal(err.kind, ERROR_NONE);
    error_clear(&err);
    assert_false(db_exec(s->db, query, NULL, &err));
    assert_int_not_equal(err.kind, ERROR_NONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(columns_have_names),
        TEST(a_statement_can_be_ended_from_another_thread),
        TEST(an_error_in_the_middle_of_the_rows_is_one),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
