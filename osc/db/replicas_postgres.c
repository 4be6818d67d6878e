#include "osc/db/replicas.h"

/*
 * The primary knows.  A replica that has all there is has no lag, whatever was
 * measured last; without the right to see more than that there is one
 * (pg_read_all_stats), its lag is unknown.
 */
static const char question[] =
    "SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE r.lag IS NULL),\n"
    "  COALESCE((1000 * EXTRACT(epoch FROM pg_catalog.max(r.lag)))::pg_catalog.int8, 0)\n"
    "FROM (SELECT CASE WHEN s.replay_lsn >= pg_catalog.pg_current_wal_lsn()\n"
    "    THEN '0'::pg_catalog.interval ELSE s.replay_lag END\n"
    "  FROM pg_catalog.pg_stat_replication s\n"
    "  WHERE s.state IS NULL OR s.state IN ('streaming', 'catchup')) r(lag)";

bool postgres_look_at_replicas(struct db *db, struct replicas *replicas, struct replica_lag *lag,
                               struct error *err)
{
    AUTO(rows) rows = ROWS_INIT;

    if (!db_query(db, &rows, question, err) || !rows_next(&rows, err))
        return false;
    lag->replicas = (unsigned)rows_u64(&rows, 0);
    lag->unknown = (unsigned)rows_u64(&rows, 1);
    lag->worst_ms = rows_u64(&rows, 2);
    rows_release(&rows);
    replicas_look_at_given(replicas, lag);
    return true;
}
