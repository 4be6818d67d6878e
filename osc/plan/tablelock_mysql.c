#include "osc/plan/tablelock_mysql.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <time.h>

#include "osc/base/clock.h"
#include "osc/base/group.h"
#include "osc/base/log.h"
#include "osc/db/sql.h"

enum { PAUSE_US = 1500 /* between two tries */ };

static const char users_of_table[] =
    "SELECT h.PROCESSLIST_USER, h.PROCESSLIST_HOST, h.PROCESSLIST_ID,"
    " CAST(COALESCE(x.TIMER_WAIT / 1000000000, h.PROCESSLIST_TIME * 1000) AS UNSIGNED) AS age_ms,"
    " LEFT(COALESCE(h.PROCESSLIST_INFO, '(idle in transaction)'), 200)"
    " FROM (SELECT OWNER_THREAD_ID, MAX(LOCK_TYPE <> 'SHARED_READ') AS writes"
    "  FROM performance_schema.metadata_locks"
    "  WHERE OBJECT_TYPE = 'TABLE' AND OBJECT_SCHEMA = {schema} AND OBJECT_NAME = {name}"
    "  AND LOCK_STATUS = 'GRANTED' GROUP BY OWNER_THREAD_ID) AS l"
    " JOIN performance_schema.threads AS h ON h.THREAD_ID = l.OWNER_THREAD_ID"
    " LEFT JOIN performance_schema.events_transactions_current AS x"
    "  ON x.THREAD_ID = l.OWNER_THREAD_ID AND x.STATE = 'ACTIVE'"
    " WHERE h.PROCESSLIST_ID <> CONNECTION_ID() AND {who} HAVING age_ms >= {older}";

bool mysql_table_users(struct db *db, const struct table *table, uint64_t older_ms,
                       bool only_readers, struct text *users, struct error *err)
{
    struct arena *arena = arena_new();
    struct sql_env env = {.arena = arena};
    struct rows rows = ROWS_INIT;

    sql_bind_literal(&env, db, "schema", table->schema);
    sql_bind_literal(&env, db, "name", table->name);
    sql_bind_u64(&env, "older", older_ms);
    sql_bind_sql(&env, "who", only_readers ? "l.writes = 0 AND x.AUTOCOMMIT = 'NO'" : "TRUE");
    const bool asked =
        !db_facts(db)->sees_metadata_locks || sql_query(db, &rows, users_of_table, &env, err);
    while (asked && rows_next(&rows, err))
        text_printf(users, "  %s@%s, connection %s, for %s ms: %s\n", rows_text(&rows, 0),
                    rows_text(&rows, 1), rows_text(&rows, 2), rows_text(&rows, 3),
                    rows_text(&rows, 4));
    const bool good = asked && err->kind == ERROR_NONE;
    rows_release(&rows);
    arena_free(arena);
    return good;
}

bool mysql_wait_at_most(struct db *db, uint64_t timeout_ms, struct error *err)
{
    struct arena *arena = arena_new();
    const uint64_t seconds = timeout_ms < 2000 ? 1 : timeout_ms / 1000;
    const bool good = db_exec(
        db, arena_printf(arena, "SET SESSION lock_wait_timeout = %" PRIu64, seconds), NULL, err);

    arena_free(arena);
    return good;
}

static void pause_a_moment(void)
{
    const struct timespec moment = {.tv_nsec = PAUSE_US * 1000};

    (void)nanosleep(&moment, NULL);
}

/* True with *locked set or not; false when it is not a matter of waiting. */
static bool try_at_once(struct db *db, const char *tables, bool *locked, struct error *err)
{
    struct arena *arena = arena_new();

    *locked = db_exec(db, arena_printf(arena, "LOCK TABLES %s NOWAIT", tables), NULL, err);
    arena_free(arena);
    if (*locked || err->kind != ERROR_TRANSIENT)
        return *locked;
    error_clear(err);
    return true;
}

static bool lock_without_queueing(struct db *db, const char *tables, const struct deadline *until,
                                  bool *locked, struct error *err)
{
    *locked = false;
    while (!*locked && !deadline_passed(until)) {
        if (!try_at_once(db, tables, locked, err))
            return false;
        if (!*locked)
            pause_a_moment();
    }
    return true;
}

static bool wait_for_readers(struct db *db, const struct table *first, const struct deadline *until,
                             struct error *err)
{
    AUTO(text) readers = TEXT_INIT;

    do {
        text_clear(&readers);
        if (!mysql_table_users(db, first, 0, true, &readers, err))
            return false;
        if (!readers.length)
            return true;
        pause_a_moment();
    } while (!deadline_passed(until));
    LOG(LOG_DEBUG, "queueing for a table that transactions have read", F("table", first->name));
    return true;
}

struct queued {
    struct db *db;
    struct deadline until;
    atomic_bool has_ended;
};

/* A kill that comes too late ends the statement behind it, which is then tried again. */
static bool end_in_time(void *argument, struct cancel *cancel UNUSED, struct error *err UNUSED)
{
    struct queued *queued = argument;

    while (!atomic_load(&queued->has_ended) && !deadline_passed(&queued->until))
        pause_a_moment();
    if (!atomic_load(&queued->has_ended))
        db_interrupt(queued->db);
    return true;
}

/* Everybody queues behind us meanwhile.  The server's own limit counts in whole seconds. */
static bool lock_in_queue(struct db *db, const char *tables, uint64_t timeout_ms, struct error *err)
{
    struct arena *arena = arena_new();
    struct queued queued = {.db = db, .until = deadline_in_ms(timeout_ms)};
    struct group *group = group_new(NULL);
    struct error ignored = ERROR_INIT;

    const bool good = mysql_wait_at_most(db, timeout_ms + 1000, err) &&
                      group_start(group, "lock-timer", end_in_time, &queued, err) &&
                      db_exec(db, arena_printf(arena, "LOCK TABLES %s", tables), NULL, err);
    atomic_store(&queued.has_ended, true);
    (void)!group_join(group, &ignored);
    arena_free(arena);
    return good;
}

bool mysql_lock_tables(struct db *db, const char *tables, const struct table *first,
                       uint64_t timeout_ms, struct error *err)
{
    const struct deadline patient = deadline_in_ms(timeout_ms);
    bool locked = false;

    if (!(db_facts(db)->lock_has_nowait ? lock_without_queueing(db, tables, &patient, &locked, err)
                                        : wait_for_readers(db, first, &patient, err)))
        return false;
    return locked || lock_in_queue(db, tables, timeout_ms, err);
}

void mysql_unlock_tables(struct db *db)
{
    struct error ignored = ERROR_INIT;

    if (!db_is_lost(db) && !db_exec(db, "UNLOCK TABLES", NULL, &ignored))
        LOG(LOG_WARN, "unlocking failed", F("error", ignored.text));
}
