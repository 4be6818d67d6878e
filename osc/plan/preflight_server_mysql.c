#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "osc/base/human.h"
#include "osc/plan/preflight_log.h"
#include "osc/plan/preflight_mysql.h"

enum {
    LEAST_PACKET = 1 << 20,
    LITTLE = 64 << 20,        /* bytes for the log that are not worth a word */
    RESIZES_LOG_FROM = 100900 /* MariaDB */
};

/* The session's value of a variable; "" where the server has none of the name. */
static bool variable(struct db *db, struct plan *plan, const char *name, const char **value,
                     struct error *err)
{
    AUTO(rows) rows = ROWS_INIT;

    *value = "";
    if (!db_query(db, &rows,
                  arena_printf(plan->arena, "SHOW VARIABLES WHERE Variable_name = '%s'", name),
                  err))
        return false;
    if (rows_next(&rows, err))
        *value = arena_string(plan->arena, rows_text(&rows, 1));
    return err->kind == ERROR_NONE;
}

static bool is_on(const char *value)
{
    return strcasecmp(value, "ON") == 0 || strcmp(value, "1") == 0;
}

bool check_version(struct db *db UNUSED, struct plan *plan, struct error *err UNUSED)
{
    if (!plan->facts->is_supported)
        plan_find(plan, FINDING_REFUSAL, "version",
                  "MySQL from 8.0.13 and MariaDB from 10.6 are supported", "%s %s is not supported",
                  plan->facts->vendor, plan->facts->version);
    return true;
}

bool check_read_only(struct db *db, struct plan *plan, struct error *err)
{
    static const char *const names[] = {"read_only", "super_read_only", "innodb_read_only"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *value;
        if (!variable(db, plan, names[i], &value, err))
            return false;
        if (is_on(value) || strncasecmp(value, "NO_LOCK", 7) == 0)
            plan_find(plan, FINDING_REFUSAL, "read-only", "connect to the primary", "%s is %s",
                      names[i], value);
    }
    return true;
}

/* Row events that a replica applies do not fire triggers: writes would be missed. */
bool check_replica(struct db *db, struct plan *plan, struct error *err)
{
    static const char *const questions[] = {"SHOW ALL REPLICAS STATUS", "SHOW REPLICA STATUS",
                                            "SHOW SLAVE STATUS"};
    AUTO(rows) rows = ROWS_INIT;

    for (size_t i = 0; i < ARRAY_SIZE(questions); i++) {
        error_clear(err);
        if (!db_query(db, &rows, questions[i], err)) {
            if (err->kind == ERROR_LOST)
                return false;
            if (err->kind == ERROR_DENIED)
                break;
            continue; /* this server says it in other words */
        }
        if (rows_next(&rows, err))
            plan_find(plan, FINDING_REFUSAL, "replica",
                      "connect to the primary; if replication is over, RESET REPLICA ALL",
                      "this server is a replica: changes that it applies fire no triggers");
        return err->kind == ERROR_NONE;
    }
    plan_find(plan, FINDING_REFUSAL, "replica",
              "GRANT REPLICATION CLIENT ON *.* TO the user of the DSN; MariaDB calls it SLAVE "
              "MONITOR",
              "we may not ask whether this server is a replica, where writes would be missed: %s",
              err->text);
    error_clear(err);
    return true;
}

bool check_cluster(struct db *db, struct plan *plan, struct error *err)
{
    const char *galera, *provider, *group, *single;

    if (!variable(db, plan, "wsrep_on", &galera, err) ||
        !variable(db, plan, "wsrep_provider", &provider, err) ||
        !variable(db, plan, "group_replication_group_name", &group, err) ||
        !variable(db, plan, "group_replication_single_primary_mode", &single, err))
        return false;
    if (is_on(galera) && *provider && strcasecmp(provider, "none") != 0)
        plan_find(plan, FINDING_REFUSAL, "cluster", "",
                  "the server is a node of a Galera cluster: table locks hold on one node only");
    if (*group && !is_on(single))
        plan_find(plan, FINDING_REFUSAL, "cluster", "",
                  "the server is in a group with several primaries: table locks hold on one only");
    return true;
}

bool check_binlog(struct db *db, struct plan *plan, struct error *err)
{
    const char *log, *format, *synced;

    if (!variable(db, plan, "log_bin", &log, err) ||
        !variable(db, plan, "binlog_format", &format, err) ||
        !variable(db, plan, "sync_binlog", &synced, err))
        return false;
    if (is_on(log) && strcasecmp(format, "STATEMENT") == 0)
        plan_find(plan, FINDING_REFUSAL, "binary-log", "SET GLOBAL binlog_format = 'ROW'",
                  "binlog_format is STATEMENT, which forbids writes at READ COMMITTED");
    if (is_on(log) && strcmp(synced, "0") == 0 && preflight_log_bytes(plan) > LITTLE)
        plan_find(plan, FINDING_NOTE, "binary-log",
                  "SET GLOBAL sync_binlog = 1; a smaller max_binlog_size makes shorter waits",
                  "sync_binlog is 0: each file of the binary log is synced when it is full, as a "
                  "whole, and commits wait");
    return true;
}

