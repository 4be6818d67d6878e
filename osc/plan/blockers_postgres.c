#include "osc/plan/blockers.h"
#include "osc/plan/postgres.h"

/* What reading and writing rows takes; everything stronger is maintenance, DDL or LOCK TABLE. */
#define WEAK "('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')"

#define BACKUP_TOOLS                                                                               \
    "'^(pg_dump|pg_dumpall|pg_basebackup|pg_receivewal|pg_rewind|pgbackrest|barman|wal-?g|"        \
    "pg_probackup)'"

#define MAINTENANCE                                                                                \
    "'^\\s*(vacuum|analyze|analyse|reindex|cluster|repack|create|alter|drop|truncate|refresh)\\M'"

/*
 * Short transactions end by themselves, and ordinary autovacuum gives way to a
 * lock; one against wraparound does not.  Somebody who waits counts when what he wants keeps
 * others out: everybody queues behind him.  Of the transactions of others only an id is shown to
 * us without pg_read_all_stats: these count as short, but are told after a failure.
 */
static const char question[] =
    "SELECT a.pid, COALESCE(a.usename, a.backend_type, ''),\n"
    "  COALESCE(pg_catalog.host(a.client_addr), ''),\n"
    "  COALESCE(1000 * EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.xact_start), 0)\n"
    "    ::pg_catalog.int8 AS age,\n"
    "  CASE WHEN l.holds THEN COALESCE(a.state, 'running') ELSE 'waiting for it' END,\n"
    "  COALESCE(pg_catalog.left(a.query, 1000), ''),\n"
    "  CASE WHEN a.backend_type IS NULL THEN 'hidden from us'\n"
    "    WHEN a.backend_type <> 'client backend' THEN a.backend_type\n"
    "    WHEN a.application_name OPERATOR(pg_catalog.~*) " BACKUP_TOOLS " THEN 'backup'\n"
    "    WHEN a.application_name LIKE 'osc %' THEN 'osc'\n"
    "    WHEN l.is_strong OR a.query OPERATOR(pg_catalog.~*) " MAINTENANCE "\n"
    "      THEN 'maintenance or DDL'\n"
    "    ELSE '' END\n"
    "FROM (SELECT k.pid, pg_catalog.bool_or(k.granted) AS holds,\n"
    "    pg_catalog.bool_or(k.mode NOT IN " WEAK ") AS is_strong\n"
    "  FROM pg_catalog.pg_locks k JOIN pg_catalog.pg_class c ON c.oid = k.relation\n"
    "  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace\n"
    "  JOIN pg_catalog.pg_database d ON d.oid = k.database\n"
    "  WHERE d.datname = pg_catalog.current_database() AND k.locktype = 'relation'\n"
    "  AND n.nspname = {schema} AND c.relname IN ({names}) AND CASE WHEN k.granted\n"
    "    THEN {readers} OR k.mode NOT IN ('AccessShareLock', 'RowShareLock')\n"
    "    ELSE k.mode NOT IN " WEAK " END GROUP BY k.pid) l\n"
    "JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid\n"
    "WHERE a.pid <> pg_catalog.pg_backend_pid()\n"
    "AND a.backend_type IS DISTINCT FROM 'parallel worker' AND CASE\n"
    "  WHEN a.backend_type = 'autovacuum worker' THEN a.query LIKE '%wraparound%'\n"
    "  WHEN a.xact_start IS NULL THEN {hidden}\n"
    "  WHEN a.state LIKE 'idle in%' THEN a.state_change < pg_catalog.clock_timestamp()\n"
    "    - pg_catalog.make_interval(secs => LEAST({older}, 300) / 1000.0)\n"
    "  ELSE a.xact_start < pg_catalog.clock_timestamp()\n"
    "    - pg_catalog.make_interval(secs => {older} / 1000.0) END\n"
    "UNION ALL\n"
    "SELECT DISTINCT 0, p.owner, '',\n"
    "  (1000 * EXTRACT(epoch FROM pg_catalog.clock_timestamp() - p.prepared))::pg_catalog.int8,\n"
    "  pg_catalog.format('prepared transaction %L', p.gid), '', 'prepared "
    "transaction'\n" POSTGRES_PREPARED
    "AND l.relation IN (SELECT c.oid FROM pg_catalog.pg_class c\n"
    "  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace\n"
    "  WHERE n.nspname = {schema} AND c.relname IN ({names}))\n"
    "AND ({readers} OR l.mode NOT IN ('AccessShareLock', 'RowShareLock'))\n"
    "ORDER BY age DESC";

static const char *holders(const struct facts *facts UNUSED)
{
    return question;
}

/* In one statement: the process may have gone on to another transaction meanwhile. */
static bool kill_blocker(struct db *db, const struct blocker *blocker, uint64_t older_ms,
                         struct error *err)
{
    struct arena *arena = arena_new();
    struct sql_env env = {.arena = arena};

    sql_bind_u64(&env, "pid", blocker->id);
    sql_bind_u64(&env, "older", older_ms);
    const bool good =
        sql_exec(db,
                 "SELECT pg_catalog.pg_terminate_backend(a.pid)\n"
                 "FROM pg_catalog.pg_stat_activity a WHERE a.pid = {pid} AND a.xact_start\n"
                 "  <= pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => {older} / "
                 "1000.0)",
                 &env, NULL, err);
    arena_free(arena);
    return good;
}

const struct blocker_dialect postgres_blockers = {
    .holders = holders,
    .suspects = holders,
    .kill = kill_blocker,
};
