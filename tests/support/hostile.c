#include "tests/support/hostile.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static char user[32], peaceful[600];

/* ---- the MySQL family: of the whole server ---- */

static const struct {
    const char *name, *value;
} of_mysql[] = {
    {"sql_mode",                           "'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH,"
                 "IGNORE_SPACE,HIGH_NOT_PRECEDENCE,REAL_AS_FLOAT,NO_UNSIGNED_SUBTRACTION'"},
    {"time_zone",                          "'+05:45'"                                                     },
    {"lc_messages",                        "'de_DE'"                                                      },
    {"lc_time_names",                      "'de_DE'"                                                      },
    {"autocommit",                         "0"                                                            },
    {"init_connect",                       "'SET autocommit = 0, time_zone = ''-03:00'''"                 },
    {"completion_type",                    "'RELEASE'"                                                    },
    {"transaction_isolation",              "'SERIALIZABLE'"                                               },
    {"tx_isolation",                       "'SERIALIZABLE'"                                               },
    {"transaction_read_only",              "1"                                                            },
    {"tx_read_only",                       "1"                                                            },
    {"foreign_key_checks",                 "0"                                                            },
    {"unique_checks",                      "0"                                                            },
    {"check_constraint_checks",            "0"                                                            },
    {"innodb_table_locks",                 "0"                                                            },
    {"innodb_strict_mode",                 "0"                                                            },
    {"explicit_defaults_for_timestamp",    "0"                                                            },
    {"auto_increment_increment",           "7"                                                            },
    {"auto_increment_offset",              "3"                                                            },
    {"old_mode",                           "''"                                                           },
    {"sql_if_exists",                      "1"                                                            },
    {"sql_notes",                          "0"                                                            },
    {"max_error_count",                    "0"                                                            },
    {"updatable_views_with_limit",         "0"                                                            },
 /* how much a statement may do and return */
    {"sql_safe_updates",                   "1"                                                            },
    {"sql_select_limit",                   "1"                                                            },
    {"max_join_size",                      "1"                                                            },
    {"sql_big_selects",                    "0"                                                            },
    {"sql_auto_is_null",                   "1"                                                            },
    {"sql_buffer_result",                  "1"                                                            },
    {"cte_max_recursion_depth",            "1"                                                            },
    {"max_recursive_iterations",           "1"                                                            },
    {"group_concat_max_len",               "4"                                                            },
    {"div_precision_increment",            "0"                                                            },
    {"max_length_for_sort_data",           "4"                                                            },
    {"max_sort_length",                    "8"                                                            },
    {"sort_buffer_size",                   "32768"                                                        },
    {"join_buffer_size",                   "128"                                                          },
    {"tmp_table_size",                     "1024"                                                         },
    {"max_heap_table_size",                "16384"                                                        },
    {"net_buffer_length",                  "1024"                                                         },
    {"eq_range_index_dive_limit",          "1"                                                            },
    {"range_optimizer_max_mem_size",       "1"                                                            },
    {"in_predicate_conversion_threshold",  "2"                                                            },
    {"optimizer_switch",                   "'index_merge=off,derived_merge=off,semijoin=off'"             },
    {"optimizer_search_depth",             "1"                                                            },
    {"optimizer_prune_level",              "0"                                                            },
 /* how long it is waited for */
    {"innodb_lock_wait_timeout",           "1"                                                            },
    {"lock_wait_timeout",                  "1"                                                            },
    {"max_execution_time",                 "50"                                                           },
    {"max_statement_time",                 "0.05"                                                         },
    {"wait_timeout",                       "1"                                                            },
    {"interactive_timeout",                "1"                                                            },
    {"net_read_timeout",                   "1"                                                            },
    {"net_write_timeout",                  "1"                                                            },
    {"idle_transaction_timeout",           "1"                                                            },
    {"idle_readonly_transaction_timeout",  "1"                                                            },
    {"idle_write_transaction_timeout",     "1"                                                            },
 /* what tables are made of, and how they are shown */
    {"default_storage_engine",             "'MyISAM'"                                                     },
    {"default_tmp_storage_engine",         "'MyISAM'"                                                     },
    {"innodb_default_row_format",          "'compact'"                                                    },
    {"innodb_compression_default",         "1"                                                            },
    {"collation_server",                   "'latin1_swedish_ci'"                                          },
    {"collation_connection",               "'latin1_swedish_ci'"                                          },
    {"character_set_client",               "'latin1'"                                                     },
    {"character_set_results",              "'latin1'"                                                     },
    {"default_collation_for_utf8mb4",      "'utf8mb4_general_ci'"                                         },
    {"character_set_collations",           "'utf8mb4=utf8mb4_swedish_ci'"                                 },
    {"sql_require_primary_key",            "1"                                                            },
    {"sql_generate_invisible_primary_key", "1"                                                            },
    {"restrict_fk_on_non_standard_key",    "1"                                                            },
    {"sql_quote_show_create",              "0"                                                            },
    {"show_create_table_verbosity",        "1"                                                            },
    {"show_old_temporals",                 "1"                                                            },
    {"explain_format",                     "'JSON'"                                                       },
    {"information_schema_stats_expiry",    "86400"                                                        },
    {"alter_algorithm",                    "'INPLACE'"                                                    },
    {"old_alter_table",                    "1"                                                            },
    {"system_versioning_asof",             "'2001-01-01 00:00:00'"                                        },
    {"use_secondary_engine",               "FORCED"                                                       },
    {"binlog_row_image",                   "'MINIMAL'"                                                    },
    {"innodb_flush_log_at_trx_commit",     "0"                                                            },
    {"session_track_system_variables",     "'*'"                                                          },
    {"session_track_state_change",         "1"                                                            },
    {"session_track_transaction_info",     "'CHARACTERISTICS'"                                            },
    {"low_priority_updates",               "1"                                                            },
    {"standard_compliant_cte",             "0"                                                            },
};

