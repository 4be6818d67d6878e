#include "osc/db/replicas.h"

#include <string.h>

#include "osc/base/log.h"
#include "osc/db/dialect.h"
#include "osc/db/server.h"

enum { PATIENCE_S = 2, NEXT_TRY_MS = 10000 };

static struct replica *find(const struct replicas *replicas, const char *host, unsigned port)
{
    struct replica *replica = replicas->first;

    while (replica && (!replica->dsn.host || replica->dsn.port != port ||
                       strcmp(replica->dsn.host, host) != 0))
        replica = replica->next;
    return replica;
}

/* The login and the TLS options are those that the operator gave for the primary. */
static struct dsn dsn_of(const struct replicas *replicas, const char *host, unsigned port)
{
    struct dsn dsn = *replicas->primary;

    dsn.host = arena_string(replicas->arena, host);
    dsn.port = port;
    dsn.socket = NULL;
    dsn.database = NULL;
    dsn.patience_s = PATIENCE_S;
    dsn.shown = arena_printf(replicas->arena, "the replica %s:%u", host, port);
    return dsn;
}

void replicas_list(struct replicas *replicas, const char *host, unsigned port)
{
    struct replica *replica = find(replicas, host, port);

    if (!replica) {
        replica = ARENA_NEW(replicas->arena, struct replica);
        replica->dsn = dsn_of(replicas, host, port);
        replica->next = replicas->first;
        replicas->first = replica;
    }
    replica->is_listed = true;
}

struct db *replica_connect(struct replica *replica)
{
    struct error trouble = ERROR_INIT;

    if (replica->db && db_is_lost(replica->db))
        replica_disconnect(replica);
    if (replica->db || !deadline_passed(&replica->next_try))
        return replica->db;
    replica->db = db_open(&replica->dsn, "replica", &trouble);
    if (!replica->db) {
        replica->next_try = deadline_in_ms(NEXT_TRY_MS);
        LOG(LOG_DEBUG, "a replica cannot be asked", F("error", trouble.text));
    }
    return replica->db;
}

void replica_disconnect(struct replica *replica)
{
    db_close(replica->db);
    replica->db = NULL;
}

bool replica_heartbeat(const struct replicas *replicas, struct replica *replica, uint64_t *lag_ms)
{
    const struct heartbeat *heartbeat = replicas->heartbeat;
    struct error trouble = ERROR_INIT;
    uint64_t now = 0, last = 0;

    if (!heartbeat || !replicas->db || !replica_connect(replica) ||
        !db_value_u64(replicas->db, &now, heartbeat->now, &trouble) ||
        !db_value_u64(replica->db, &last, heartbeat->last, &trouble) || !last) {
        LOG(LOG_DEBUG, "a replica has no heartbeat", F("error", trouble.text));
        return false;
    }
    /* The next beat is all that may be missing of one that is not behind. */
    *lag_ms = now > last + HEARTBEAT_MS ? now - last - HEARTBEAT_MS : 0;
    return true;
}

void replicas_look_at_given(struct replicas *replicas, struct replica_lag *lag)
{
    for (struct replica *replica = replicas->first; replica; replica = replica->next) {
        uint64_t lag_ms = 0;
        lag->replicas++;
        if (!replica_heartbeat(replicas, replica, &lag_ms))
            lag->unknown++;
        else if (lag_ms > lag->worst_ms)
            lag->worst_ms = lag_ms;
    }
}

static void add_given(struct replicas *replicas, const struct limits *limits)
{
    for (size_t i = 0; limits && i < limits->n_replicas; i++) {
        struct replica *replica = ARENA_NEW(replicas->arena, struct replica);
        struct error trouble = ERROR_INIT;
        if (!dsn_parse(&replica->dsn, limits->replicas[i], replicas->arena, &trouble))
            continue; /* uncovered: it was read when the options were */
        replica->dsn.patience_s = PATIENCE_S;
        replica->is_given = true;
        replica->next = replicas->first;
        replicas->first = replica;
    }
}

static bool look(struct replicas *replicas, struct replica_lag *lag)
{
    struct db **db = &replicas->db;
    struct error trouble = ERROR_INIT;

    if (*db && db_is_lost(*db)) {
        db_close(*db);
        *db = NULL;
    }
    if (!*db)
        *db = db_open(replicas->primary, "replicas", &trouble);
    if (*db && db_dialect(*db)->server->look_at_replicas(*db, replicas, lag, &trouble))
        return true;
    LOG(LOG_DEBUG, "replicas cannot be found", F("error", trouble.text));
    return false;
}

void replicas_watch(const struct replicas_job *job, struct cancel *cancel)
{
    struct replicas replicas = {
        .primary = job->primary, .arena = arena_new(), .heartbeat = job->heartbeat};
    struct progress *progress = job->progress;

    struct replica_lag lag;

    add_given(&replicas, job->limits);
    do {
        lag = (struct replica_lag){.replicas = 0};
        if (!look(&replicas, &lag))
            lag.replicas = lag.unknown = atomic_load(&progress->replicas);
        atomic_store(&progress->replicas_nameless, lag.nameless);
        atomic_store(&progress->replicas, lag.replicas);
        atomic_store(&progress->replicas_unknown, lag.unknown);
        atomic_store(&progress->replica_lag_ms, lag.worst_ms);
        atomic_store(&progress->replicas_sought, true);
        if (job->owner)
            job->seen(job->owner, lag.replicas > lag.unknown, lag.worst_ms);
    } while (cancel_sleep_ms(cancel, lag.replicas ? HEARTBEAT_MS : SLOW_HEARTBEAT_MS));
    for (struct replica *replica = replicas.first; replica; replica = replica->next)
        replica_disconnect(replica);
    db_close(replicas.db);
    arena_free(replicas.arena);
}
