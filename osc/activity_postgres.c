/*
 * PostgreSQL counts transactions and rows for each database since its counters
 * were reset, or, where nobody ever did that, since those of the whole server
 * were.  A session tells what it did once a second at most.
 */
#include "osc/activity.h"
#include "osc/db/dialect.h"
#include "osc/db/server.h"

#define SINCE                                                                                      \
    "COALESCE(d.stats_reset, (SELECT LEAST(b.stats_reset, a.stats_reset)\n"                        \
    "  FROM pg_catalog.pg_stat_bgwriter b, pg_catalog.pg_stat_archiver a))"
#define SECONDS_SINCE "GREATEST(1, EXTRACT(epoch FROM pg_catalog.clock_timestamp() - " SINCE "))"

static const char counters[] =
    "SELECT pg_catalog.sum(d.xact_commit + d.xact_rollback)::pg_catalog.int8,\n"
    "  pg_catalog.sum(d.tup_inserted + d.tup_updated + d.tup_deleted)::pg_catalog.int8,\n"
    "  pg_catalog.pg_wal_lsn_diff(CASE WHEN pg_catalog.pg_is_in_recovery()\n"
    "    THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_lsn() END, '0/0')"
    "::pg_catalog.int8,\n"
    "  (1000 * pg_catalog.sum((d.xact_commit + d.xact_rollback) / " SECONDS_SINCE
    "))::pg_catalog.int8,\n"
    "  (1000 * pg_catalog.sum((d.tup_inserted + d.tup_updated + d.tup_deleted)\n"
    "    / " SECONDS_SINCE "))::pg_catalog.int8,\n"
    "  pg_catalog.max(" SECONDS_SINCE ")::pg_catalog.int8\n"
    "FROM pg_catalog.pg_stat_database d";

/* Of others whose sessions are shown to us: without pg_read_all_stats they are not. */
static const char transactions[] =
    "SELECT pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE'),\n"
    "  COALESCE((1000 * EXTRACT(epoch FROM pg_catalog.max(pg_catalog.clock_timestamp()\n"
    "    - a.xact_start)))::pg_catalog.int8, 0)\n"
    "FROM pg_catalog.pg_stat_activity a\n"
    "WHERE a.backend_type = 'client backend' AND a.application_name NOT LIKE 'osc %'";

static bool read_counters(struct db *db, struct activity *activity, struct error *err)
{
    AUTO(rows) rows = ROWS_INIT;

    if (!db_query(db, &rows, counters, err) || !rows_next(&rows, err))
        return false;
    activity->work = rows_u64(&rows, 0) - db_tally().transactions;
    activity->rows_written = rows_u64(&rows, 1);
    activity->log_bytes = rows_u64(&rows, 2);
    activity->usual_work = (double)rows_u64(&rows, 3) / 1000;
    activity->usual_rows = (double)rows_u64(&rows, 4) / 1000;
    activity->counted_s = rows_u64(&rows, 5);
    return true;
}

static bool read_transactions(struct db *db, struct activity *activity, struct error *err)
{
    AUTO(rows) rows = ROWS_INIT;

    if (!db_query(db, &rows, transactions, err) || !rows_next(&rows, err))
        return false;
    activity->sees_transactions = rows_bool(&rows, 0);
    activity->longest_ms = rows_u64(&rows, 1);
    return true;
}

static bool look(struct db *db, struct activity *activity, struct error *err)
{
    struct others others = {.sessions = 0};

    *activity = (struct activity){.has_binlog = false};
    if (!db_dialect(db)->server->look_at_others(db, &others, err) ||
        !read_counters(db, activity, err) || !read_transactions(db, activity, err))
        return false;
    activity->sessions = others.sessions;
    return true;
}

static const char of_table[] =
    "SELECT t.n_tup_ins + t.n_tup_upd + t.n_tup_del,\n"
    "  (1000 * (t.n_tup_ins + t.n_tup_upd + t.n_tup_del) / " SECONDS_SINCE ")::pg_catalog.int8\n"
    "FROM pg_catalog.pg_stat_all_tables t JOIN pg_catalog.pg_stat_database d\n"
    "  ON d.datname = pg_catalog.current_database()\n"
    "WHERE t.schemaname = {schema} AND t.relname = {table}";

static bool look_at_table(struct db *db, const struct sql_env *env, struct table_activity *activity,
                          struct error *err)
{
    AUTO(rows) rows = ROWS_INIT;

    *activity = (struct table_activity){.usual_rows = -1};
    if (!sql_query(db, &rows, of_table, env, err))
        return false;
    if (rows_next(&rows, err)) {
        activity->rows_written = rows_u64(&rows, 0);
        activity->usual_rows = (double)rows_u64(&rows, 1) / 1000;
    }
    return err->kind == ERROR_NONE;
}

const struct activity_dialect postgres_activity = {
    .work = "transactions",
    .log = "WAL",
    .look = look,
    .look_at_table = look_at_table,
};
