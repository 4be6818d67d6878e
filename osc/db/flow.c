#include "osc/db/flow.h"

#include <math.h>

enum {
    WINDOW_MS = 600,    /* a rate is that of so long: appliers work by fits and starts */
    PIECES_TO_GOAL = 5, /* as many are applied while the replica comes to the goal */
    BUSY_MS = 100,      /* who lags so much has always something to apply */
};
static const double follow = 0.3;    /* of what a look shows about the rate */
static const double smallest = 0.01; /* threads: begins with it, from nothing it could not grow */
static const double goal = 0.33;     /* of the limit: at twice that nothing is allowed any more */

void flow_begin(struct flow *flow, uint64_t limit_ms)
{
    *flow = (struct flow){.limit_ms = limit_ms, .most = INFINITY};
}

/* ---- what was worked, and when ---- */

static double worked_ms(const struct flow *flow)
{
    return flow->n_marks ? flow->marks[(flow->n_marks - 1) % FLOW_MARKS].worked_ms : 0;
}

void flow_worked(struct flow *flow, uint64_t now_ms, uint64_t worked_us)
{
    const double worked = worked_ms(flow) + (double)worked_us / 1000;
    const uint64_t apart_ms = 5 + flow->limit_ms / (FLOW_MARKS / 4);
    struct flow_mark *before = &flow->marks[(flow->n_marks - 2) % FLOW_MARKS];

    if (!flow->limit_ms)
        return;
    if (flow->n_marks < 2 || now_ms - before->at_ms >= apart_ms)
        flow->n_marks++;
    flow->marks[(flow->n_marks - 1) % FLOW_MARKS] = (struct flow_mark){now_ms, worked};
}

/* Nothing where all that is remembered came later. */
static double worked_until(const struct flow *flow, uint64_t at_ms)
{
    const size_t kept = flow->n_marks < FLOW_MARKS ? flow->n_marks : FLOW_MARKS;

    for (size_t n = 1; n <= kept; n++) {
        const struct flow_mark *mark = &flow->marks[(flow->n_marks - n) % FLOW_MARKS];
        if (mark->at_ms <= at_ms || (n == kept && kept == FLOW_MARKS))
            return mark->worked_ms;
    }
    return 0;
}

/* ---- what is applied ---- */

/* In a while that ends now; negative: not long enough ago was anything seen. */
static double applied_of_late(const struct flow *flow, uint64_t now_ms, double applied_ms)
{
    const size_t kept = flow->n_looks < FLOW_LOOKS ? flow->n_looks : FLOW_LOOKS;

    for (size_t n = 1; n <= kept; n++) {
        const struct flow_mark *look = &flow->looks[(flow->n_looks - n) % FLOW_LOOKS];
        if (now_ms - look->at_ms >= WINDOW_MS)
            return (applied_ms - look->worked_ms) / (double)(now_ms - look->at_ms);
    }
    return -1;
}

/* A busy replica shows what it can apply; another one at least what it did. */
static void learn_rate(struct flow *flow, double of_late, uint64_t lag_ms)
{
    if (of_late < 0)
        return;
    if (lag_ms > BUSY_MS)
        flow->rate += (of_late - flow->rate) * follow;
    else if (of_late > flow->rate)
        flow->rate += (of_late - flow->rate) * follow;
}

void flow_look(struct flow *flow, uint64_t now_ms, uint64_t lag_ms)
{
    const double applied_ms = worked_until(flow, now_ms > lag_ms ? now_ms - lag_ms : 0);
    const double goal_ms = goal * (double)flow->limit_ms;

    if (!flow->limit_ms)
        return;
    learn_rate(flow, applied_of_late(flow, now_ms, applied_ms), lag_ms);
    flow->looks[flow->n_looks++ % FLOW_LOOKS] = (struct flow_mark){now_ms, applied_ms};
    flow->rate = fmax(flow->rate, smallest);
    const double ahead_ms = (worked_ms(flow) - applied_ms) / flow->rate;
    const double foretold_ms = fmax(ahead_ms, (double)lag_ms);
    flow->most = flow->rate * fmax(2 - foretold_ms / goal_ms, 0);
}

double flow_most(const struct flow *flow)
{
    return flow->most;
}

double flow_piece_us(const struct flow *flow)
{
    if (!isfinite(flow->most))
        return INFINITY;
    return flow->rate * goal * (double)flow->limit_ms * 1000 / PIECES_TO_GOAL;
}
