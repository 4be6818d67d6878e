#include "osc/estimate.h"

#include "osc/base/macro.h"

static const struct costs every = {.probe_s = 0.03,
                                   .start = 0.2,
                                   .per_mrow = 2.2,
                                   .per_gib = 4,
                                   .per_index_gib = 18,
                                   .verify_per_mrow = 1.2,
                                   .verify_per_gib = 1.3};

static const struct costs *costs(const struct facts *facts UNUSED)
{
    return &every;
}

const struct estimate_dialect postgres_estimate = {
    .probe = "SELECT pg_catalog.count(pg_catalog.sha256(pg_catalog.int4send(i)))\n"
             "FROM pg_catalog.generate_series(1, 50000) AS i",
    .costs = costs,
};
