/*
 * Signals: what is read every second, or more often where it shows late what we
 * did, and has a limit.
 *
 * Each is a row: a name, where its limit stands, and how it is read.  What cannot
 * be asked counts as over its limit; what does not exist on this server counts
 * for nothing.  Rows of one kind of server stand in throttle_signals_<kind>.c.
 */
#ifndef OSC_DB_THROTTLE_SIGNALS_H
#define OSC_DB_THROTTLE_SIGNALS_H

#include "osc/base/cancel.h"
#include "osc/base/progress.h"
#include "osc/db/db.h"
#include "osc/db/disk.h"
#include "osc/db/heartbeat.h"
#include "osc/db/limits.h"

/* What a reader has at hand. */
struct look {
    struct db *db;       /* NULL: the server does not answer */
    struct arena *arena; /* until the next look */
    const struct limits *limits;
    struct progress *progress;
    struct disk disk;
    uint64_t commit_us; /* of the last beat */
};

enum reading { READING_NONE, READING_UNKNOWN, READING_KNOWN };

struct signal {
    const char *name, *unit;
    const char *reason;          /* as the operator reads it: the work is throttled because … */
    size_t limit_at, limit_size; /* the field of struct limits; 0 or NULL: not read at all */
    uint64_t limit_is;           /* the limit, where it is not the field; 0: the field */
    bool is_soft; /* matters to others who are at work; without any it is not minded */
    bool is_late; /* shows late what our work does to it */
    bool is_rate; /* what is read grows: its growth in a second counts */
    /* The server is asked: the first question that it understands counts; NULL is no reading … */
    const char *questions[3];
    /* … or this one is. */
    enum reading (*read)(struct look *look, uint64_t *value, struct error *err);
};

extern const struct signal common_signals[]; /* all end with a row without a name */
extern const struct signal mysql_signals[];
extern const struct signal postgres_signals[];

/* Of a row: the field of struct limits. */
#define LIMITED_BY(field)                                                                          \
    .limit_at = offsetof(struct limits, field), .limit_size = sizeof(((struct limits *)0)->field)

struct signals;

struct signals_job {
    const struct dsn *dsn;
    const struct limits *limits;
    struct progress *progress;
    const struct heartbeat *heartbeat; /* NULL: nothing may be written */
};

/* The worst of all in percent of its limit (TEMPO_STOP: what is unknown, or says no), and why;
 * `in_company`: soft ones count as well. */
unsigned signals_strain(struct signals *signals, bool in_company, const char **reason);

struct signals *signals_new(const struct signals_job *job);
/* From the next look on, by any thread; their strings live as long as `signals`. */
void signals_set_limits(struct signals *signals, const struct limits *limits);
/* Who hears of what is read. */
struct signals_listener {
    void *owner;
    void (*commit)(void *owner, uint64_t took_us);
    void (*first_look)(void *owner, bool some_are_late); /* once: all have been read */
};

/* Looks until `cancel`, on a connection of its own. */
void signals_watch(struct signals *signals, struct cancel *cancel,
                   const struct signals_listener *listener);
void signals_free(struct signals *signals); /* NULL is fine */

/* ---- for the rows ---- */

/* 2xx or not. */
enum reading signal_http(struct look *look, uint64_t *value, struct error *err);

#endif
