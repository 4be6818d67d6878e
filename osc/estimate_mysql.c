#include "osc/estimate.h"

#include "osc/db/server.h"

static const struct costs of_mysql = {.probe_s = 0.035,
                                      .start = 0.4,
                                      .per_mrow = 3.2,
                                      .per_gib = 6,
                                      .per_index_gib = 30,
                                      .verify_per_mrow = 2,
                                      .verify_per_gib = 3};

static const struct costs of_mariadb = {.probe_s = 0.03,
                                        .start = 0.3,
                                        .per_mrow = 2.6,
                                        .per_gib = 3.5,
                                        .per_index_gib = 16,
                                        .verify_per_mrow = 2.5,
                                        .verify_per_gib = 3};

static const struct costs *costs(const struct facts *facts)
{
    return facts->renames_under_lock ? &of_mysql : &of_mariadb;
}

const struct estimate_dialect mysql_estimate = {
    .probe = "SELECT BENCHMARK(50000, SHA2(RAND(), 256))",
    .costs = costs,
};
