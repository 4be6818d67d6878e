#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "osc/base/log.h"
#include "osc/db/disk.h"
#include "osc/db/driver.h"
#include "osc/db/replicas.h"
#include "osc/db/server.h"
#include "osc/db/sql.h"
#include "osc/db/throttle_signals.h"

/*
 * What every server of the family knows, set before anything is asked: a
 * hostile sql_select_limit or sql_mode would spoil the questions.  Bad dates
 * that are there must be copied as they are, so the mode refuses wrong values
 * but no zero dates.  Replay ranks keys by sorting them: cut off, they would be called different,
 * and the longest weigh more than what servers compare by default.
 */
static const char first_settings[] =
    "SET SESSION /*M! max_statement_time = 0, */ sql_mode ="
    " 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION',"
    " sql_select_limit = 18446744073709551615, max_join_size = 18446744073709551615,"
    " autocommit = 1, time_zone = '+00:00', sql_safe_updates = 0, sql_big_selects = 1,"
    " sql_auto_is_null = 0, sql_buffer_result = 0, sql_notes = 1, sql_quote_show_create = 1,"
    " completion_type = 'NO_CHAIN', foreign_key_checks = 1, unique_checks = 1,"
    " lock_wait_timeout = 2, innodb_lock_wait_timeout = 5, wait_timeout = 604800,"
    " net_read_timeout = 3600, net_write_timeout = 3600, group_concat_max_len = 16777216,"
    " max_sort_length = 65535, sort_buffer_size = 4194304, innodb_table_locks = 1,"
    " default_storage_engine = 'InnoDB'";

/*
 * Settings that only some versions have.  Most are set without a look; those
 * that need a privilege only when they differ, and a refusal is no error:
 * whoever needs the value will say so.
 */
static const struct setting {
    const char *name, *value;
    bool needs_privilege;
} settings[] = {
    {"max_execution_time",                               "0",             false},
    {"idle_transaction_timeout",                         "60",            false},
    {"idle_readonly_transaction_timeout",                "0",             false},
    {"idle_write_transaction_timeout",                   "0",             false},
    {"explain_format",                                   "'TRADITIONAL'", false},
    {"information_schema_stats_expiry",                  "0",             false},
    {"show_gipk_in_create_table_and_information_schema", "ON",            false},
    {"use_secondary_engine",                             "OFF",           false}, /* it may lag behind */
    {"alter_algorithm",                                  "'DEFAULT'",     false},
    {"sql_if_exists",                                    "OFF",           false},
    {"standard_compliant_cte",                           "ON",            false},
    {"cte_max_recursion_depth",                          "1000",          false},
    {"max_recursive_iterations",                         "1000",          false},
    {"check_constraint_checks",                          "ON",            false},
    {"innodb_compression_default",                       "OFF",           false},
    {"show_create_table_verbosity",                      "OFF",           false},
    {"system_versioning_asof",                           "DEFAULT",       false},
 /* Long lists of keys must stay ranges: beyond these limits the table is scanned. */
    {"range_optimizer_max_mem_size",                     "0",             false},
    {"in_predicate_conversion_threshold",                "0",             false},
    {"sql_require_primary_key",                          "OFF",           true },
    {"sql_generate_invisible_primary_key",               "OFF",           true },
    {"restrict_fk_on_non_standard_key",                  "OFF",           true },
};

static bool wants_change(const struct setting *setting, const char *now)
{
    return !setting->needs_privilege || strcasecmp(setting->value, now) != 0;
}

/* Reads which of the settings this server has and writes the statements that set them. */
static bool choose_settings(struct db *db, struct text *plain, struct text *privileged,
                            struct error *err)
{
    AUTO(text) question = TEXT_INIT;
    struct rows rows = ROWS_INIT;

