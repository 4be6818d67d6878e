/*
 * Replicas: how far behind the primary they are.
 *
 * To ask may take as long as a dead host takes to be given up, so this is a
 * thread's only work; the throttle reads what it found.
 */
#ifndef OSC_DB_REPLICAS_H
#define OSC_DB_REPLICAS_H

#include "osc/base/cancel.h"
#include "osc/base/clock.h"
#include "osc/base/progress.h"
#include "osc/db/db.h"
#include "osc/db/heartbeat.h"
#include "osc/db/limits.h"

/* Of all replicas: one whose lag nobody can tell counts as unknown, never as none. */
struct replica_lag {
    unsigned replicas, unknown;
    unsigned nameless; /* of the unknown: who reads the log and does not say where it is */
    uint64_t worst_ms; /* of those that are known */
};

/* One that is asked itself, where the primary does not know how far it is. */
struct replica {
    struct dsn dsn;           /* the primary's, with its place */
    struct db *db;            /* kept from look to look; NULL: none, or lost */
    struct deadline next_try; /* to connect */
    bool is_listed;           /* by the primary, when it was asked last */
    bool is_given;            /* by the operator */
    struct replica *next;
};

struct replicas {
    const struct dsn *primary;
    struct db *db; /* connected to it; NULL: not now */
    struct arena *arena;
    struct replica *first;
    /* Of the MySQL family: who they are is asked less often than how far they are. */
    struct deadline next_list;
    unsigned nameless;
    const struct heartbeat *heartbeat; /* NULL: none is written */
};

struct replicas_job {
    const struct dsn *primary;
    const struct limits *limits; /* that name replicas */
    const struct heartbeat *heartbeat;
    struct progress *progress;
    void *owner; /* NULL, or who hears of each look */
    void (*seen)(void *owner, bool is_known, uint64_t lag_ms);
};

/* Looks several times a second until `cancel`, on a connection of its own. */
void replicas_watch(const struct replicas_job *job, struct cancel *cancel);

/* ---- for the dialects ---- */

/* Adds it unless it is known already; it is listed. */
void replicas_list(struct replicas *replicas, const char *host, unsigned port);
/* Connected, or NULL: a host that did not answer is left alone for a while. */
struct db *replica_connect(struct replica *replica);
void replica_disconnect(struct replica *replica);
/* By the heartbeat's row there; false where it has none, or does not answer. */
bool replica_heartbeat(const struct replicas *replicas, struct replica *replica, uint64_t *lag_ms);
/* Adds those that the operator gave, which the primary need not know. */
void replicas_look_at_given(struct replicas *replicas, struct replica_lag *lag);

bool mysql_look_at_replicas(struct db *db, struct replicas *replicas, struct replica_lag *lag,
                            struct error *err);
bool postgres_look_at_replicas(struct db *db, struct replicas *replicas, struct replica_lag *lag,
                               struct error *err);

#endif
