#include "osc/estimate.h"

#include "osc/base/macro.h"

static const struct costs every = {.probe_s = 0.028,
                                   .start = 0.13,
                                   .per_mrow = 1.5,
                                   .per_gib = 6.6,
                                   .per_index_gib = 10.5,
                                   .verify_per_mrow = 0.7,
                                   .verify_per_gib = 0.9};

static const struct costs *costs(const struct facts *facts UNUSED)
{
    return &every;
}

const struct estimate_dialect postgres_estimate = {
    .probe = "SELECT pg_catalog.count(pg_catalog.sha256(pg_catalog.int4send(i)))\n"
             "FROM pg_catalog.generate_series(1, 50000) AS i",
    .costs = costs,
};
