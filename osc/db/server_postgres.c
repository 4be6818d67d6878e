#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "osc/base/log.h"
#include "osc/db/disk.h"
#include "osc/db/driver.h"
#include "osc/db/replicas.h"
#include "osc/db/server.h"
#include "osc/db/sql.h"
#include "osc/db/throttle_signals.h"

/*
 * Every setting that a role, a database or a service may have spoilt and that
 * would change what we read, write or wait for.  Those this version does not
 * have are left out by the statement.  An empty search_path makes the server
 * qualify every name it tells us, and lets nobody slip in an operator.
 */
static const struct {
    const char *name, *value;
} settings[] = {
    {"TimeZone",                            "UTC"           },
    {"DateStyle",                           "ISO, MDY"      },
    {"IntervalStyle",                       "postgres"      },
    {"extra_float_digits",                  "3"             },
    {"bytea_output",                        "hex"           },
    {"standard_conforming_strings",         "on"            },
    {"backslash_quote",                     "safe_encoding" },
    {"transform_null_equals",               "off"           },
    {"array_nulls",                         "on"            },
    {"xmloption",                           "content"       },
    {"xmlbinary",                           "base64"        },
    {"client_encoding",                     "UTF8"          },
    {"lock_timeout",                        "2s"            },
 /* No transaction of ours may stay open: it would hold back vacuum. */
    {"idle_in_transaction_session_timeout", "60s"           },
    {"transaction_timeout",                 "0"             },
    {"idle_session_timeout",                "0"             },
    {"default_transaction_isolation",       "read committed"},
    {"default_transaction_read_only",       "off"           },
    {"default_transaction_deferrable",      "off"           },
 /* A policy makes a statement fail instead of hiding rows from it. */
    {"row_security",                        "off"           },
    {"check_function_bodies",               "on"            },
    {"quote_all_identifiers",               "off"           },
    {"exit_on_error",                       "off"           },
    {"default_tablespace",                  ""              },
 /* A method that somebody has forbidden for his own queries is missed by ours. */
    {"plan_cache_mode",                     "auto"          },
    {"enable_indexscan",                    "on"            },
    {"enable_indexonlyscan",                "on"            },
    {"enable_bitmapscan",                   "on"            },
    {"enable_tidscan",                      "on"            },
    {"enable_nestloop",                     "on"            },
    {"enable_hashjoin",                     "on"            },
    {"enable_mergejoin",                    "on"            },
    {"enable_hashagg",                      "on"            },
    {"enable_sort",                         "on"            },
    {"client_min_messages",                 "notice"        },
 /* So that the server ends our connection when this host has died. */
    {"tcp_keepalives_idle",                 "60"            },
    {"tcp_keepalives_interval",             "10"            },
    {"tcp_keepalives_count",                "6"             },
    {"tcp_user_timeout",                    "120s"          },
};

/* Without a question: a hostile time limit would end that, and a forbidden plan be compiled. */
static bool set_first(struct db *db, struct error *err)
{
    static const char *const first[] = {"SET statement_timeout = 0", "SET search_path = ''",
                                        "SET jit = off", "SET max_parallel_workers_per_gather = 0"};

    for (size_t i = 0; i < ARRAY_SIZE(first); i++)
        if (!db_exec(db, first[i], NULL, err))
            return false;
    return true;
}

static bool set_session(struct db *db, struct error *err)
{
    AUTO(text) statement = TEXT_INIT;
    struct error refusal = ERROR_INIT;

    text_add(&statement, "SELECT pg_catalog.set_config(w.name, w.value, false) FROM (VALUES ");
    for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
        text_printf(&statement, "%s('%s','%s')", i ? "," : "", settings[i].name, settings[i].value);
    text_add(&statement, ") w(name, value)"
                         " WHERE pg_catalog.current_setting(w.name, true) IS NOT NULL");
    if (!db_exec(db, statement.bytes, NULL, err))
        return error_prefix(err, "setting up the session");
    /* Ends a statement whose client has died; some systems cannot. */
    if (!db_exec(db, "SET client_connection_check_interval = '10s'", NULL, &refusal))
        LOG(LOG_DEBUG, "the server refused a session setting", F("error", refusal.text));
    return true;
}

/*
 * Asked before our own setting hides it.  What was set for a role, a database or
 * in the DSN is a bad default; what stands in the server's configuration is a switch.
 * Each connection asks, and the list of settings is dear: only where it is on.
 */
static bool is_personally_read_only(struct db *db, bool *personal, struct error *err)
{
    uint64_t found = 0;
    const bool good =
        db_value_u64(db, &found,
                     "SELECT CASE pg_catalog.current_setting('default_transaction_read_only')\n"
                     "WHEN 'on' THEN (SELECT pg_catalog.count(*) FROM pg_catalog.pg_settings s\n"
                     "WHERE s.name = 'default_transaction_read_only'\n"
                     "AND s.source NOT IN ('default', 'configuration file', 'command line'))\n"
                     "ELSE 0 END",
                     err);

    *personal = found != 0;
    return good;
}

