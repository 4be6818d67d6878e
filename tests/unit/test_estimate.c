/* How long it is going to take: the arithmetic. */
#include "tests/unit/unit.h"

#include "osc/estimate.h"

static const struct costs costs = {
    .probe_s = 0.1,
    .start = 1,
    .per_mrow = 2,
    .per_gib = 4,
    .per_index_gib = 8,
    .verify_per_mrow = 16,
    .verify_per_gib = 32,
};
static const struct table table = {
    .rows_estimate = 2000000, .data_bytes = UINT64_C(3) << 30, .index_bytes = 1 << 30};
static const struct table nothing = {.rows_estimate = 0};

static bool is_about(double seconds, double expected)
{
    return seconds > expected * 0.999 && seconds < expected * 1.001;
}

static void rows_bytes_and_indexes_count(void **state)
{
    (void)state;
    assert_true(is_about(estimate_of(&costs, &nothing, 0.1, true).likely_s, 1));
    assert_true(is_about(estimate_of(&costs, &table, 0.1, false).likely_s, 1 + 4 + 12 + 8));
    assert_true(is_about(estimate_of(&costs, &table, 0.1, true).likely_s, 25 + 32 + 96));
}

static void proof_beside_the_indexes_costs_less(void **state)
{
    struct costs beside = costs;

    (void)state;
    beside.beside = 0.5;
    assert_true(is_about(estimate_of(&beside, &table, 0.1, true).likely_s, 25 + 32 + 96 - 4));
    beside.beside = 1000;
    assert_true(is_about(estimate_of(&beside, &table, 0.1, true).likely_s, 25));
    assert_true(is_about(estimate_of(&beside, &table, 0.1, false).likely_s, 25));
}

static void a_slow_server_takes_longer(void **state)
{
    const struct estimate estimate = estimate_of(&costs, &table, 0.4, false);

    (void)state;
    assert_true(is_about(estimate.likely_s, 50));
    assert_true(is_about(estimate.low_s, 35));
    assert_true(is_about(estimate.high_s, 65));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_bytes_and_indexes_count),
        cmocka_unit_test(proof_beside_the_indexes_costs_less),
        cmocka_unit_test(a_slow_server_takes_longer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
