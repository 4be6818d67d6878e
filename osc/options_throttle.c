/*
 * Option rows of the throttle: osc/db/limits.h.
 */
#include "osc/options_rows.h"

#include <string.h>

#include "osc/db/dsn.h"

#define SECOND UINT64_C(1000)
#define MINUTE (60 * SECOND)
#define DAY (24 * 60 * MINUTE)
#define MIB (UINT64_C(1) << 20)
#define MOST_COUNT 1000000000
#define PIB (UINT64_C(1) << 50)

#define FOR_CHANGE (FOR_ALTER | FOR_PLAN | FOR_RESUME)

#define AT(field) offsetof(struct options, field)

const struct option option_max_checkpoint_age = {
    .name = "max-checkpoint-age",
    .type = OPT_PERCENT,
    .is_durable = true,
    .is_settable = true,
    .at = AT(limits.checkpoint),
    .value = "PERCENT",
    .standard = "off",
    .zero = "off",
    .least = 1,
    .most = 1000,
    .commands = FOR_CHANGE,
    .help = "Work less while this part of the redo log is not yet written to the tables (on "
            "PostgreSQL: so much of max_wal_size since the last checkpoint began), and others are "
            "at work.",
};

const struct option option_max_commit = {
    .name = "max-commit-time",
    .type = OPT_DURATION,
    .is_durable = true,
    .is_settable = true,
    .at = AT(limits.commit_ms),
    .value = "TIME",
    .standard = "250ms",
    .zero = "off",
    .least = 1,
    .most = MINUTE,
    .commands = FOR_CHANGE,
    .help = "Work less while a commit of one small row takes longer, and others are at work.",
};

const struct option option_max_flow_control = {
    .name = "max-flow-control",
    .type = OPT_PERCENT,
    .is_durable = true,
    .is_settable = true,
    .at = AT(limits.flow_control),
    .value = "PERCENT",
    .standard = "10%",
    .zero = "off",
    .least = 1,
    .most = 100,
    .commands = FOR_CHANGE,
    .help = "Galera, whose nodes are refused as yet: work less while it keeps writers waiting for "
            "more than this part of the time.",
};

const struct option option_max_history = {
    .name = "max-history",
    .type = OPT_COUNT,
    .is_durable = true,
    .is_settable = true,
    .at = AT(limits.history),
    .value = "N",
    .standard = "1000000",
    .zero = "off",
    .least = 1,
    .most = MOST_COUNT,
    .commands = FOR_CHANGE,
    .help = "MySQL and MariaDB: work less while more old versions of rows wait to be purged, and "
            "others are at work.",
};

const struct option option_max_lag = {
    .name = "max-lag",
    .type = OPT_DURATION,
    .is_durable = true,
    .is_settable = true,
    .at = AT(limits.lag_ms),
    .value = "TIME",
    .standard = "5s",
    .zero = "off",
    .least = 100,
    .most = DAY,
    .commands = FOR_CHANGE,
    .help = "Work less, and rest, while a replica is further behind than this. One that cannot be "
            "asked counts as further.",
};

const struct option option_max_load = {
    .name = "max-load",
    .type = OPT_PERCENT,
    .is_durable = true,
    .is_settable = true,
    .at = AT(limits.load),
    .value = "PERCENT",
    .standard = "off",
    .zero = "off",
    .least = 1,
    .most = 100000,
    .commands = FOR_CHANGE,
    .help = "Work less while more processes than this want a processor of the server's host, in "
            "percent of its processors, and others are at work. Known only where osc runs on that "
            "host.",
};

const struct option option_max_lock_waits = {
    .name = "max-lock-waits",
    .type = OPT_COUNT,
    .is_durable = true,
    .is_settable = true,
    .at = AT(limits.lock_waits),
    .value = "N",
    .standard = "20",
    .zero = "off",
    .least = 1,
    .most = 100000,
    .commands = FOR_CHANGE,
    .help = "Work less while as many sessions wait for locks.",
};

