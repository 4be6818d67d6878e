/*
 * Signals of PostgreSQL.  Without pg_monitor the sessions of other roles are not
 * seen to be at work, and slots not at all: then these count for nothing.
 */
#include "osc/db/throttle_signals.h"

#define OTHERS                                                                                     \
    "SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity a\n"                              \
    "WHERE a.backend_type = 'client backend' AND a.application_name NOT LIKE 'osc %'\n"

const struct signal postgres_signals[] = {
    {.name = "active sessions",
     .unit = "",
     .reason = "many sessions are active",
     LIMITED_BY(running),
     .is_soft = true,
     .questions = {OTHERS "AND a.state = 'active'"}},
    {.name = "lock waits",
     .unit = "",
     .reason = "sessions wait for locks",
     LIMITED_BY(lock_waits),
     .is_soft = true,
     .questions = {OTHERS "AND a.wait_event_type = 'Lock'"}},
    {.name = "WAL rate",
     .unit = "bytes",
     .reason = "much WAL is written",
     LIMITED_BY(wal_rate),
     .is_rate = true,
     .questions = {"SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), '0/0')"
                   "::pg_catalog.int8"}},
 /* A checkpoint that cannot follow lets it grow beyond the whole. */
    {.name = "checkpoint age",
     .unit = "%",
     .reason = "checkpoints do not follow",
     LIMITED_BY(checkpoint),
     .is_soft = true,
     .questions =
         {"SELECT (100 * pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), c.redo_lsn)"
          " / pg_catalog.pg_size_bytes(pg_catalog.current_setting('max_wal_size')))"
          "::pg_catalog.int8\n"
          "FROM pg_catalog.pg_control_checkpoint() c"}},
    {.name = "slot retention",
     .unit = "bytes",
     .reason = "a replication slot keeps much WAL",
     LIMITED_BY(slot_bytes),
     .questions =
         {"SELECT pg_catalog.max(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(),"
          " s.restart_lsn))::pg_catalog.int8\n"
          "FROM pg_catalog.pg_replication_slots s"}},
    {.name = NULL              },
};