static bool read_only(struct db *db, const char **reason, struct error *err)
{
    static const char is_standby[] =
        "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN 'it is a standby' END";
    static const char is_switched[] =
        "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN 'it is a standby'\n"
        "WHEN s.reset_val = 'on' THEN 'default_transaction_read_only is on' END\n"
        "FROM pg_catalog.pg_settings s WHERE s.name = 'default_transaction_read_only'";

    return db_value(db, db->arena, reason,
                    db->facts->read_only_is_personal ? is_standby : is_switched, err);
}

/* ---------------------------------------------------------------- pooler */

static bool backend_pid(struct db *db, uint64_t *pid, struct error *err)
{
    return db_value_u64(db, pid, "SELECT pg_catalog.pg_backend_pid()", err);
}

/* A second client holds a transaction open: it must get another process, and we must keep ours. */
static bool is_shared(struct db *db, struct db *second, bool *shared, struct error *err)
{
    uint64_t first_pid = db->id, second_pid = 0;

    if (!db_exec(second, "BEGIN", NULL, err) || !backend_pid(second, &second_pid, err)) {
        LOG(LOG_DEBUG, "the pooler refuses transactions", F("error", err->text));
        *shared = true;
        return true;
    }
    /* To ask again when the process is the same would wait for the second client. */
    if (second_pid != db->id && !backend_pid(db, &first_pid, err))
        return false; /* uncovered: the pooler goes away between two questions */
    *shared = second_pid == db->id || first_pid != db->id;
    return true;
}

/*
 * A pooler invents the process id of its handshake.  That alone is fine: in
 * session mode it keeps one server process for us.  Asked before any setting
 * is made, as those would stay with the process that others use next.
 */
static bool check_pooler(struct db *db, struct error *err)
{
    struct db second = {.driver = db->driver, .dialect = db->dialect, .dsn = db->dsn};
    const uint64_t handshake = db->id;
    bool shared = false;

    if (!backend_pid(db, &db->id, err))
        return false;
    if (handshake == db->id)
        return true;
    second.arena = arena_new();
    const bool good = second.driver->connect(&second, db->dsn, "probe", err) &&
                      is_shared(db, &second, &shared, err);
    second.driver->close(&second);
    arena_free(second.arena);
    if (!good)
        return error_prefix(err, "asking whether the pooler keeps sessions");
    if (!shared)
        return true;
    error_set(err, ERROR_REFUSED,
              "a pooler between us and the server shares its connections among clients");
    return error_hint(err, "connect to the server itself or to a pool in session mode: locks and "
                           "settings must last as long as our connection");
}

/* ----------------------------------------------------------------- facts */

static bool read_facts(struct db *db, struct error *err)
{
    struct facts *facts = ARENA_NEW(db->arena, struct facts);
    struct rows rows = ROWS_INIT;

    if (!db_query(db, &rows,
                  "SELECT pg_catalog.current_setting('server_version'),"
                  " pg_catalog.current_setting('server_version_num'),"
                  " pg_catalog.current_setting('max_identifier_length')",
                  err))
        return false;
    if (rows_next(&rows, err)) {
        facts->version = arena_string(db->arena, rows_text(&rows, 0));
        facts->number = (unsigned)rows_u64(&rows, 1);
        facts->max_name_bytes = (unsigned)rows_u64(&rows, 2);
    }
    rows_release(&rows);
    facts->vendor = "PostgreSQL";
    facts->server = "";
    facts->is_supported = facts->number >= 140000; /* the oldest its makers maintain */
    facts->sees_metadata_locks = true;
    facts->swaps_gently = true;
    facts->triggers_beside_readers = true;
    facts->sight_right = "GRANT pg_read_all_stats TO the user of the DSN";
    facts->kill_right = "GRANT pg_signal_backend TO the user of the DSN (only a superuser ends "
                        "what a superuser does)";
    db->facts = facts;
    return err->kind == ERROR_NONE;
}

static bool setup(struct db *db, const char *purpose UNUSED, struct error *err)
{
    bool personal = false;

    if (!check_pooler(db, err) || !set_first(db, err) ||
        !is_personally_read_only(db, &personal, err) || !set_session(db, err) ||
        !read_facts(db, err))
        return false;
    db->facts->read_only_is_personal = personal;
    return true;
}

/* ----------------------------------------------------------- named locks */

