/*
 * Memory: osc needs no more of it for many rows, wide ones, wide keys or a long backlog than for a
 * small table.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "tests/support/scene.h"

enum {
    FEW = 2000,
    MANY = 150000,
    BACKLOG = 100000,
    WIDE = 8000,
    SLACK_KB = 3000, /* twenty bytes a row would be noticed */
};

/* What it would keep is often freed by the time it ends, or poisoned for a while: no measure. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static const bool is_measured = false;
#else
static const bool is_measured = true;
#endif

/* t has `rows` rows; `columns` are behind its id, with `values` in them. */
static void make_table(struct scene *s, unsigned rows, const char *columns, const char *values)
{
    scene_sql(s, "DROP TABLE IF EXISTS t");
    scene_sql(s, "CREATE TABLE t (id int NOT NULL, v int NOT NULL, %s)", columns);
    scene_sql(s, "CREATE TABLE n (i int PRIMARY KEY)");
    scene_sql(s, "INSERT INTO n VALUES (1)");
    for (unsigned n = 1; n < rows; n *= 2)
        scene_sql(s, "INSERT INTO n SELECT i + %u FROM n WHERE i + %u <= %u", n, n, rows);
    scene_sql(s, "INSERT INTO t SELECT i, 0, %s FROM n", values);
    scene_sql(s, "DROP TABLE n");
}

static const char narrow[] = "pad varchar(30) NOT NULL, PRIMARY KEY (id)", short_pad[] = "'short'";

static long peak_of(struct outcome outcome)
{
    const long peak_kb = outcome.peak_kb;

    assert_exit(outcome, 0);
    return peak_kb;
}

static long migrates(struct scene *s)
{
    return peak_of(scene_osc(s, "alter", "t", "ADD COLUMN c int", "--after=drop", NULL));
}

/* Most of the rows are written between the copy and the replay. */
static long migrates_with_backlog(struct scene *s, unsigned entries)
{
    scene_hold(s, "before-indexes");
    const pid_t osc = scene_start(s, "alter", "t", "ADD COLUMN c int", "--after=drop", NULL);
    scene_await(s, "before-indexes");
    scene_sql(s, "UPDATE t SET v = v + 1 WHERE id <= %u", entries);
    scene_release(s, "before-indexes");
    const long peak_kb = peak_of(scene_wait(s, osc));
    assert_int_equal(scene_number(s, "SELECT SUM(v) FROM t"), entries);
    return peak_kb;
}

static void assert_flat(const char *of, long little_kb, long much_kb)
{
    print_message("%s: %ld kB, %ld kB for a small table\n", of, much_kb, little_kb);
    if (is_measured)
        assert_true(much_kb < little_kb + SLACK_KB);
}

static int open_scene(void **state)
{
    *state = scene_open("memory");
    return 0;
}

static int close_scene(void **state)
{
    scene_close(*state);
    return 0;
}

static void many_rows_need_no_more_memory(void **state)
{
    struct scene *s = *state;

    make_table(s, FEW, narrow, short_pad);
    const long little = migrates(s);
    make_table(s, MANY, narrow, short_pad);
    assert_flat("many rows", little, migrates(s));
}

static void wide_rows_need_no_more_memory(void **state)
{
    struct scene *s = *state;
    const char *columns = scene_pick(s, "pad bytea NOT NULL, PRIMARY KEY (id)",
                                     "pad longblob NOT NULL, PRIMARY KEY (id)");
    const char *values = scene_pick(s, "decode(repeat(md5(i::text), 256), 'hex')",
                                    "REPEAT(SHA2(i, 256), 64)"); /* 4 KB */

    make_table(s, FEW / 10, columns, values);
    const long little = migrates(s);
    make_table(s, WIDE, columns, values);
    assert_flat("wide rows", little, migrates(s));
}

static void a_long_backlog_needs_no_more_memory(void **state)
{
    struct scene *s = *state;

    make_table(s, FEW, narrow, short_pad);
    const long little = migrates_with_backlog(s, FEW / 10);
    make_table(s, BACKLOG, narrow, short_pad);
    assert_flat("a long backlog", little, migrates_with_backlog(s, BACKLOG));
}

/* Bounds and entries hold keys. */
static void wide_keys_need_no_more_memory(void **state)
{
    struct scene *s = *state;
    const char *columns =
        scene_pick(s, "k varchar(500) NOT NULL, PRIMARY KEY (k)",
                   "k varchar(500) CHARACTER SET ascii NOT NULL, PRIMARY KEY (k)");
    const char *values = scene_pick(s, "repeat(md5(i::text), 15)", "REPEAT(SHA2(i, 256), 7)");

    make_table(s, FEW / 4, columns, values);
    const long little = migrates_with_backlog(s, FEW / 10);
    make_table(s, WIDE, columns, values);
    assert_flat("wide keys", little, migrates_with_backlog(s, WIDE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(many_rows_need_no_more_memory, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(wide_rows_need_no_more_memory, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(a_long_backlog_needs_no_more_memory, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(wide_keys_need_no_more_memory, open_scene, close_scene),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
