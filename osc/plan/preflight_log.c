#include "osc/plan/preflight_log.h"

#include "osc/base/fail.h"

enum { MOST_GIB = 16 };

static const uint64_t gib = 1 << 30;

uint64_t preflight_log_bytes(const struct plan *plan)
{
    return (plan->source->data_bytes + plan->source->index_bytes) * TUNED("LOG_TIMES", 1);
}

uint64_t preflight_log_wanted(const struct plan *plan)
{
    const uint64_t wanted = 2 * preflight_log_bytes(plan);

    return wanted < MOST_GIB * gib ? wanted : MOST_GIB * gib;
}

unsigned preflight_log_wanted_gib(const struct plan *plan)
{
    return (unsigned)((preflight_log_wanted(plan) + gib - 1) / gib);
}
