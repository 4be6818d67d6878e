#include "copier/pace.h"

void pace_learn(struct pace *pace, uint64_t size, uint64_t elapsed_us)
{
    double factor = elapsed_us ? (double)pace->target_us / (double)elapsed_us : 2.0;

    /* Halfway towards the aim: one slow chunk (a checkpoint, a lock) is no trend. */
    factor = factor > 2.0 ? 2.0 : factor < 0.125 ? 0.125 : 1.0 + (factor - 1.0) / 2;
    const double wanted = (double)size * factor;
    pace->size = wanted < 1 ? 1 : wanted > (double)pace->most ? pace->most : (uint64_t)wanted;
}