static void bind_lock(struct sql_env *env, const char *name)
{
    const uint64_t key = server_hash(name);

    sql_bind_u64(env, "high", key >> 32);
    sql_bind_u64(env, "low", key & UINT32_MAX);
    sql_bind_sql(env, "key",
                 arena_printf(env->arena, "'%" PRId64 "'::pg_catalog.int8", (int64_t)key));
}

/* Advisory locks belong to one database; pg_locks shows those of all. */
static bool lock_holder(struct db *db, const char *name, uint64_t *holder, struct error *err)
{
    struct sql_env env = {.arena = db->arena};

    bind_lock(&env, name);
    return db_value_u64(db, holder,
                        sql_renders(db->arena,
                                    "SELECT l.pid FROM pg_catalog.pg_locks l"
                                    " JOIN pg_catalog.pg_database d ON d.oid = l.database"
                                    " WHERE d.datname = pg_catalog.current_database()"
                                    " AND l.locktype = 'advisory' AND l.granted"
                                    " AND l.classid = {high} AND l.objid = {low}"
                                    " AND l.objsubid = 1 LIMIT 1",
                                    &env),
                        err);
}

static bool lock_take(struct db *db, const char *name, uint64_t *holder, struct error *err)
{
    struct sql_env env = {.arena = db->arena};
    const char *is_taken = NULL;

    bind_lock(&env, name);
    if (!db_value(db, db->arena, &is_taken,
                  sql_renders(db->arena, "SELECT pg_catalog.pg_try_advisory_lock({key})", &env),
                  err))
        return false;
    if (is_taken && *is_taken == 't')
        return true;
    return lock_holder(db, name, holder, err) &&
           error_set(err, ERROR_TRANSIENT, "the lock %s is held by process %" PRIu64, name,
                     *holder);
}

/* A process that is gone already only earns a warning. */
static bool kill_connection(struct db *db, uint64_t connection, struct error *err)
{
    struct sql_env env = {.arena = db->arena};

    sql_bind_u64(&env, "pid", connection);
    return sql_exec(db, "SELECT pg_catalog.pg_terminate_backend({pid})", &env, NULL, err);
}

/* The server's process is one of this host's; one of another's would hardly have its id. */
static bool is_on_this_host(const struct db *db)
{
    char path[64], title[16] = "";

    (void)snprintf(path, sizeof path, "/proc/%" PRIu64 "/cmdline", db->id);
    FILE *file = fopen(path, "r");
    if (!file)
        return false;
    const size_t n = fread(title, 1, sizeof title - 1, file);
    (void)fclose(file);
    return n > 0 && strncmp(title, "postgres", 8) == 0;
}

static bool find_files(struct db *db, struct disk *disk, struct error *err)
{
    const char *data = NULL;

    if (!is_on_this_host(db))
        return true;
    if (!db_value(db, disk->arena, &data,
                  "SELECT CASE WHEN pg_catalog.pg_has_role('pg_read_all_settings', 'USAGE')\n"
                  "THEN pg_catalog.current_setting('data_directory') END",
                  err))
        return false;
    if (!data)
        return true;
    disk_add(disk, "data", data, DISK_TABLES);
    disk_add(disk, "the write-ahead log", arena_printf(disk->arena, "%s/pg_wal", data), 0);
    return true;
}

/*
 * Who may see the sessions of others (pg_monitor) learns at once that one did something.  The
 * transactions, ours as well, are counted up to ten seconds late, and for each connection one more
 * than we know of: hence the quarter.
 */
static bool look_at_others(struct db *db, struct others *others, struct error *err)
{
    static const char question[] =
        "SELECT (SELECT pg_catalog.sum(d.xact_commit + d.xact_rollback)"
        " FROM pg_catalog.pg_stat_database d)::pg_catalog.int8,\n"
        "  (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity a\n"
        "   WHERE a.backend_type = 'client backend' AND a.application_name NOT LIKE 'osc %'\n"
        "   AND (a.state <> 'idle' OR a.state_change > pg_catalog.now() - interval '1 second'))";
    AUTO(rows) rows = ROWS_INIT;

    if (!db_query(db, &rows, question, err))
        return false;
    if (rows_next(&rows, err)) {
        others->statements = rows_u64(&rows, 0) / 4;
        others->ours = db_tally().transactions / 4;
        others->sessions = rows_u64(&rows, 1);
    }
    return err->kind == ERROR_NONE;
}

const struct server_dialect postgres_server = {
    .signals = postgres_signals,
    .begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
    /* The first query takes the snapshot, and BEGIN is none. */
    .setup = setup,
    .lock_take = lock_take,
    .lock_holder = lock_holder,
    .kill = kill_connection,
    .read_only = read_only,
    .find_files = find_files,
    .look_at_others = look_at_others,
    .look_at_replicas = postgres_look_at_replicas,
};