    text_add(&question, "SHOW SESSION VARIABLES WHERE Variable_name IN (");
    for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
        text_printf(&question, "%s'%s'", i ? "," : "", settings[i].name);
    text_add(&question, ")");
    if (!db_query(db, &rows, question.bytes, err))
        return false;
    while (rows_next(&rows, err))
        for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
            const struct setting *s = &settings[i];
            if (strcasecmp(s->name, rows_text(&rows, 0)) != 0 ||
                !wants_change(s, rows_text(&rows, 1)))
                continue;
            struct text *out = s->needs_privilege ? privileged : plain;
            text_printf(out, "%s %s = %s", out->length ? "," : "SET SESSION", s->name, s->value);
        }
    return err->kind == ERROR_NONE;
}

static bool set_session(struct db *db, struct error *err)
{
    AUTO(text) plain = TEXT_INIT;
    AUTO(text) privileged = TEXT_INIT;
    struct error refusal = ERROR_INIT;

    if (!db_exec(db, first_settings, NULL, err) ||
        !db_exec(db, "SET NAMES utf8mb4 COLLATE utf8mb4_bin", NULL, err) ||
        !db_exec(db, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE", NULL,
                 err) ||
        !choose_settings(db, &plain, &privileged, err) ||
        (plain.length && !db_exec(db, plain.bytes, NULL, err)))
        return error_prefix(err, "setting up the session");
    if (privileged.length && !db_exec(db, privileged.bytes, NULL, &refusal))
        LOG(LOG_DEBUG, "the server refused session settings", F("error", refusal.text));
    return true;
}

/* ----------------------------------------------------------------- facts */

/* "8.0.35", "9.7.4", "10.11.6-MariaDB-log" */
static void read_version(struct facts *facts)
{
    unsigned major = 0, minor = 0, patch = 0;
    const bool is_mariadb = strcasestr(facts->version, "mariadb") != NULL;

    (void)sscanf(facts->version, "%u.%u.%u", &major, &minor, &patch);
    facts->number = major * 10000 + minor * 100 + patch;
    facts->vendor = is_mariadb ? "MariaDB" : "MySQL";
    /*
     * MySQL 8.0.13 is the first to rename under LOCK TABLES; MariaDB 10.6 the
     * oldest that its makers still maintain.
     */
    facts->is_supported = facts->number >= (is_mariadb ? 100600 : 80013);
    facts->renames_under_lock = !is_mariadb && facts->number >= 80013;
    facts->compares_text_by_bytes = !is_mariadb && facts->number >= 80017; /* utf8mb4_0900_bin */
    facts->lock_has_nowait = is_mariadb && facts->number >= 100300;
    facts->prepares_beside_triggers = is_mariadb;
    facts->has_check_names_per_schema = !is_mariadb;
    facts->inner_tables = is_mariadb ? "INNODB_SYS_TABLES" : "INNODB_TABLES";
    facts->inner_spaces = is_mariadb ? NULL : "INNODB_TABLESPACES_BRIEF";
    facts->sight_right = is_mariadb ? "INSTALL SONAME 'metadata_lock_info'"
                                    : "GRANT SELECT ON performance_schema.* TO the user of the DSN";
    facts->kill_right = is_mariadb ? "GRANT CONNECTION ADMIN ON *.* TO the user of the DSN"
                                   : "GRANT CONNECTION_ADMIN ON *.* TO the user of the DSN";
    facts->inner_foreign_keys = is_mariadb ? "INNODB_SYS_FOREIGN" : "INNODB_FOREIGN";
}

/* Answers 1 when we may read who holds which metadata lock; an error is a no. */
static bool sees(struct db *db, const char *question)
{
    struct error ignored = ERROR_INIT;
    uint64_t answer = 0;

    return db_value_u64(db, &answer, question, &ignored) && answer > 0;
}

/*
 * Locks, KILL and the settings must reach the server process that we are told
 * of.  LIMIT beats a hostile sql_select_limit.
 */