const struct option option_max_running = {
    .name = "max-running",
    .type = OPT_COUNT,
    .is_durable = true,
    .is_settable = true,
    .at = AT(limits.running),
    .value = "N",
    .standard = "50",
    .zero = "off",
    .least = 1,
    .most = 100000,
    .commands = FOR_CHANGE,
    .help = "Work less while as many sessions are at work.",
};

const struct option option_max_slot = {
    .name = "max-slot-retention",
    .type = OPT_SIZE,
    .is_durable = true,
    .is_settable = true,
    .at = AT(limits.slot_bytes),
    .value = "SIZE",
    .standard = "64GiB",
    .zero = "off",
    .least = MIB,
    .most = PIB,
    .commands = FOR_CHANGE,
    .help = "PostgreSQL: rest while a replication slot keeps more WAL than this.",
};

const struct option option_max_wal = {
    .name = "max-wal-rate",
    .type = OPT_SIZE,
    .is_durable = true,
    .is_settable = true,
    .at = AT(limits.wal_rate),
    .value = "SIZE",
    .standard = "off",
    .zero = "off",
    .least = MIB,
    .most = PIB,
    .commands = FOR_CHANGE,
    .help = "PostgreSQL: work less while more WAL than this is written in a second.",
};

const struct option option_min_free_disk = {
    .name = "min-free-disk",
    .type = OPT_SIZE,
    .is_durable = true,
    .is_settable = true,
    .at = AT(limits.min_free),
    .value = "SIZE",
    .standard = "2GiB",
    .zero = "off",
    .least = MIB,
    .most = PIB,
    .commands = FOR_CHANGE,
    .help = "Rest while a disk of the server has less room. Known only where osc runs on the "
            "server's host. Near the end of the room the migration stops whatever is said here.",
};

static bool check_replica(const char *value, struct error *err)
{
    struct arena *arena = arena_new();
    struct dsn dsn;

    const bool good = dsn_parse(&dsn, value, arena, err);
    arena_free(arena);
    return good;
}

/* Its password goes no further than this process: on a resume it is given again. */
const struct option option_replica = {
    .name = "replica",
    .type = OPT_LIST,
    .is_secret = true,
    .at = AT(replicas),
    .value = "URL",
    .zero = "none",
    .standard = "none",
    .check = check_replica,
    .commands = FOR_CHANGE | FOR_ADVISE,
    .help = "A replica for --max-lag that the server does not name itself (report_host, "
            "pg_stat_replication), or a replica of a replica.",
};

const struct option option_throttle_flag_file = {
    .name = "throttle-flag-file",
    .type = OPT_PATH,
    .is_durable = true,
    .is_settable = true,
    .at = AT(limits.flag_file),
    .value = "FILE",
    .zero = "none",
    .standard = "none",
    .commands = FOR_CHANGE,
    .help = "Rest while this file exists.",
};

static bool check_http(const char *value, struct error *err)
{
    if (strncmp(value, "http://", 7) == 0 || strncmp(value, "https://", 8) == 0)
        return true;
    return error_set(err, ERROR_USAGE, "it begins with http:// or https://");
}

const struct option option_throttle_http = {
    .name = "throttle-http",
    .type = OPT_TEXT,
    .is_durable = true,
    .is_settable = true,
    .at = AT(limits.http),
    .value = "URL",
    .zero = "none",
    .standard = "none",
    .check = check_http,
    .commands = FOR_CHANGE,
    .help = "Rest unless a HEAD request for this is answered with 2xx.",
};

const struct option option_throttle_query = {
    .name = "throttle-query",
    .type = OPT_TEXT,
    .is_durable = true,
    .is_settable = true,
    .at = AT(limits.query),
    .value = "SQL",
    .zero = "none",
    .standard = "none",
    .commands = FOR_CHANGE,
    .help = "Rest while the first value that this query answers is neither 0, false, empty nor "
            "NULL, or it fails. Asked once a second. On PostgreSQL it names the schema of "
            "each table.",
};

struct limits options_limits(const struct options *options)
{
    struct limits limits = options->limits;

    limits.replicas = options->replicas.list;
    limits.n_replicas = options->replicas.count;
    return limits;
}
