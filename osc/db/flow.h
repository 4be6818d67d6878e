/*
 * Flow: how much work the slowest replica applies, and so how much it may be
 * given.  Pure arithmetic; throttle.h acts on it.
 *
 * A lag tells late what was written too much: all that is on the way comes on
 * top.  So it is remembered when how much was worked.  A replica that lags by
 * so much has applied what was worked until then; what was worked since is
 * still ahead of it, and lets the lag be foretold.  From a third of the limit on
 * less is allowed than it applies, from two thirds on nothing.
 */
#ifndef OSC_DB_FLOW_H
#define OSC_DB_FLOW_H

#include <stddef.h>
#include <stdint.h>

enum { FLOW_MARKS = 512, FLOW_LOOKS = 16 };

struct flow_mark {
    uint64_t at_ms;
    double worked_ms; /* by then, of all threads */
};

struct flow {
    uint64_t limit_ms; /* of the lag; 0: there is none */
    struct flow_mark marks[FLOW_MARKS];
    struct flow_mark looks[FLOW_LOOKS]; /* what had been applied when it was looked at */
    size_t n_marks, n_looks;            /* so far; the latest are kept, in turn */
    double rate;                        /* work that it applies, in threads; 0: not known yet */
    double most;                        /* threads that may work */
};

void flow_begin(struct flow *flow, uint64_t limit_ms);
/* A piece of work is done. */
void flow_worked(struct flow *flow, uint64_t now_ms, uint64_t worked_us);
/* The slowest replica lags by so much. */
void flow_look(struct flow *flow, uint64_t now_ms, uint64_t lag_ms);

/* Threads that may work, as a fraction; INFINITY where no replica is in the way. */
double flow_most(const struct flow *flow);
/* How long a piece of work of one thread may take, in microseconds of its time. */
double flow_piece_us(const struct flow *flow);

#endif
