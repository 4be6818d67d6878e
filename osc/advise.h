/*
 * Advise: when a server is quiet, and what a migration of a table would meet.
 *
 * Looks at the server for a while and changes nothing there.  One look says only
 * whether now is quieter than the mean since the server began to count; which
 * hours are quiet is said by samples that were kept (osc/samples.h).
 */
#ifndef OSC_ADVISE_H
#define OSC_ADVISE_H

#include "osc/activity.h"
#include "osc/control/quiet.h"
#include "osc/estimate.h"
#include "osc/migrate.h"

enum {
    ADVISE_CALM = 20
}; /* statements a second; fewer are a monitor's, and osc alter minds none */

/* Of the intervals of a sample, in a second. */
struct spread {
    double mean, least, most;
};

struct sampling {
    int64_t began;  /* seconds since 1970 */
    double seconds; /* that it took */
    unsigned intervals;
    struct spread work, rows, log, binlog, table;
    bool has_binlog, sees_transactions;
    uint64_t most_sessions, longest_ms;
    unsigned replicas, replicas_unknown; /* at the most */
    uint64_t lag_ms;                     /* the worst */
};

struct advice {
    const struct request *request;
    const char *vendor, *version;
    const struct activity_dialect *counts;
    const struct zone *zone;
    struct sampling now;
    double usual_work, usual_rows; /* negative: unknown */
    uint64_t counted_s;            /* since when that is */

    const char *file; /* of kept samples; NULL: none can be kept */
    bool is_recorded;
    size_t senseless;    /* lines of the file */
    int64_t first, last; /* samples; 0: none */
    struct quiet_choice choice;
    const char *window; /* as --window takes it; NULL: none can be suggested */

    const struct table *table; /* NULL: none was asked for */
    double usual_table;        /* rows written in a second; negative: unknown */
    const char *table_missing; /* why they are not counted; NULL: they are */
    struct estimate duration;
    bool will_do; /* within a year, in the window */
    unsigned openings;
    int64_t done_at;
};

/* Samples until it is over or cancelled; everything lives in the request's arena. */
bool advise(const struct request *request, struct advice *advice, struct error *err) MUST_CHECK;

/* Of what is usual; negative: nothing is known of that. */
double advice_ratio(const struct advice *advice);
/* "quiet" where hardly anybody is at work, "quieter than usual", "as usual", "busier than usual",
 * "unknown" */
const char *advice_verdict(const struct advice *advice);
/* Writes to the table while it is migrated, by the rate of the sample; inside the window or not. */
double advice_captured(const struct advice *advice);

/* The advice for people, and for programs (one JSON object on one line). */
void advice_text(const struct advice *advice, struct text *out);
bool advice_json(const struct advice *advice, struct error *err) MUST_CHECK;

#endif