static bool check_proxy(struct db *db, struct error *err)
{
    struct rows rows = ROWS_INIT;
    const uint64_t handshake = db->id;
    uint64_t behind = 0;

    if (!db_query(db, &rows, "SELECT CONNECTION_ID(), @@pseudo_thread_id LIMIT 1", err))
        return false;
    if (rows_next(&rows, err)) {
        db->id = rows_u64(&rows, 0);
        behind = rows_u64(&rows, 1);
    }
    rows_release(&rows);
    if (err->kind != ERROR_NONE)
        return false; /* uncovered: the connection breaks within this one row */
    /* The handshake has room for 32 bits. */
    if ((uint32_t)handshake == (uint32_t)behind && db->id == behind)
        return true;
    error_set(err, ERROR_REFUSED,
              "a proxy stands between us and the server: we are connection %" PRIu64
              " to the proxy, but %" PRIu64 " to the server",
              handshake, behind);
    return error_hint(err, "connect to the server itself: locks and the ending of connections must "
                           "mean what they say");
}

/* The best name it has for itself: MySQL's server_uuid, MariaDB's server_uid, or its number. */
static bool read_server(struct db *db, struct facts *facts, struct error *err)
{
    struct rows rows = ROWS_INIT;
    size_t longest = 0;

    facts->server = "";
    if (!db_query(db, &rows,
                  "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('server_uuid', 'server_uid',"
                  " 'server_id')",
                  err))
        return false;
    while (rows_next(&rows, err))
        if (strlen(rows_text(&rows, 0)) > longest) {
            longest = strlen(rows_text(&rows, 0));
            facts->server = arena_string(db->arena, rows_text(&rows, 1));
        }
    return err->kind == ERROR_NONE;
}

static bool read_facts(struct db *db, struct error *err)
{
    struct facts *facts = ARENA_NEW(db->arena, struct facts);
    struct rows rows = ROWS_INIT;

    if (!db_query(
            db, &rows,
            "SELECT VERSION(), @@lower_case_table_names <> 0, @@innodb_autoinc_lock_mode <> 2",
            err))
        return false;
    if (rows_next(&rows, err)) {
        facts->version = arena_string(db->arena, rows_text(&rows, 0));
        facts->lower_case_names = rows_bool(&rows, 1);
        facts->counter_takes_turns = rows_bool(&rows, 2);
    }
    rows_release(&rows);
    if (err->kind != ERROR_NONE || !read_server(db, facts, err))
        return false;
    read_version(facts);
    facts->max_name_bytes = 64;
    facts->names_in_characters = true;
    facts->sees_metadata_locks =
        sees(db, "SELECT @@performance_schema AND COUNT(*)"
                 " FROM performance_schema.setup_instruments"
                 " WHERE NAME = 'wait/lock/metadata/sql/mdl' AND ENABLED = 'YES'") &&
        sees(db, "SELECT COUNT(*) >= 0 FROM performance_schema.metadata_locks,"
                 " performance_schema.threads, performance_schema.events_transactions_current"
                 " WHERE 1 = 0");
    facts->lists_processes_well = sees(db, "SELECT COUNT(*) FROM performance_schema.processlist"
                                           " WHERE ID = CONNECTION_ID()");
    facts->sees_metadata_lock_info =
        sees(db, "SELECT COUNT(*) FROM information_schema.PLUGINS"
                 " WHERE PLUGIN_NAME = 'METADATA_LOCK_INFO' AND PLUGIN_STATUS = 'ACTIVE'");
    db->facts = facts;
    return true;
}

static bool setup(struct db *db, const char *purpose UNUSED, struct error *err)
{
    return check_proxy(db, err) && set_session(db, err) && read_facts(db, err);
}

/* ----------------------------------------------------------- named locks */

static bool lock_holder(struct db *db, const char *name, uint64_t *holder, struct error *err)
{
    struct sql_env env = {.arena = db->arena};

    sql_bind_literal(&env, db, "name", name);
    return db_value_u64(
        db, holder, sql_renders(db->arena, "SELECT COALESCE(IS_USED_LOCK({name}), 0)", &env), err);
}

