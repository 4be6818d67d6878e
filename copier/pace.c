#include "copier/pace.h"

static uint64_t within(const struct pace *pace, double wanted)
{
    const uint64_t least = pace->least ? pace->least : 1; /* a chunk of nothing is never done */

    return wanted < (double)least        ? least
           : wanted > (double)pace->most ? pace->most
                                         : (uint64_t)wanted;
}

void pace_aim(struct pace *pace, uint64_t target_us)
{
    if (target_us < pace->target_us)
        pace->size = within(pace, (double)pace->size * (double)target_us / (double)pace->target_us);
    pace->target_us = target_us;
}

void pace_learn(struct pace *pace, uint64_t size, uint64_t elapsed_us)
{
    double factor = elapsed_us ? (double)pace->target_us / (double)elapsed_us : 2.0;

    /* Far too slow is felt by others: back at once.  Else halfway: one slow chunk is no trend. */
    factor = factor < 0.5 ? (factor < 0.25 ? 0.25 : factor)
                          : 1.0 + ((factor > 2.0 ? 2.0 : factor) - 1.0) / 2;
    pace->size = within(pace, (double)size * factor);
}