static const char *was[ARRAY_SIZE(of_mysql)]; /* NULL: not changed */

/* As a literal; NULL where this server has none of the name. */
const char *hostile_value(struct scene *s, const char *name)
{
    AUTO(rows) rows = ROWS_INIT;
    struct error err = ERROR_INIT;
    const char *question =
        arena_printf(s->arena, "SHOW GLOBAL VARIABLES WHERE Variable_name = '%s'", name);

    assert_true(db_query(s->db, &rows, question, &err));
    if (!rows_next(&rows, &err))
        return NULL;
    const char *value = rows_text(&rows, 1);
    const bool is_bare =
        strcmp(value, "DEFAULT") == 0 || (*value && strspn(value, "0123456789.") == strlen(value));
    if (!*value && strstr(name, "storage_engine"))
        return "NULL";
    return is_bare ? arena_string(s->arena, value) : db_quote_literal(s->db, s->arena, value);
}

static bool set_global(struct scene *s, const char *name, const char *value)
{
    return scene_try_sql(s, arena_printf(s->arena, "SET GLOBAL %s = %s", name, value));
}

/* init_connect is for those who are no administrators. */
static void make_ordinary_user(struct scene *s)
{
    static const char *const too_much[] = {"SUPER", "CONNECTION ADMIN", "CONNECTION_ADMIN"};

    scene_sql(s, "CREATE USER %s IDENTIFIED BY 'secret'", user);
    scene_sql(s, "GRANT ALL ON *.* TO %s", user);
    for (size_t i = 0; i < ARRAY_SIZE(too_much); i++)
        (void)scene_try_sql(s,
                            arena_printf(s->arena, "REVOKE %s ON *.* FROM %s", too_much[i], user));
    scene_sql(s, "SET GLOBAL log_bin_trust_function_creators = 1");
}

static void begin_on_mysql(struct scene *s)
{
    unsigned n = 0;

    make_ordinary_user(s);
    for (size_t i = 0; i < ARRAY_SIZE(of_mysql); i++) {
        was[i] = hostile_value(s, of_mysql[i].name);
        if (!was[i])
            continue;
        if (set_global(s, of_mysql[i].name, of_mysql[i].value))
            n++;
        else
            was[i] = NULL;
    }
    print_message("%u hostile settings\n", n);
    assert_in_range(n, 50, ARRAY_SIZE(of_mysql));
}

static void end_on_mysql(struct scene *s)
{
    for (size_t i = ARRAY_SIZE(of_mysql); i-- > 0;)
        if (was[i] && !set_global(s, of_mysql[i].name, was[i]))
            fail_msg("%s is not %s again", of_mysql[i].name, was[i]);
    memset(was, 0, sizeof was);
    scene_sql(s, "DROP USER %s", user);
}

/* ---- PostgreSQL: half of them of the role, half of the database ---- */

