/*
 * Load on one table, with a witness of every acknowledged write.
 *
 * Writers keep changing a table of a known shape while it is migrated; each remembers the last
 * state the server acknowledged for every row it owns.  traffic_stop() reads the table back and
 * says what was lost.  Nothing here is shared with osc: the judge must not inherit its errors.
 */
#ifndef OSC_TESTS_TRAFFIC_H
#define OSC_TESTS_TRAFFIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct traffic;

struct traffic_error {
    char text[512];
};

struct traffic_rename {
    const char *from, *to;
};

enum traffic_isolation {
    TRAFFIC_MIXED, /* half of the writers each */
    TRAFFIC_READ_COMMITTED,
    TRAFFIC_REPEATABLE_READ,
    TRAFFIC_SERIALIZABLE,
};

/* Zero means the default everywhere; strings only have to live until traffic_start() returns. */
struct traffic_options {
    const char *dsn;    /* postgres://, mysql:// or mariadb:// */
    const char *shape;  /* "users"; see traffic_shapes() */
    const char *table;  /* the shape's own name */
    const char *schema; /* the connection's default */
    unsigned writers;   /* 8 */
    unsigned readers;   /* 0: threads of point reads */
    double rate;        /* write transactions per second of all writers; 0: as fast as they go */
    double read_rate;   /* the same of all readers; 0: each rests 2 ms between two */
    uint64_t seed;      /* 1: of the writers' choices */
    const char *mix; /* "standard", or a list of names with optional weights: "insert,update=5" */
    enum traffic_isolation isolation;
    bool may_lose_connections;     /* servers are going to be killed: that alone is no failure */
    uint64_t create_rows;          /* create (or replace) the table with so many rows first */
    unsigned statement_timeout_ms; /* 30000: no statement waits longer */
    unsigned connect_timeout_ms;   /* 30000: how long a lost connection is tried again */
    unsigned bulk_rows;            /* 500: most rows of one bulk update */
    const struct traffic_rename *renames; /* columns the schema change renames, ended by {NULL} */
    const char *const *ignore;            /* columns never written nor compared, ended by NULL */
};

struct traffic_counters { /* a snapshot while the traffic runs */
    uint64_t transactions, statements, commits, refused, unknown, reads;
    uint64_t errors; /* error replies and impossible answers: each is an application error */
    uint64_t connections_lost;
};

struct traffic_latency {
    uint64_t count;
    double p50_ms, p95_ms, p99_ms, max_ms;
};

struct traffic_stall { /* the longest time in which a write was wanted and none completed */
    double ms;
    double at_unix; /* wall clock when it began */
    double at_s;    /* since traffic_start() */
    char phase[40];
};

struct traffic_phase {
    char label[40];
    double start_s, seconds;
    uint64_t commits, errors;
    struct traffic_latency write, read;
    struct traffic_stall stall;
};

enum { TRAFFIC_SLICE_MS = 100 };

struct traffic_slice { /* a moment of the run, for plots: by when its transactions ended */
    uint32_t writes, reads;
    double write_max_ms, read_max_ms;
};

struct traffic_failure { /* one kind of error reply, and how often */
    char code[8];
    char text[240];
    char operation[24];
    char phase[40];
    double first_s;
    uint64_t count;
};

struct traffic_difference {
    char kind[16]; /* lost, stale, wrong, doubled, resurrected, unexpected, torn */
    char text[480];
};

enum { TRAFFIC_MAX_DIFFERENCES = 20, TRAFFIC_MAX_FAILURES = 32, TRAFFIC_MAX_PHASES = 64 };

struct traffic_verdict {
    bool checked;         /* the table was read to its end */
    char problem[512];    /* why not */
    uint64_t rows;        /* rows read */
    uint64_t witnessed;   /* rows the writers had touched */
    uint64_t lost;        /* acknowledged row is not there */
    uint64_t stale;       /* row holds its state before the last acknowledged write */
    uint64_t wrong;       /* row holds something else */
    uint64_t doubled;     /* row is there more than once */
    uint64_t resurrected; /* acknowledged delete is undone */
    uint64_t unexpected;  /* a key nobody wrote */
    uint64_t torn;        /* half of a transaction whose outcome is unknown */
    size_t difference_count;
    struct traffic_difference differences[TRAFFIC_MAX_DIFFERENCES];
};

struct traffic_report {
    char shape[32], server[64];
    unsigned writers;
    double seconds;
    bool may_lose_connections;
    struct traffic_counters counters;
    struct traffic_latency write;     /* a transaction, from its scheduled time when paced */
    struct traffic_latency statement; /* one statement of a writer */
    struct traffic_latency read;
    struct traffic_stall stall;
    size_t phase_count;
    struct traffic_phase phases[TRAFFIC_MAX_PHASES];
    size_t failure_count;
    struct traffic_failure failures[TRAFFIC_MAX_FAILURES];
    size_t second_count;
    uint32_t *commits_per_second;
    size_t slice_count; /* of TRAFFIC_SLICE_MS each */
    struct traffic_slice *slices;
    size_t operation_count;
    struct traffic_operation {
        char name[24];
        uint64_t done;
    } operations[40];
    struct traffic_verdict verdict;
};

/* Creates the table of a shape and fills it; replaces a table of that name. */
bool traffic_create(const struct traffic_options *options, uint64_t rows,
                    struct traffic_error *err);

/* Starts the writers; the table must hold rows of the shape (create_rows, or an earlier run). */
struct traffic *traffic_start(const struct traffic_options *options, struct traffic_error *err);

/* Begins a phase: later stalls, errors and latencies are also counted under this label. */
void traffic_mark(struct traffic *t, const char *label);

void traffic_counters(struct traffic *t, struct traffic_counters *out);

/* Lets the transactions under way end and starts no more until traffic_resume(). */
void traffic_pause(struct traffic *t);
void traffic_resume(struct traffic *t);

/* Compares the table with the witness at a standstill, then goes on. True: nothing differs. */
bool traffic_check(struct traffic *t, struct traffic_verdict *verdict);

/* Ends the writers, compares, and gives the account; t is gone. Free with traffic_report_free. */
struct traffic_report *traffic_stop(struct traffic *t);
void traffic_report_free(struct traffic_report *report);

/* True: every acknowledged write is there once, and the application saw no error. */
bool traffic_passed(const struct traffic_report *report);
bool traffic_verdict_clean(const struct traffic_verdict *verdict);

void traffic_print(const struct traffic_report *report, FILE *out);
bool traffic_write_json(const struct traffic_report *report, const char *path,
                        struct traffic_error *err);

/* The names of all shapes and of all operations of a mix, each list ended by NULL. */
const char *const *traffic_shapes(void);
const char *traffic_shape_table(const char *shape);
const char *const *traffic_operations(void);

#endif
