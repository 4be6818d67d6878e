/*
 * Counting and timing of the traffic: latencies, stalls, errors, all by phase.
 */
#ifndef OSC_TESTS_TRAFFIC_METER_H
#define OSC_TESTS_TRAFFIC_METER_H

#include "traffic.h"

#include <pthread.h>

enum { HISTOGRAM_BUCKETS = 64 * 16, OPERATIONS_MAX = 40 };

struct histogram { /* of microseconds, 16 buckets to the octave */
    uint64_t count, most;
    uint32_t buckets[HISTOGRAM_BUCKETS];
};

struct meter_phase {
    char label[40];
    int64_t start_us, end_us;
    uint64_t commits, errors;
    struct histogram write, read;
    struct traffic_stall stall;
};

struct meter {
    pthread_mutex_t lock; /* guards all that follows */
    int64_t start_us;
    double start_unix;
    struct traffic_counters counters;
    struct histogram write, statement, read;
    unsigned wanted;     /* writes begun and not completed */
    int64_t progress_us; /* the last completion, or since when a write is wanted */
    struct traffic_stall stall;
    struct meter_phase *phases[TRAFFIC_MAX_PHASES];
    size_t phase_count;
    struct traffic_failure failures[TRAFFIC_MAX_FAILURES];
    size_t failure_count;
    uint32_t *seconds;
    size_t second_count, second_room;
    struct traffic_slice *slices;
    size_t slice_count, slice_room;
    uint64_t operations[OPERATIONS_MAX];
};

enum write_end {
    WRITE_COMMITTED,
    WRITE_ROLLED_BACK,
    WRITE_REFUSED,
    WRITE_UNKNOWN,
    WRITE_LOST,
    WRITE_NOTHING
};

int64_t meter_now_us(void);
void meter_init(struct meter *m);
void meter_free(struct meter *m);
void meter_mark(struct meter *m, const char *label);
void meter_write_begins(struct meter *m, int64_t scheduled_us);
/* A write ended; only committed and rolled-back ones are progress that was wanted. */
void meter_write_ends(struct meter *m, int64_t scheduled_us, enum write_end end);
void meter_standstill(struct meter *m); /* time spent paused is no stall */
void meter_statement(struct meter *m, int64_t us);
void meter_read(struct meter *m, int64_t scheduled_us);
void meter_operation(struct meter *m, size_t operation);
void meter_error(struct meter *m, const char *operation, const char *code, const char *text);
void meter_connection_lost(struct meter *m);
void meter_report(struct meter *m, struct traffic_report *report);

#endif