static bool lock_take(struct db *db, const char *name, uint64_t *holder, struct error *err)
{
    struct sql_env env = {.arena = db->arena};
    uint64_t is_taken = 0;

    if (strlen(name) > 64)
        bug("the lock name %s is too long", name);
    sql_bind_literal(&env, db, "name", name);
    if (!db_value_u64(db, &is_taken,
                      sql_renders(db->arena, "SELECT COALESCE(GET_LOCK({name}, 0), 0)", &env), err))
        return false;
    if (is_taken)
        return true;
    return lock_holder(db, name, holder, err) &&
           error_set(err, ERROR_TRANSIENT, "the lock %s is held by connection %" PRIu64, name,
                     *holder);
}

static bool kill_connection(struct db *db, uint64_t connection, struct error *err)
{
    char statement[48];

    (void)snprintf(statement, sizeof statement, "KILL CONNECTION %" PRIu64, connection);
    if (db_exec(db, statement, NULL, err))
        return true;
    if (strcmp(err->code, "1094") != 0) /* there is no such connection any more */
        return false;
    error_clear(err);
    return true;
}

/* super_read_only switches it on, too. */
static bool read_only(struct db *db, const char **reason, struct error *err)
{
    const char *value = NULL;

    if (!db_value(db, db->arena, &value, "SELECT @@GLOBAL.read_only", err))
        return false;
    *reason = value && strcmp(value, "0") != 0 && strcasecmp(value, "OFF") != 0 ? "read_only is on"
                                                                                : NULL;
    return true;
}

/* Where a name stands for several directories the first one does. */
static void add_directory(struct disk *disk, const char *what, const char *path, unsigned writes)
{
    if (*path)
        disk_add(disk, what, arena_printf(disk->arena, "%.*s", (int)strcspn(path, ":"), path),
                 writes);
}

/* Two hosts of one name that both have these directories would deceive us. */
static bool find_files(struct db *db, struct disk *disk, struct error *err)
{
    AUTO(rows) rows = ROWS_INIT;
    char host[256] = "";

    (void)gethostname(host, sizeof host - 1);
    if (!db_query(db, &rows,
                  "SELECT @@hostname, @@datadir, @@log_bin, COALESCE(@@log_bin_basename, ''),"
                  " @@tmpdir",
                  err))
        return false;
    if (rows_next(&rows, err) && strcmp(host, rows_text(&rows, 0)) == 0) {
        add_directory(disk, "data", rows_text(&rows, 1), DISK_TABLES);
        if (rows_bool(&rows, 2)) {
            char *basename = arena_string(disk->arena, rows_text(&rows, 3));
            char *slash = strrchr(basename, '/');
            if (slash) {
                *slash = '\0';
                add_directory(disk, "the binary log", basename, DISK_LOG);
            }
        }
        add_directory(disk, "temporary files", rows_text(&rows, 4), 0);
    }
    return err->kind == ERROR_NONE;
}

/* Statements of clients; ours are counted the same way, each once. */
static bool look_at_others(struct db *db, struct others *others, struct error *err)
{
    AUTO(rows) rows = ROWS_INIT;

    *others = (struct others){.ours = db_tally().statements};
    if (!db_query(db, &rows, "SHOW GLOBAL STATUS WHERE Variable_name = 'Questions'", err))
        return false;
    if (rows_next(&rows, err))
        others->statements = rows_u64(&rows, 1);
    return err->kind == ERROR_NONE;
}

const struct server_dialect mysql_server = {
    .signals = mysql_signals,
    .begin = "START TRANSACTION",
    .setup = setup,
    .lock_take = lock_take,
    .lock_holder = lock_holder,
    .kill = kill_connection,
    .read_only = read_only,
    .find_files = find_files,
    .look_at_others = look_at_others,
    .look_at_replicas = mysql_look_at_replicas,
};