bool check_locks(struct db *db, struct plan *plan, struct error *err)
{
    const char *mode, *priority;

    if (!variable(db, plan, "innodb_autoinc_lock_mode", &mode, err) ||
        !variable(db, plan, "max_write_lock_count", &priority, err))
        return false;
    if (strcmp(mode, "0") == 0)
        plan_find(plan, FINDING_REFUSAL, "locks", "restart the server with mode 1 or 2",
                  "innodb_autoinc_lock_mode is 0: the journal could make transactions of the "
                  "application deadlock");
    /* The queued RENAME must come before every write that waits with it. */
    if (!plan->facts->renames_under_lock && strtoull(priority, NULL, 10) < 1000000)
        plan_find(plan, FINDING_REFUSAL, "locks", "SET GLOBAL max_write_lock_count = DEFAULT",
                  "max_write_lock_count is %s: a write could slip in before the swap", priority);
    return true;
}

bool check_tablespace(struct db *db, struct plan *plan, struct error *err)
{
    const char *own;

    if (!variable(db, plan, "innodb_file_per_table", &own, err))
        return false;
    if (*own && !is_on(own))
        plan_find(plan, FINDING_REFUSAL, "tablespace", "SET GLOBAL innodb_file_per_table = ON",
                  "innodb_file_per_table is %s: the new table would go into the system tablespace, "
                  "which never shrinks again",
                  own);
    return true;
}

bool check_engines(struct db *db, struct plan *plan, struct error *err)
{
    const char *enforced;

    if (!variable(db, plan, "enforce_storage_engine", &enforced, err))
        return false;
    if (*enforced && strcasecmp(enforced, "InnoDB") != 0)
        plan_find(plan, FINDING_REFUSAL, "engines", "SET GLOBAL enforce_storage_engine = NULL",
                  "enforce_storage_engine is %s: no InnoDB table can be made", enforced);
    return true;
}

/* Pages are written to make room in a log that is full, and commits wait for that. */
bool check_redo_log(struct db *db, struct plan *plan, struct error *err)
{
    const char *capacity, *size, *files;

    if (!variable(db, plan, "innodb_redo_log_capacity", &capacity, err) ||
        !variable(db, plan, "innodb_log_file_size", &size, err) ||
        !variable(db, plan, "innodb_log_files_in_group", &files, err))
        return false;
    const uint64_t room = *capacity
                              ? strtoull(capacity, NULL, 10)
                              : strtoull(size, NULL, 10) * (*files ? strtoull(files, NULL, 10) : 1);
    if (room >= preflight_log_wanted(plan))
        return true;
    const char *name = *capacity ? "innodb_redo_log_capacity" : "innodb_log_file_size";
    const unsigned wanted = preflight_log_wanted_gib(plan);
    const char *hint =
        *capacity || plan->facts->number >= RESIZES_LOG_FROM
            ? arena_printf(plan->arena, "SET GLOBAL %s = %u * 1024 * 1024 * 1024", name, wanted)
            : arena_printf(plan->arena, "%s = %uG in its configuration, and a restart", name,
                           wanted);
    plan_find(
        plan, FINDING_NOTE, "redo-log", hint,
        "about %s will be written through a redo log of %s: whenever it is full, commits wait",
        human_bytes(preflight_log_bytes(plan)).text, human_bytes(room).text);
    return true;
}

/* Replay names thousands of journal entries in one statement. */
bool check_packets(struct db *db, struct plan *plan, struct error *err)
{
    const char *most;

    if (!variable(db, plan, "max_allowed_packet", &most, err))
        return false;
    if (strtoull(most, NULL, 10) < LEAST_PACKET)
        plan_find(plan, FINDING_REFUSAL, "packets", "SET GLOBAL max_allowed_packet = 16777216",
                  "max_allowed_packet is %s bytes: statements of ours may be longer", most);
    return true;
}

/* Prepared XA transactions hold their locks until somebody ends them. */
bool check_prepared(struct db *db, struct plan *plan, struct error *err)
{
    AUTO(rows) rows = ROWS_INIT;
    unsigned n = 0;

    if (!db_query(db, &rows, "XA RECOVER", err)) {
        if (err->kind == ERROR_LOST)
            return false;
        error_clear(err);
        return true;
    }
    while (rows_next(&rows, err))
        n++;
    if (n)
        plan_find(plan, FINDING_WARNING, "prepared", "XA RECOVER lists them",
                  "%u prepared XA transactions hold locks until somebody ends them", n);
    return err->kind == ERROR_NONE;
}
