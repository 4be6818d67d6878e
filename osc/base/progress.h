/*
 * Progress: counters that workers add to and the reporter reads.
 */
#ifndef OSC_BASE_PROGRESS_H
#define OSC_BASE_PROGRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* One of the things that the throttle looks at: slots are given names once, then values change. */
struct progress_signal {
    _Atomic(const char *) name; /* constant; NULL: this slot and those after it are unused */
    _Atomic(const char *) unit; /* constant: "ms", "bytes", "%" or ""                      */
    atomic_uint_fast64_t value, limit;
    atomic_bool is_unknown; /* it could not be asked, which counts as over the limit  */
};

enum { MOST_SIGNALS = 24 };

/* Why the backfill, the verifier or the swap rests; the run goes on when it is over. */
enum rest_reason {
    REST_NONE,
    REST_PAUSED,         /* osc pause                         */
    REST_WINDOW,         /* outside --window                  */
    REST_MANUAL,         /* --cutover=manual, until osc cutover */
    REST_TIME,           /* --cutover=at=TIME                 */
    REST_FLAG_FILE,      /* --postpone-flag-file exists       */
    REST_CUTOVER_WINDOW, /* outside --cutover-window          */
    REST_HOOK,           /* the hook before-cutover says: not now */
};

struct progress {
    _Atomic(const char *) schema, table; /* names of the source, once they are known       */
    atomic_uint_fast64_t id;             /* of the migration, once it is recorded          */
    _Atomic(const char *) step;          /* constant string: name of the step              */
    atomic_uint step_number, steps;      /* 4 of 9                                         */
    atomic_uint_fast64_t rows_expected;  /* estimate                                  */
    atomic_uint_fast64_t bytes_expected; /* of the source's rows, as the server says  */
    atomic_uint_fast64_t rows_copied;    /* rows the backfill inserted                */
    atomic_uint_fast64_t units_expected; /* positions (keys or pages) of the backfill */
    atomic_uint_fast64_t units_copied;
    atomic_uint_fast64_t rows_verified;
    atomic_uint_fast64_t backlog;        /* entries seen in the journal and not yet replayed */
    atomic_uint_fast64_t replayed;       /* entries replayed since the start          */
    atomic_uint threads;                 /* copy workers now                          */
    atomic_bool replicas_sought;         /* they were looked for once: what follows is known */
    atomic_uint replicas;                /* that the server tells us of, and of those */
    atomic_uint replicas_unknown;        /* the ones whose lag nobody can tell        */
    atomic_uint replicas_nameless;       /* of these, that nobody knows where to find */
    atomic_uint_fast64_t replica_lag_ms; /* of the slowest one that is known          */
    atomic_uint attempts;                /* cutover attempts                          */

    /*
     * The throttle's (osc/db/throttle.h).  The duty is the part of full speed that copy and
     * verification are given now: 0 is a rest, 100 nothing in the way.  The reason says in words
     * why it is less: a constant, or as long-lived as the process; NULL at 100.
     */
    atomic_bool is_throttled; /* there is a throttle: what follows means something */
    atomic_uint duty_percent;
    atomic_uint threads_allowed; /* at work side by side at most, now */
    _Atomic(const char *) throttle_reason;
    struct progress_signal signals[MOST_SIGNALS];
    _Atomic(const char *) server_words; /* what the server does in a long statement; NULL */
    atomic_int server_permille;         /* and how far it is with that; negative: unknown */
    atomic_uint rests;                  /* enum rest_reason: what says that it should rest */
    atomic_bool is_at_rest;             /* and it does: what cannot rest goes on     */
    atomic_int_fast64_t rests_until;    /* seconds since 1970; 0: nobody knows       */
    atomic_uint_fast64_t heeded;        /* number of the last order of an operator   */
};

#endif
