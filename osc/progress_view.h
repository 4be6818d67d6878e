/*
 * Progress view: numbers turned into what an operator wants to see.
 *
 * Pure: counters and a clock reading go in, a line or a JSON object comes out.
 */
#ifndef OSC_PROGRESS_VIEW_H
#define OSC_PROGRESS_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "osc/base/progress.h"
#include "osc/base/text.h"
#include "osc/throttle_view.h"

struct progress_view {
    const char *table, *step;
    unsigned step_number, steps;
    bool counts_rows;                  /* the step works through the rows of the table */
    uint64_t rows_done, rows_expected; /* expected: an estimate, 0 when unknown */
    double fraction;                   /* 0 … 1, negative when unknown */
    double rows_per_s;                 /* smoothed; negative when unknown */
    double eta_s;                      /* until the end of the step; negative when unknown */
    double eta_other_s;                /* the same by the rate of the last minutes */
    uint64_t backlog;
    unsigned replicas, replicas_unknown;
    uint64_t replica_lag_ms; /* of the slowest one that is known */
    unsigned threads, attempts;
    double elapsed_s; /* in this step */
    unsigned rests;   /* enum rest_reason */
    bool is_at_rest;
    int64_t rests_until;
    struct throttle_view throttle;
    const char *server_words; /* what the server says of its long statement; NULL */
    int server_permille;      /* of that; negative: unknown */
};

/* Remembers earlier readings, for rates. */
struct progress_meter {
    const char *step;
    uint64_t started_ms, at_ms;
    uint64_t rows;
    double fraction;
    double row_rate, fraction_rate, weight; /* decaying sums */
    double slow_rate, slow_weight;          /* the same of the fraction, over minutes */
};

/* Reads the counters at `now_ms` of a monotonic clock. */
void progress_read(struct progress_meter *meter, const struct progress *progress, uint64_t now_ms,
                   struct progress_view *view);

/* A line of at most `columns` columns: what matters least is left out first. */
void progress_line(struct text *out, const struct progress_view *view, unsigned columns,
                   bool is_unicode);

/* "ETA 3 m", "ETA 3 m to 5 m" where the rate varies, "" when unknown. */
void progress_eta(struct text *out, const struct progress_view *view);
/* "building index: sorting live tuples 45.2%", or nothing. */
void progress_server(struct text *out, const struct progress_view *view);
/* ten cells: ▕████▌     ▏ */
void progress_bar(struct text *out, double fraction, bool is_unicode);
void progress_rows(struct text *out, const struct progress_view *view);

/* "lag 1.2 s", "lag ?", or nothing without a replica. */
void progress_lag(struct text *out, const struct progress_view *view);

json_t *progress_json(const struct progress_view *view);

#endif
