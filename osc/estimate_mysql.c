#include "osc/estimate.h"

#include "osc/db/server.h"

static const struct costs of_mysql = {.probe_s = 0.023,
                                      .start = 0.25,
                                      .per_mrow = 4.55,
                                      .per_gib = 5.8,
                                      .per_index_gib = 25,
                                      .verify_per_mrow = 1.4,
                                      .verify_per_gib = 0.5};

static const struct costs of_mariadb = {.probe_s = 0.025,
                                        .start = 0.1,
                                        .per_mrow = 2.2,
                                        .per_gib = 2,
                                        .per_index_gib = 16,
                                        .verify_per_mrow = 1.4,
                                        .verify_per_gib = 0.35,
                                        .beside = 0.6};

static const struct costs *costs(const struct facts *facts)
{
    return facts->renames_under_lock ? &of_mysql : &of_mariadb;
}

const struct estimate_dialect mysql_estimate = {
    .probe = "SELECT BENCHMARK(50000, SHA2(RAND(), 256))",
    .costs = costs,
};
