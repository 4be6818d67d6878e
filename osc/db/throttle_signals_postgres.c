/*
 * Signals of PostgreSQL.  Without pg_monitor the sessions of other roles are not
 * seen to be at work, and slots not at all: then these count for nothing.
 */
#include "osc/db/throttle_signals.h"

#define OTHERS                                                                                     \
    "SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity a\n"                              \
    "WHERE a.backend_type = 'client backend' AND a.application_name NOT LIKE 'osc %'\n"

static enum reading read_running(struct look *look, uint64_t *value, struct error *err)
{
    static const char *const questions[] = {OTHERS "AND a.state = 'active'", NULL};

    return signal_ask(look, questions, value, err);
}

static enum reading read_lock_waits(struct look *look, uint64_t *value, struct error *err)
{
    static const char *const questions[] = {OTHERS "AND a.wait_event_type = 'Lock'", NULL};

    return signal_ask(look, questions, value, err);
}

static enum reading read_wal(struct look *look, uint64_t *value, struct error *err)
{
    static const char *const questions[] = {
        "SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), '0/0')"
        "::pg_catalog.int8",
        NULL};

    return signal_ask(look, questions, value, err);
}

static enum reading read_slots(struct look *look, uint64_t *value, struct error *err)
{
    static const char *const questions[] = {
        "SELECT pg_catalog.max(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(),"
        " s.restart_lsn))::pg_catalog.int8\n"
        "FROM pg_catalog.pg_replication_slots s",
        NULL};

    return signal_ask(look, questions, value, err);
}

const struct signal postgres_signals[] = {
    {.name = "active sessions",
     .unit = "",
     .reason = "many sessions are active",
     LIMITED_BY(running),
     .is_soft = true,
     .read = read_running},
    {.name = "lock waits",
     .unit = "",
     .reason = "sessions wait for locks",
     LIMITED_BY(lock_waits),
     .is_soft = true,
     .read = read_lock_waits},
    {.name = "WAL rate",
     .unit = "bytes",
     .reason = "much WAL is written",
     LIMITED_BY(wal_rate),
     .is_rate = true,
     .read = read_wal},
    {.name = "slot retention",
     .unit = "bytes",
     .reason = "a replication slot keeps much WAL",
     LIMITED_BY(slot_bytes),
     .read = read_slots},
    {.name = NULL                          },
};
