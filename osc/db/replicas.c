#include "osc/db/replicas.h"

#include <string.h>

#include "osc/base/log.h"
#include "osc/db/dialect.h"
#include "osc/db/server.h"

enum { LOOK_MS = 1000, PATIENCE_S = 2, NEXT_TRY_MS = 10000 };

static struct replica *find(const struct replicas *replicas, const char *host, unsigned port)
{
    struct replica *replica = replicas->first;

    while (replica && (replica->dsn.port != port || strcmp(replica->dsn.host, host) != 0))
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

static bool look(struct db **db, struct replicas *replicas, struct replica_lag *lag)
{
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

void replicas_watch(const struct dsn *primary, struct progress *progress, struct cancel *cancel)
{
    struct replicas replicas = {.primary = primary, .arena = arena_new()};
    struct db *db = NULL;

    do {
        struct replica_lag lag = {.replicas = 0};
        if (!look(&db, &replicas, &lag))
            lag.replicas = lag.unknown = atomic_load(&progress->replicas);
        atomic_store(&progress->replicas, lag.replicas);
        atomic_store(&progress->replicas_unknown, lag.unknown);
        atomic_store(&progress->replica_lag_ms, lag.worst_ms);
    } while (cancel_sleep_ms(cancel, LOOK_MS));
    for (struct replica *replica = replicas.first; replica; replica = replica->next)
        replica_disconnect(replica);
    db_close(db);
    arena_free(replicas.arena);
}
