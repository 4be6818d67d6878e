#include "osc/plan/tablelock_mysql.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "osc/base/clock.h"
#include "osc/base/group.h"
#include "osc/base/log.h"
#include "osc/db/driver.h"
#include "osc/db/sql.h"

enum { PAUSE_US = 1500 /* between two tries */ };

/* Transactions that have only read the table: they would die if they wrote to it behind us. */
static const char readers_of_table[] =
    "SELECT COUNT(*) FROM (SELECT OWNER_THREAD_ID, MAX(LOCK_TYPE <> 'SHARED_READ') AS writes"
    "  FROM performance_schema.metadata_locks"
    "  WHERE OBJECT_TYPE = 'TABLE' AND OBJECT_SCHEMA = {schema} AND OBJECT_NAME = {name}"
    "  AND LOCK_STATUS = 'GRANTED' GROUP BY OWNER_THREAD_ID) AS l"
    " JOIN performance_schema.threads AS h ON h.THREAD_ID = l.OWNER_THREAD_ID"
    " JOIN performance_schema.events_transactions_current AS x"
    "  ON x.THREAD_ID = l.OWNER_THREAD_ID AND x.STATE = 'ACTIVE' AND x.AUTOCOMMIT = 'NO'"
    " WHERE h.PROCESSLIST_ID <> CONNECTION_ID() AND l.writes = 0";

static bool count_readers(struct db *db, const struct table *table, uint64_t *readers,
                          struct error *err)
{
    struct arena *arena = arena_new();
    struct sql_env env = {.arena = arena};

    sql_bind_literal(&env, db, "schema", table->schema);
    sql_bind_literal(&env, db, "name", table->name);
    *readers = 0;
    const bool good = !db_facts(db)->sees_metadata_locks ||
                      db_value_u64(db, readers, sql_renders(arena, readers_of_table, &env), err);
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
    uint64_t readers = 0;

    do {
        if (!count_readers(db, first, &readers, err))
            return false;
        if (!readers)
            return true;
        pause_a_moment(); /* uncovered: who has read for a second already is seen before */
    } while (!deadline_passed(until)); /* uncovered: the same */
    /* uncovered: the same */
    LOG(LOG_DEBUG, "queueing for a table that transactions have read", F("table", first->name));
    return true; /* uncovered: the same */
}

struct queued {
    struct db *db;
    struct db *killer; /* connected before we queue, as that takes a while on a busy server; NULL:
                          refused */
    struct deadline until;
    atomic_bool has_ended;
};

/* A kill that comes too late ends the statement behind it, which is then tried again. */
static bool end_in_time(void *argument, struct cancel *cancel UNUSED, struct error *err UNUSED)
{
    struct queued *queued = argument;
    struct error ignored = ERROR_INIT;
    char kill[48];

    (void)snprintf(kill, sizeof kill, "KILL QUERY %" PRIu64, db_id(queued->db));
    while (!atomic_load(&queued->has_ended) && !deadline_passed(&queued->until))
        pause_a_moment();
    if (!atomic_load(&queued->has_ended) &&
        (!queued->killer || !db_exec(queued->killer, kill, NULL, &ignored)))
        db_interrupt(queued->db); /* uncovered: the timer has no connection */
    return true;
}

/* Everybody queues behind us meanwhile.  The server's own limit counts in whole seconds. */
static bool lock_in_queue(struct db *db, const char *tables, uint64_t timeout_ms, struct error *err)
{
    struct error ignored = ERROR_INIT;

    if (!mysql_wait_at_most(db, timeout_ms + 1000, err))
        return false;
    struct queued queued = {
        .db = db,
        .killer = db->is_rehearsal ? NULL : db_open(db->dsn, "lock-timer", &ignored),
    };
    struct arena *arena = arena_new();
    struct group *group = group_new(NULL);
    queued.until = deadline_in_ms(timeout_ms);
    const bool good = group_start(group, "lock-timer", end_in_time, &queued, err) &&
                      db_exec(db, arena_printf(arena, "LOCK TABLES %s", tables), NULL, err);
    atomic_store(&queued.has_ended, true);
    (void)!group_join(group, &ignored);
    db_close(queued.killer);
    arena_free(arena);
    return good;
}

/*
 * Should this host die now, or stand still, the server gives the locks back by
 * itself.  In a transaction MariaDB counts by another clock.
 */
#define SESSION(commit, idle, idle_inside)                                                         \
    "SET SESSION autocommit = " commit ", wait_timeout = " idle                                    \
    " /*M!100300 , idle_transaction_timeout = " idle_inside " */"
static const char under_lock[] = SESSION("0", "10", "10"),
                  free_again[] = SESSION("1", "604800", "60");

bool mysql_lock_tables(struct db *db, const char *tables, const struct table *first,
                       uint64_t timeout_ms, struct error *err)
{
    const struct deadline patient = deadline_in_ms(timeout_ms);
    bool locked = false;

    bool good =
        db_exec(db, under_lock, NULL, err) &&
        (db_facts(db)->lock_has_nowait ? lock_without_queueing(db, tables, &patient, &locked, err)
                                       : wait_for_readers(db, first, &patient, err)) &&
        (locked || lock_in_queue(db, tables, timeout_ms, err));
    if (!good)
        mysql_unlock_tables(db, "ROLLBACK");
    return good;
}

void mysql_unlock_tables(struct db *db, const char *how)
{
    const char *const statements[] = {how, "UNLOCK TABLES", free_again};
    struct error ignored = ERROR_INIT;

    for (size_t i = 0; i < ARRAY_SIZE(statements); i++)
        if (!db_is_lost(db) && !db_exec(db, statements[i], NULL, &ignored))
            LOG(LOG_WARN, "giving locks back failed", F("statement", statements[i]),
                F("error", ignored.text));
}
