/*
 * Metrics: what is counted while osc runs, as Prometheus reads it.
 *
 * One process runs one migration, so there is one registry, as there is one
 * log.  To count is an atomic addition; a lock is taken only for errors, which
 * are rare.  Knows no database, and not who asks.
 */
#ifndef OSC_BASE_METRICS_H
#define OSC_BASE_METRICS_H

#include <stdint.h>

#include "osc/base/text.h"

enum counter {
    COUNT_LOCKS_GENTLE, /* attempts: granted only where nobody is in the way … */
    COUNT_LOCKS_QUEUED, /* … or waited for in the queue                        */
    COUNT_LOCKS_DDL,    /* short ones, for triggers and what is removed        */
    COUNT_LOCKS_GENTLE_FAILED,
    COUNT_LOCKS_QUEUED_FAILED,
    COUNT_LOCKS_DDL_FAILED,
    COUNT_RANGES,         /* compared by the verifier             */
    COUNT_RANGES_AGAIN,   /* of these, looked at a second time    */
    COUNT_ROWS_DIFFERING, /* proved to differ                     */
    COUNT_VERIFIED_EQUAL, /* verifications, by their outcome      */
    COUNT_VERIFIED_DIFFER,
    COUNT_HEARTBEATS,
    COUNT_HEARTBEATS_FAILED,
    COUNTERS,
};

enum histogram {
    TIME_CHUNK, /* one chunk copied, its retries included                         */
    TIME_RANGE, /* one range compared                                             */
    TIME_BATCH, /* one batch replayed                                             */
    TIME_STALL, /* of an attempt to swap: from wanting the lock to giving it back */
    HISTOGRAMS,
};

void metrics_add(enum counter counter, uint64_t n);
uint64_t metrics_count(enum counter counter);

void metrics_time(enum histogram histogram, uint64_t us);

/* The heart has beaten now; when it did last, in seconds since 1970 (0: never). */
void metrics_beat(void);
uint64_t metrics_last_beat_s(void);

/* `operation` (copy, replay, …) met an error of this kind; both are short words of ours. */
void metrics_error(const char *operation, const char *kind);
uint64_t metrics_errors(void); /* all of them */

/* So long the throttle kept the work waiting for this reason: a phrase of ours. */
void metrics_throttled(const char *reason, uint64_t us);

/* ---- writing them down ---- */

/* Adds name="value", escaped as the exposition format wants it. */
void metrics_label(struct text *out, const char *name, const char *value);

/* Adds # HELP and # TYPE: once for each name, before its samples. */
void metrics_family(struct text *out, const char *name, const char *type, const char *help);

/* Adds one sample; `labels` and `more` are name="value" lists without braces, or "". */
void metrics_sample(struct text *out, const char *name, const char *labels, const char *more,
                    double value);

/* Adds everything counted here; `labels` goes to every sample. */
void metrics_print(struct text *out, const char *labels);

/* Forgets everything: for tests. */
void metrics_reset(void);

#endif
