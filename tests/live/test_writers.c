/*
 * Swaps under writers of every kind: afterwards the witness finds every
 * acknowledged write once, and no application has seen an error.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "tests/support/scene.h"
#include "tests/support/traffic.h"

enum { WRITERS = 8, ROWS = 4000, RATE = 250 };

static int open_scene(void **state)
{
    *state = scene_open("writers");
    return 0;
}

static int close_scene(void **state)
{
    scene_close(*state);
    return 0;
}

static void fail_for(const struct traffic_verdict *verdict, const char *what, int swap)
{
    for (size_t i = 0; i < verdict->difference_count; i++)
        print_message("%s: %s\n", verdict->differences[i].kind, verdict->differences[i].text);
    fail_msg("%s, swap %d: %s", what, swap, verdict->problem);
}

/* There and back again, `swaps` times, then the account. */
static void swap_under_writers(struct scene *s, const char *shape, const char *const alters[2],
                               int swaps)
{
    const struct traffic_options options = {
        .dsn = s->dsn,
        .shape = shape,
        .writers = WRITERS,
        .readers = 1,
        .rate = RATE,
        .create_rows = ROWS,
    };
    struct traffic_error trouble;
    const char *table = traffic_shape_table(shape);

    struct traffic *traffic = traffic_start(&options, &trouble);
    if (!traffic)
        fail_msg("%s: %s", shape, trouble.text);
    for (int swap = 0; swap < swaps; swap++) {
        struct traffic_verdict verdict;
        /* The second one gently, as it goes by default. */
        const char *threads = swap == 1 ? "--threads=auto" : "--threads=2";
        assert_exit(scene_osc(s, "alter", table, alters[swap % 2], "--after=drop", threads, NULL),
                    0);
        if (!traffic_check(traffic, &verdict))
            fail_for(&verdict, shape, swap);
    }
    struct traffic_report *report = traffic_stop(traffic);
    if (!traffic_passed(report)) {
        traffic_print(report, stderr);
        fail_msg("%s: the application noticed", shape);
    }
    print_message("%s: %d swaps, %lu transactions, p99 %.0f ms, longest stall %.0f ms\n", shape,
                  swaps, (unsigned long)report->counters.transactions, report->write.p99_ms,
                  report->stall.ms);
    traffic_report_free(report);
    assert_nothing_left(s, false);
}

static const char *const add_and_drop[2] = {"ADD COLUMN phone varchar(20) NOT NULL DEFAULT ''",
                                            "DROP COLUMN phone"};

static void users(void **state)
{
    swap_under_writers(*state, "users", add_and_drop, 12);
}

static void composite_keys(void **state)
{
    swap_under_writers(*state, "composite", add_and_drop, 4);
}

static void text_keys(void **state)
{
    swap_under_writers(*state, "text", add_and_drop, 4);
}

static void uuid_keys(void **state)
{
    swap_under_writers(*state, "uuid", add_and_drop, 4);
}

static void odd_names(void **state)
{
    swap_under_writers(*state, "quoted", add_and_drop, 2);
}

static void longest_names(void **state)
{
    swap_under_writers(*state, "longname", add_and_drop, 2);
}

static void nullable_columns(void **state)
{
    swap_under_writers(*state, "nullable", add_and_drop, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(users, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(composite_keys, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(text_keys, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(uuid_keys, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(odd_names, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(longest_names, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(nullable_columns, open_scene, close_scene),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
