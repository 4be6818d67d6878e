#include "osc/estimate.h"

#include "osc/base/macro.h"

static const struct costs costs[] = {
    {.vendor = "MySQL",
     .probe_s = 0.035,
     .start = 0.4,
     .per_mrow = 3.2,
     .per_gib = 6,
     .per_index_gib = 30,
     .verify_per_mrow = 2,
     .verify_per_gib = 3},
    {.vendor = "MariaDB",
     .probe_s = 0.03,
     .start = 0.3,
     .per_mrow = 2.6,
     .per_gib = 3.5,
     .per_index_gib = 16,
     .verify_per_mrow = 2.5,
     .verify_per_gib = 3},
};

const struct estimate_dialect mysql_estimate = {
    .probe = "SELECT BENCHMARK(50000, SHA2(RAND(), 256))",
    .costs = costs,
    .n_costs = ARRAY_SIZE(costs),
};
