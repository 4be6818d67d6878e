#include "tests/support/writers.h"

#include "tests/unit/unit.h"

struct traffic *writers_start(struct scene *scene, const struct writers_wish *wish)
{
    const struct traffic_options options = {
        .dsn = scene->dsn,
        .table = wish->table,
        .writers = wish->writers ? wish->writers : 4,
        .readers = !wish->writers,
        .rate = wish->rate,
        .create_rows = wish->rows,
        .may_lose_connections = wish->may_lose_connections,
    };
    struct traffic_error trouble;
    struct traffic *traffic = traffic_start(&options, &trouble);

    if (!traffic)
        fail_msg("writers: %s", trouble.text);
    return traffic;
}

void writers_check(struct traffic *traffic, const char *when)
{
    struct traffic_verdict verdict;

    if (traffic_check(traffic, &verdict))
        return;
    for (size_t i = 0; i < verdict.difference_count; i++)
        print_message("%s: %s\n", verdict.differences[i].kind, verdict.differences[i].text);
    fail_msg("%s: writes were lost or spoilt. %s", when, verdict.problem);
}

void writers_stop(struct traffic *traffic, const char *when)
{
    writers_stop_but_for(traffic, 0, "", when);
}

void writers_stop_but_for(struct traffic *traffic, uint64_t most, const char *code,
                          const char *when)
{
    struct traffic_report *report = traffic_stop(traffic);
    uint64_t errors = 0;

    for (size_t i = 0; i < report->failure_count; i++)
        if (strcmp(report->failures[i].code, code) == 0)
            errors += report->failures[i].count;
    if (errors <= most)
        report->counters.errors -= errors;
    if (errors)
        print_message("%s: %lu errors %s, at most %lu are expected\n", when, (unsigned long)errors,
                      code, (unsigned long)most);
    if (!traffic_passed(report)) {
        traffic_print(report, stderr);
        fail_msg("%s: the application noticed", when);
    }
    print_message("%s: %lu transactions, longest stall %.0f ms\n", when,
                  (unsigned long)report->counters.transactions, report->stall.ms);
    traffic_report_free(report);
}
