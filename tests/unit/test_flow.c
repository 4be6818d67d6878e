#include "tests/unit/unit.h"

#include <math.h>

#include "osc/base/macro.h"

#include "osc/db/flow.h"

/*
 * A replica that applies so much of our work, told of late, and a worker who
 * works as much as he may, in pieces: the lag that comes of it.
 */
struct play {
    struct flow flow;
    uint64_t now_ms;
    double may_work_ms;
    double written_ms, applied_ms; /* work */
    double capacity;               /* threads' work that it applies */
    double threads;
    struct flow_mark written[40000]; /* when the work was done that is to be applied */
    size_t n_written, n_applied;
    uint64_t told[8]; /* lags on their way to us */
    uint64_t worst_ms;
    double worked_ms;
};

enum { STEP_MS = 1, LOOK_STEPS = 100, DELAY_LOOKS = 2 };

static uint64_t lag_of(const struct play *play)
{
    return play->n_applied < play->n_written ? play->now_ms - play->written[play->n_applied].at_ms
                                             : 0;
}

static void work(struct play *play)
{
    const double most = fmin(flow_most(&play->flow), play->threads);
    const double piece_ms = fmin(fmax(flow_piece_us(&play->flow) / 1000, 5), 80);

    play->may_work_ms += most * STEP_MS;
    if (play->may_work_ms < piece_ms)
        return;
    play->may_work_ms -= piece_ms;
    play->worked_ms += piece_ms;
    play->written[play->n_written++] = (struct flow_mark){play->now_ms, play->worked_ms};
    flow_worked(&play->flow, play->now_ms, (uint64_t)(piece_ms * 1000));
}

static void apply(struct play *play)
{
    play->applied_ms += play->capacity * STEP_MS;
    while (play->n_applied < play->n_written &&
           play->written[play->n_applied].worked_ms <= play->applied_ms)
        play->n_applied++;
    if (play->n_applied == play->n_written)
        play->applied_ms = play->worked_ms;
}

static void go_on(struct play *play, double seconds)
{
    for (unsigned n = 0; n < (unsigned)(seconds * 1000) / STEP_MS; n++) {
        play->now_ms += STEP_MS;
        work(play);
        apply(play);
        const uint64_t lag = lag_of(play);
        play->worst_ms = lag > play->worst_ms ? lag : play->worst_ms;
        if (play->now_ms % LOOK_STEPS)
            continue;
        for (size_t i = DELAY_LOOKS; i; i--)
            play->told[i] = play->told[i - 1];
        play->told[0] = lag;
        flow_look(&play->flow, play->now_ms, play->told[DELAY_LOOKS]);
    }
}

static struct play *play_with(uint64_t limit_ms, double capacity)
{
    struct play *play = test_calloc(1, sizeof *play);

    play->now_ms = 10000;
    play->capacity = capacity;
    play->threads = 2;
    flow_begin(&play->flow, limit_ms);
    flow_look(&play->flow, play->now_ms, 0);
    return play;
}

static void the_lag_stays_under_the_limit_and_the_replica_has_always_work(void **state)
{
    (void)state;
    static const double capacities[] = {0.03, 0.06, 0.2, 0.7, 1.5};
    static const uint64_t limits_ms[] = {1000, 5000, 30000};

    for (size_t l = 0; l < ARRAY_SIZE(limits_ms); l++)
        for (size_t c = 0; c < ARRAY_SIZE(capacities); c++) {
            struct play *play = play_with(limits_ms[l], capacities[c]);
            go_on(play, 60);
            const uint64_t began = play->now_ms;
            const double before = play->worked_ms;
            go_on(play, 30);
            const double part = (play->worked_ms - before) / (double)(play->now_ms - began);
            print_message("limit %5lu ms, applies %.2f: worst %5lu ms, works %.3f\n",
                          (unsigned long)limits_ms[l], capacities[c], (unsigned long)play->worst_ms,
                          part);
            assert_in_range(play->worst_ms, 0, limits_ms[l]);
            assert_true(part > 0.9 * capacities[c]);
            test_free(play);
        }
}

static void who_keeps_up_is_no_hindrance(void **state)
{
    (void)state;
    struct play *play = play_with(1000, 5);

    go_on(play, 5);
    const double before = play->worked_ms;
    go_on(play, 10);
    assert_true(play->worked_ms - before > 0.95 * 2 * 10000);
    test_free(play);
}

static void a_replica_that_gets_slow_is_given_less_and_one_that_gets_quick_more(void **state)
{
    (void)state;
    struct play *play = play_with(5000, 1);

    go_on(play, 20);
    play->capacity = 0.5;
    go_on(play, 30);
    assert_in_range(play->worst_ms, 0, 5000);
    play->capacity = 5;
    go_on(play, 10);
    const double before = play->worked_ms;
    go_on(play, 5);
    assert_true(play->worked_ms - before > 0.95 * 2 * 5000);
    test_free(play);
}

static void without_a_limit_nothing_is_in_the_way(void **state)
{
    (void)state;
    struct flow flow;

    flow_begin(&flow, 0);
    flow_worked(&flow, 1000, 500000);
    flow_look(&flow, 1100, 90000);
    assert_true(isinf(flow_most(&flow)) && isinf(flow_piece_us(&flow)));
}

static void at_the_limit_nothing_is_done(void **state)
{
    (void)state;
    struct flow flow;

    flow_begin(&flow, 1000);
    for (uint64_t now = 5000; now < 8000; now += 100) {
        flow_worked(&flow, now, 20000);
        flow_look(&flow, now, now < 7000 ? 0 : 1000);
    }
    assert_true(flow_most(&flow) <= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lag_stays_under_the_limit_and_the_replica_has_always_work),
        cmocka_unit_test(who_keeps_up_is_no_hindrance),
        cmocka_unit_test(a_replica_that_gets_slow_is_given_less_and_one_that_gets_quick_more),
        cmocka_unit_test(without_a_limit_nothing_is_in_the_way),
        cmocka_unit_test(at_the_limit_nothing_is_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
