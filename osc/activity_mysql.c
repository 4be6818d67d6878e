/*
 * The family counts since the server's start.  MySQL's Handler_write counts its
 * inner temporary tables as well, MariaDB's does not; MariaDB no longer shows
 * Innodb_rows_….
 */
#include <string.h>
#include <strings.h>

#include "osc/activity.h"
#include "osc/db/dialect.h"
#include "osc/db/server.h"

struct counters {
    uint64_t uptime, running, redo, binlog;
    uint64_t rows, handled; /* rows written as InnoDB counts, and as the handlers do */
    bool has_rows, has_binlog;
};

static void count(struct counters *counters, const char *name, uint64_t value)
{
    const struct {
        const char *name;
        uint64_t *sum;
        bool *is_there;
    } known[] = {
        {"Uptime",                &counters->uptime,  NULL                 },
        {"Threads_running",       &counters->running, NULL                 },
        {"Innodb_os_log_written", &counters->redo,    NULL                 },
        {"Binlog_bytes_written",  &counters->binlog,  &counters->has_binlog},
        {"Innodb_rows_inserted",  &counters->rows,    &counters->has_rows  },
        {"Innodb_rows_updated",   &counters->rows,    NULL                 },
        {"Innodb_rows_deleted",   &counters->rows,    NULL                 },
        {"Handler_write",         &counters->handled, NULL                 },
        {"Handler_update",        &counters->handled, NULL                 },
        {"Handler_delete",        &counters->handled, NULL                 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (strcasecmp(known[i].name, name) == 0) {
            *known[i].sum += value;
            if (known[i].is_there)
                *known[i].is_there = true;
        }
}

static bool read_counters(struct db *db, struct counters *counters, struct error *err)
{
    static const char question[] =
        "SHOW GLOBAL STATUS WHERE Variable_name IN ('Uptime', 'Threads_running',\n"
        " 'Innodb_os_log_written', 'Binlog_bytes_written', 'Innodb_rows_inserted',\n"
        " 'Innodb_rows_updated', 'Innodb_rows_deleted', 'Handler_write', 'Handler_update',\n"
        " 'Handler_delete')";
    AUTO(rows) rows = ROWS_INIT;

    if (!db_query(db, &rows, question, err))
        return false;
    while (rows_next(&rows, err))
        count(counters, rows_text(&rows, 0), rows_u64(&rows, 1));
    return err->kind == ERROR_NONE;
}

/* MySQL does not count what it writes there: the files are as long as they are. */
static void read_binlog(struct db *db, struct counters *counters)
{
    struct error denied = ERROR_INIT; /* or there is none */
    AUTO(rows) rows = ROWS_INIT;

    if (counters->has_binlog || !db_query(db, &rows, "SHOW BINARY LOGS", &denied))
        return;
    while (rows_next(&rows, &denied))
        counters->binlog += rows_u64(&rows, 1);
    counters->has_binlog = denied.kind == ERROR_NONE;
}

/* In UTC, as our session is. */
static const char by_innodb[] =
    "SELECT GREATEST(0, COALESCE(MAX(TIMESTAMPDIFF(SECOND,\n"
    "  CONVERT_TZ(x.trx_started, 'SYSTEM', '+00:00'), UTC_TIMESTAMP())), 0)) * 1000\n"
    "FROM information_schema.innodb_trx AS x WHERE x.trx_mysql_thread_id <> CONNECTION_ID()";

static const char by_events[] =
    "SELECT COALESCE(MAX(x.TIMER_WAIT) DIV 1000000000, 0)\n"
    "FROM performance_schema.events_transactions_current AS x\n"
    "JOIN performance_schema.threads AS t ON t.THREAD_ID = x.THREAD_ID\n"
    "WHERE x.STATE = 'ACTIVE' AND t.PROCESSLIST_ID <> CONNECTION_ID()";

/*
 * Where a statement of anybody's has a character of four bytes, MySQL refuses to
 * list any transaction of InnoDB.
 */
static bool read_transactions(struct db *db, struct activity *activity, struct error *err)
{
    activity->sees_transactions = db_value_u64(db, &activity->longest_ms, by_innodb, err);
    if (err->kind == ERROR_DATA) {
        error_clear(err);
        activity->sees_transactions = db_value_u64(db, &activity->longest_ms, by_events, err);
    }
    if (!activity->sees_transactions && err->kind == ERROR_DENIED)
        error_clear(err);
    return err->kind == ERROR_NONE;
}

static bool look(struct db *db, struct activity *activity, struct error *err)
{
    struct counters counters = {.uptime = 0};
    struct others others = {.statements = 0};

    *activity = (struct activity){.usual_work = -1, .usual_rows = -1};
    if (!db_dialect(db)->server->look_at_others(db, &others, err) ||
        !read_counters(db, &counters, err) || !read_transactions(db, activity, err))
        return false;
    read_binlog(db, &counters);
    activity->work = others.statements;
    activity->rows_written = counters.has_rows ? counters.rows : counters.handled;
    activity->log_bytes = counters.redo;
    activity->has_binlog = counters.has_binlog;
    activity->binlog_bytes = counters.binlog;
    activity->sessions = counters.running ? counters.running - 1 : 0; /* we are one */
    activity->counted_s = counters.uptime;
    if (counters.uptime) {
        activity->usual_work = (double)activity->work / (double)counters.uptime;
        activity->usual_rows = (double)activity->rows_written / (double)counters.uptime;
    }
    return true;
}

/* ---- one table ---- */

static const char by_performance_schema[] =
    "SELECT COALESCE(MAX(s.COUNT_WRITE), 0)\n"
    "FROM performance_schema.table_io_waits_summary_by_table AS s\n"
    "WHERE s.OBJECT_TYPE = 'TABLE' AND s.OBJECT_SCHEMA = {schema} AND s.OBJECT_NAME = {table}\n"
    "HAVING @@performance_schema";

/* Only MariaDB has it.  In both a table that nobody used is missing. */
static const char by_statistics[] =
    "SELECT COALESCE(MAX(s.ROWS_CHANGED), 0) FROM information_schema.TABLE_STATISTICS AS s\n"
    "WHERE s.TABLE_SCHEMA = {schema} AND s.TABLE_NAME = {table} HAVING @@userstat";

static const char not_counted[] =
    "this server does not count the writes of a table, or does not show them to this user: "
    "performance_schema (and SELECT on it) does, and on MariaDB SET GLOBAL userstat = 1";

static bool ask(struct db *db, const char *template, const struct sql_env *env, uint64_t *written,
                struct error *err)
{
    AUTO(rows) rows = ROWS_INIT;

    error_clear(err);
    if (!sql_query(db, &rows, template, env, err) || !rows_next(&rows, err))
        return false;
    *written = rows_u64(&rows, 0);
    return true;
}

/* Since when the statistics of a table are counted nobody says. */
static bool look_at_table(struct db *db, const struct sql_env *env, struct table_activity *activity,
                          struct error *err)
{
    *activity = (struct table_activity){.usual_rows = -1};
    if (ask(db, by_performance_schema, env, &activity->rows_written, err) ||
        (err->kind != ERROR_LOST && ask(db, by_statistics, env, &activity->rows_written, err)))
        return true;
    if (err->kind == ERROR_LOST)
        return false;
    error_clear(err);
    activity->missing = not_counted;
    return true;
}

const struct activity_dialect mysql_activity = {
    .work = "statements",
    .log = "redo log",
    .look = look,
    .look_at_table = look_at_table,
};
