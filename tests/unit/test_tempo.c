#include "tests/unit/unit.h"

#include "osc/db/tempo.h"

static void look(struct tempo *tempo, unsigned times, bool is_quiet)
{
    while (times--)
        tempo_look(tempo, is_quiet, 0);
}

static void strain(struct tempo *tempo, unsigned times, unsigned percent)
{
    while (times--)
        tempo_look(tempo, true, percent);
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

    tempo_begin(&tempo, 2, true);
    assert_true(tempo_power(&tempo) > 0 && tempo_power(&tempo) <= 50);
    assert_int_equal(tempo_places(&tempo), 1);
    look(&tempo, 1, true);
    assert_int_equal(tempo_power(&tempo), 100);
    assert_int_equal(tempo_places(&tempo), 2);
}

static void who_writes_in_bursts_is_not_left_alone_between_them(void **state)
{
    (void)state;
    struct tempo tempo;

    tempo_begin(&tempo, 2, true);
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

    tempo_begin(&tempo, 2, true);
    look(&tempo, 1, false);
    commit_many(&tempo, 8, 2000);
    commit_many(&tempo, 2, 30000);
    look(&tempo, 1, false);
    const unsigned cut = tempo_power(&tempo);
    assert_true(cut < 50);
    for (unsigned n = 0; n < 100; n++) {
        commit_many(&tempo, 10, 2000);
        look(&tempo, 1, false);
    }
    assert_int_equal(tempo_power(&tempo), 50); /* all the time of one thread of two */

    for (unsigned n = 0; n < 100; n++) {
        commit_many(&tempo, 10, 30000);
        look(&tempo, 1, false);
    }
    assert_int_equal(tempo_places(&tempo), 1); /* never so far that it stands still */
}

static void one_slow_commit_among_many_is_chance(void **state)
{
    (void)state;
    struct tempo tempo;

    tempo_begin(&tempo, 2, true);
    commit_many(&tempo, 30, 2000);
    commit_many(&tempo, 1, 50000);
    look(&tempo, 1, false);
    assert_int_equal(tempo.duty, 100);
}

static void a_server_that_is_slow_by_nature_is_not_called_disturbed(void **state)
{
    (void)state;
    struct tempo tempo;

    tempo_begin(&tempo, 2, true);
    for (unsigned n = 0; n < 20; n++) {
        commit_many(&tempo, 10, 40000);
        look(&tempo, 1, false);
    }
    commit_many(&tempo, 10, 60000);
    look(&tempo, 1, false);
    assert_int_equal(tempo.duty, 100);
}

static void far_beyond_a_limit_it_goes_down_to_nothing_within_two_seconds(void **state)
{
    (void)state;
    struct tempo tempo;

    tempo_begin(&tempo, 4, false);
    assert_int_equal(tempo_power(&tempo), 100);
    strain(&tempo, 1, 150);
    assert_int_equal(tempo_power(&tempo), 50); /* not at once */
    assert_int_equal(tempo_places(&tempo), 2);
    strain(&tempo, 2000 / TEMPO_LOOK_MS - 1, 200);
    assert_int_equal(tempo_power(&tempo), 0);
    assert_int_equal(tempo_places(&tempo), 0);
}

static void close_to_a_limit_it_stays_and_well_below_it_grows_slowly(void **state)
{
    (void)state;
    struct tempo tempo;

    tempo_begin(&tempo, 4, false);
    strain(&tempo, 20, 200);
    strain(&tempo, 1, 80);
    const unsigned little = tempo_power(&tempo);
    assert_true(little > 0 && little < 10);
    strain(&tempo, 50, 80);
    assert_int_equal(tempo_power(&tempo), little);
    strain(&tempo, 4, 40);
    assert_true(tempo_power(&tempo) > little && tempo_power(&tempo) < 40);
    strain(&tempo, 50, 0);
    assert_int_equal(tempo_power(&tempo), 100);
}

static void what_says_no_stops_it_at_once(void **state)
{
    (void)state;
    struct tempo tempo;

    tempo_begin(&tempo, 2, true);
    strain(&tempo, 1, TEMPO_STOP);
    assert_int_equal(tempo_power(&tempo), 0);
}

static void chosen_threads_do_not_mind_company_and_do_mind_limits(void **state)
{
    (void)state;
    struct tempo tempo;

    tempo_begin(&tempo, 3, false);
    look(&tempo, 5, false);
    assert_int_equal(tempo_places(&tempo), 3);
    tempo_look(&tempo, false, 200);
    assert_true(tempo_places(&tempo) < 3);
}

/* Ours: 70 before the first look, of which the server has counted 10. */
static void what_we_sent_and_is_counted_late_is_nobody_elses(void **state)
{
    (void)state;
    struct tempo_others others = {.is_known = false};

    assert_int_equal(tempo_others(&others, 1010, 70), 0);
    assert_int_equal(tempo_others(&others, 1010, 90), 0);
    assert_int_equal(tempo_others(&others, 1080, 95), 0); /* all at once */
    assert_int_equal(tempo_others(&others, 1095, 95), 0);
    assert_int_equal(tempo_others(&others, 1195, 115), 70); /* 80 of theirs: 10 may be ours */
    assert_int_equal(tempo_others(&others, 1250, 150), 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begins_gently_and_one_quiet_look_lets_go),
        cmocka_unit_test(who_writes_in_bursts_is_not_left_alone_between_them),
        cmocka_unit_test(quick_commits_let_the_duty_grow_and_slow_ones_cut_it),
        cmocka_unit_test(one_slow_commit_among_many_is_chance),
        cmocka_unit_test(a_server_that_is_slow_by_nature_is_not_called_disturbed),
        cmocka_unit_test(far_beyond_a_limit_it_goes_down_to_nothing_within_two_seconds),
        cmocka_unit_test(close_to_a_limit_it_stays_and_well_below_it_grows_slowly),
        cmocka_unit_test(what_says_no_stops_it_at_once),
        cmocka_unit_test(what_we_sent_and_is_counted_late_is_nobody_elses),
        cmocka_unit_test(chosen_threads_do_not_mind_company_and_do_mind_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
