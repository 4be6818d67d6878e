/*
 * Activity: what a server has done so far, as it counts by itself.
 *
 * Only growth means something, and the mean since it began to count.  What osc
 * has sent itself is left out where it is known.
 */
#ifndef OSC_ACTIVITY_H
#define OSC_ACTIVITY_H

#include "osc/db/sql.h"

struct activity {
    uint64_t work;         /* statements or transactions of others, see the dialect */
    uint64_t rows_written; /* of all tables */
    uint64_t log_bytes;    /* what must be on disk before a commit is answered */
    bool has_binlog;       /* what replicas are sent is another log, and its size is known */
    uint64_t binlog_bytes;
    uint64_t sessions;             /* of others, at work now */
    bool sees_transactions;        /* we may know of those of others, */
    uint64_t longest_ms;           /* and so long does the oldest last */
    double usual_work, usual_rows; /* in a second, in the mean; negative: unknown */
    uint64_t counted_s;            /* that mean is of so long; 0: unknown */
};

struct table_activity {
    uint64_t rows_written;
    double usual_rows;   /* negative: unknown */
    const char *missing; /* why this server does not count them, and what would make it; NULL */
};

struct activity_dialect {
    const char *work; /* "statements", "transactions" */
    const char *log;  /* "redo log", "WAL" */
    bool (*look)(struct db *db, struct activity *activity, struct error *err);
    bool (*look_at_table)(struct db *db, const struct sql_env *env, struct table_activity *activity,
                          struct error *err); /* {schema}, {table}: literals */
};

extern const struct activity_dialect mysql_activity;
extern const struct activity_dialect postgres_activity;

#endif
