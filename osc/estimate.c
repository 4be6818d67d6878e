#include "osc/estimate.h"

#include <math.h>

#include "osc/base/clock.h"
#include "osc/db/dialect.h"

/* Sooner done than that, it takes a second or two where the processor is four times as slow. */
enum { PROBES = 3, SOON_S = 1 };

static const double low = 0.7, high = 1.3; /* bench/README.md: how far the bench tables were off */

struct estimate estimate_of(const struct costs *costs, const struct table *table, double probe_s,
                            bool verifies)
{
    const double mrows = (double)table->rows_estimate / 1e6;
    const double gib = (double)table->data_bytes / (1 << 30);
    const double indexes = costs->per_index_gib * (double)table->index_bytes / (1 << 30);
    const double proof = costs->verify_per_mrow * mrows + costs->verify_per_gib * gib;
    double seconds = costs->start + costs->per_mrow * mrows + costs->per_gib * gib + indexes;

    if (verifies)
        seconds += fmax(0, proof - costs->beside * indexes);
    /* About half of the time is the processor's: twice as slow a one takes 1.4 times as long. */
    seconds *= sqrt(probe_s / costs->probe_s);
    return (struct estimate){
        .likely_s = seconds, .low_s = seconds * low, .high_s = seconds * high, .probe_s = probe_s};
}

/* The fastest of some: others may have had the processor meanwhile. */
static bool measure(struct db *db, const char *probe, double *seconds, struct error *err)
{
    *seconds = 0;
    for (unsigned n = 0; n < PROBES; n++) {
        struct arena *arena = arena_new();
        const char *ignored = NULL;
        const uint64_t began = clock_us();
        const bool good = db_value(db, arena, &ignored, probe, err);
        const double took = (double)(clock_us() - began) / 1e6;

        arena_free(arena);
        if (!good)
            return false;
        if (n == 0 || took < *seconds)
            *seconds = took;
    }
    return true;
}

bool estimate_duration(struct db *db, const struct plan *plan, bool verifies,
                       struct estimate *estimate, struct error *err)
{
    const struct costs *costs = plan->dialect->estimate->costs(plan->facts);
    double probe_s;

    *estimate = estimate_of(costs, plan->source, costs->probe_s, verifies);
    estimate->probe_s = 0;
    if (estimate->high_s < SOON_S)
        return true;
    *estimate = (struct estimate){.likely_s = 0};
    if (!measure(db, plan->dialect->estimate->probe, &probe_s, err))
        return false;
    *estimate = estimate_of(costs, plan->source, probe_s, verifies);
    return true;
}