static const char *const of_postgres[] = {
    "TimeZone = 'Asia/Kathmandu'",
    "DateStyle = 'SQL, DMY'",
    "IntervalStyle = 'iso_8601'",
    "extra_float_digits = -15",
    "bytea_output = 'escape'",
    "standard_conforming_strings = off",
    "escape_string_warning = on",
    "backslash_quote = off",
    "transform_null_equals = on",
    "array_nulls = off",
    "xmlbinary = 'hex'",
    "xmloption = 'document'",
    "client_encoding = 'LATIN1'",
    "lc_monetary = 'C'",
    "lc_messages = 'C'",
    "statement_timeout = '200ms'",
    "lock_timeout = '1ms'",
    "idle_in_transaction_session_timeout = '200ms'",
    "idle_session_timeout = '200ms'",
    "transaction_timeout = '2s'",
    "default_transaction_isolation = 'serializable'",
    "default_transaction_read_only = on",
    "default_transaction_deferrable = on",
    "synchronous_commit = off",
    "commit_delay = 1000",
    "search_path = 'nowhere, pg_temp'",
    "row_security = on",
    "check_function_bodies = off",
    "quote_all_identifiers = on",
    "client_min_messages = 'error'",
    "session_replication_role = 'replica'",
    "plpgsql.variable_conflict = 'use_column'",
    "plpgsql.extra_errors = 'all'",
    "default_tablespace = 'elsewhere'",
    "temp_tablespaces = 'elsewhere'",
    "default_toast_compression = 'pglz'",
    "gin_fuzzy_search_limit = 1",
    "lo_compat_privileges = on",
    "track_activities = off",
    "track_counts = off",
    "update_process_title = off",
    "exit_on_error = on",
    "vacuum_cost_delay = '100ms'",
    /* how statements are carried out */
    "plan_cache_mode = 'force_generic_plan'",
    "enable_indexscan = off",
    "enable_indexonlyscan = off",
    "enable_bitmapscan = off",
    "enable_tidscan = off",
    "enable_hashjoin = off",
    "enable_mergejoin = off",
    "enable_nestloop = off",
    "enable_sort = off",
    "enable_hashagg = off",
    "force_parallel_mode = on",
    "debug_parallel_query = on",
    "parallel_setup_cost = 0",
    "parallel_tuple_cost = 0",
    "min_parallel_table_scan_size = 0",
    "constraint_exclusion = on",
    "cursor_tuple_fraction = 1",
    "default_statistics_target = 1",
    "join_collapse_limit = 1",
    "from_collapse_limit = 1",
    "work_mem = '64kB'",
    "maintenance_work_mem = '1MB'",
    "temp_buffers = '800kB'",
};

static void begin_on_postgres(struct scene *s)
{
    unsigned n = 0;

    scene_sql(s, "CREATE ROLE %s LOGIN SUPERUSER PASSWORD 'secret'", user);
    scene_sql(s, "SET allow_in_place_tablespaces = on");
    scene_sql(s, "CREATE TABLESPACE elsewhere LOCATION ''");
    for (size_t i = 0; i < ARRAY_SIZE(of_postgres); i++)
        n += scene_try_sql(s,
                           arena_printf(s->arena, "ALTER %s %s SET %s", i % 2 ? "DATABASE" : "ROLE",
                                        i % 2 ? s->parsed.database : user, of_postgres[i]));
    print_message("%u hostile settings\n", n);
    assert_in_range(n, 50, ARRAY_SIZE(of_postgres));
}

static void end_on_postgres(struct scene *s)
{
    scene_sql(s, "ALTER DATABASE %s RESET ALL", s->parsed.database);
    scene_sql(s, "DROP OWNED BY %s CASCADE", user);
    scene_sql(s, "DROP ROLE %s", user);
    scene_sql(s, "DROP TABLESPACE elsewhere"); /* fails when something was put there */
}

/* ---- both ---- */

void hostile_begin(struct scene *s)
{
    (void)snprintf(user, sizeof user, "osc_h%d", (int)getpid());
    memcpy(peaceful, s->dsn, sizeof peaceful);
    if (s->is_postgres)
        begin_on_postgres(s);
    else
        begin_on_mysql(s);
    (void)snprintf(s->dsn, sizeof s->dsn, "%s://%s:secret@%s:%u/%s",
                   s->is_postgres ? "postgres" : "mysql", user, s->parsed.host, s->parsed.port,
                   s->parsed.database);
}

void hostile_end(struct scene *s)
{
    if (!*user)
        return;
    if (s->is_postgres)
        end_on_postgres(s);
    else
        end_on_mysql(s);
    memcpy(s->dsn, peaceful, sizeof peaceful);
    *user = '\0';
}
