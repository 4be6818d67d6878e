#include "tests/unit/unit.h"

#include "osc/db/tempo.h"

static void look(struct tempo *tempo, unsigned times, bool is_quiet)
{
    while (times--)
        tempo_look(tempo, is_quiet);
}

static void commit_many(struct tempo *tempo, unsigned times, uint64_t took_us)
{
    while (times--)
        tempo_commit(tempo, took_us);
}

static void begins_gently_and_one_quiet_look_lets_go(void **state)
{
    (void)state;
    struct tempo tempo;

    tempo_begin(&tempo);
    assert_false(tempo.is_alone);
    assert_true(tempo_rest_us(&tempo, 1000) > 0);
    look(&tempo, 1, true);
    assert_true(tempo.is_alone);
    assert_int_equal(tempo_rest_us(&tempo, 1000), 0);
}

static void who_writes_in_bursts_is_not_left_alone_between_them(void **state)
{
    (void)state;
    struct tempo tempo;

    tempo_begin(&tempo);
    for (unsigned burst = 0; burst < 5; burst++) {
        look(&tempo, 1, false);
        look(&tempo, 5, true);
        assert_false(tempo.is_alone);
    }
    look(&tempo, 5, true);
    assert_true(tempo.is_alone);
    look(&tempo, 1, false);
    assert_false(tempo.is_alone);
}

static void quick_commits_let_the_duty_grow_and_slow_ones_cut_it(void **state)
{
    (void)state;
    struct tempo tempo;

    tempo_begin(&tempo);
    look(&tempo, 1, false);
    const unsigned first = tempo.duty;
    for (unsigned n = 0; n < 100; n++) {
        commit_many(&tempo, 10, 2000);
        look(&tempo, 1, false);
    }
    const unsigned most = tempo.duty;
    assert_true(most > first && most < 100);

    commit_many(&tempo, 8, 2000);
    commit_many(&tempo, 2, 30000);
    look(&tempo, 1, false);
    assert_true(tempo.duty < most);
    assert_true(tempo_rest_us(&tempo, 10000) > 10000 * (100 - most) / most);

    for (unsigned n = 0; n < 100; n++) {
        commit_many(&tempo, 10, 30000);
        look(&tempo, 1, false);
    }
    assert_true(tempo.duty >= 10); /* never so far that it stands still */
}

static void one_slow_commit_among_many_is_chance(void **state)
{
    (void)state;
    struct tempo tempo;

    tempo_begin(&tempo);
    commit_many(&tempo, 30, 2000);
    commit_many(&tempo, 1, 50000);
    const unsigned before = tempo.duty;
    look(&tempo, 1, false);
    assert_true(tempo.duty > before);
}

static void a_server_that_is_slow_by_nature_is_not_called_disturbed(void **state)
{
    (void)state;
    struct tempo tempo;

    tempo_begin(&tempo);
    for (unsigned n = 0; n < 20; n++) {
        commit_many(&tempo, 10, 20000);
        look(&tempo, 1, false);
    }
    const unsigned before = tempo.duty;
    commit_many(&tempo, 10, 25000);
    look(&tempo, 1, false);
    assert_true(tempo.duty >= before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begins_gently_and_one_quiet_look_lets_go),
        cmocka_unit_test(who_writes_in_bursts_is_not_left_alone_between_them),
        cmocka_unit_test(quick_commits_let_the_duty_grow_and_slow_ones_cut_it),
        cmocka_unit_test(one_slow_commit_among_many_is_chance),
        cmocka_unit_test(a_server_that_is_slow_by_nature_is_not_called_disturbed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
