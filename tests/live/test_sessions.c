/*
 * The application's sessions are set up in every way that servers know.  The same
 * statements go to the table that is migrated and to a twin that is not: each ends
 * alike on both, and afterwards both have the same rows.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/others.h"

enum { KEYS_OF_ONE = 10 /* rows that a session has for itself */ };

static const char *const of_postgres[] = {
    "SET client_encoding = 'LATIN1'",
    "SET client_encoding = 'SQL_ASCII'",
    "SET standard_conforming_strings = off",
    "SET backslash_quote = off",
    "SET TimeZone = 'America/New_York'",
    "SET DateStyle = 'SQL, DMY'; SET IntervalStyle = 'iso_8601'",
    "SET extra_float_digits = -15; SET bytea_output = 'escape'",
    "SET search_path = pg_temp, public",
    "SET session_replication_role = 'replica'",
    "SET transform_null_equals = on; SET array_nulls = off",
    "SET default_transaction_isolation = 'repeatable read'",
    "SET default_transaction_isolation = 'serializable'",
    "SET row_security = off",
    "SET plpgsql.variable_conflict = 'use_column'; SET plpgsql.extra_errors = 'all'",
    "SET plpgsql.extra_warnings = 'all'; SET check_function_bodies = off",
    "SET quote_all_identifiers = on; SET client_min_messages = 'debug5'",
    "SET plan_cache_mode = 'force_generic_plan'; SET enable_seqscan = off",
    "SET jit_above_cost = 0; SET jit_inline_above_cost = 0; SET jit_optimize_above_cost = 0",
    "SET synchronous_commit = off; SET default_toast_compression = 'pglz'",
};

static const char *const of_mysql[] = {
    "SET sql_mode = ''",
    "SET sql_mode = 'ANSI'",
    "SET sql_mode = 'NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH'",
    "SET sql_mode = 'TRADITIONAL,PIPES_AS_CONCAT,IGNORE_SPACE,HIGH_NOT_PRECEDENCE'",
    "SET sql_mode = 'ORACLE'",
    "SET sql_mode = 'EMPTY_STRING_IS_NULL,SIMULTANEOUS_ASSIGNMENT'",
    "SET time_zone = '+10:00'",
    "SET time_zone = 'Fold/Test'",
    "SET NAMES latin1",
    "SET NAMES utf8mb4 COLLATE utf8mb4_general_ci",
    "SET collation_connection = 'utf16_bin', character_set_results = NULL",
    "SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED",
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    "SET foreign_key_checks = 0, unique_checks = 0, sql_notes = 0",
    "SET sql_auto_is_null = 1, sql_select_limit = 1, sql_safe_updates = 1",
    "SET max_sort_length = 64, div_precision_increment = 0, group_concat_max_len = 4",
    "SET innodb_lock_wait_timeout = 1, lock_wait_timeout = 1",
    "SET innodb_table_locks = 0, completion_type = 'CHAIN', lc_time_names = 'de_DE'",
    "SET max_statement_time = 5",
    "SET max_execution_time = 5000",
    "SET sql_log_bin = 0",
    "SET autocommit = 0",
};

/* @ is the table, %d the first key of the session. */
static const char *const writes[] = {
    "INSERT INTO @ (id, code, at, c, n) VALUES (%d + 1000, 'New', '2024-03-10 02:30:00', 'x', 0.1)",
    "INSERT INTO @ (id, code, at, c, n) VALUES (%d + 1001, 'New', '2024-10-27 02:30:00', '', 7)",
    "UPDATE @ SET c = 'ä€''' WHERE id = %d + 1",
    "UPDATE @ SET code = 'ROW' WHERE id = %d + 2",
    "UPDATE @ SET code = 'row ' WHERE id = %d + 3",
    "UPDATE @ SET id = id + 2000 WHERE id = %d + 4",
    "UPDATE @ SET at = later WHERE id = %d + 5",
    "DELETE FROM @ WHERE id = %d + 6",
    "UPDATE @ SET n = n + 1 WHERE id = %d + 7",
    "COMMIT",
};

static unsigned n_sessions(const struct scene *s)
{
    return s->is_postgres ? ARRAY_SIZE(of_postgres) : ARRAY_SIZE(of_mysql);
}

/* A zone with one hour that comes twice: 00:30 and 01:30 UTC are both 02:30 there. */
static void make_zone(struct scene *s)
{
    static const char *const statements[] = {
        "INSERT IGNORE INTO mysql.time_zone (Time_zone_id, Use_leap_seconds) VALUES (9901, 'N')",
        "INSERT IGNORE INTO mysql.time_zone_name VALUES ('Fold/Test', 9901)",
        "INSERT IGNORE INTO mysql.time_zone_transition_type VALUES (9901, 0, 7200, 1, 'SUM'), "
        "(9901, 1, 3600, 0, 'WIN')",
        "INSERT IGNORE INTO mysql.time_zone_transition VALUES (9901, 0, 0), "
        "(9901, 1711846800, 0), (9901, 1729990800, 1)",
    };

    for (size_t i = 0; !s->is_postgres && i < ARRAY_SIZE(statements); i++)
        scene_sql(s, "%s", statements[i]);
}

/* `at` is in the key, at the first 02:30 of the fold; `later` is the second. */
static void make_table(struct scene *s, const char *name)
{
    AUTO(text) rows = TEXT_INIT;
    const int last = (int)n_sessions(s) * KEYS_OF_ONE;

    scene_sql(s,
              "CREATE TABLE %s (id int, code varchar(20), at %s, later %s, c %s, n float, "
              "PRIMARY KEY (id, code, at))",
              name, scene_pick(s, "timestamptz", "timestamp NOT NULL DEFAULT '2001-01-01'"),
              scene_pick(s, "timestamptz", "timestamp NULL"),
              scene_pick(s, "varchar(20)", "varchar(20) CHARACTER SET latin1"));
    for (int i = 0; i < last; i++)
        text_printf(&rows, "%s(%d, 'row', '2024-10-27 00:30:00', '2024-10-27 01:30:00', '%c', %d)",
                    i ? ", " : "", i, 'a' + i % 26, i);
    scene_sql(s, "INSERT INTO %s VALUES %s", name, rows.bytes);
}

static int open_scene(void **state)
{
    struct scene *s = scene_open("sessions");

    *state = s;
    make_zone(s);
    make_table(s, "t");
    make_table(s, "twin");
    return 0;
}

static enum reply writes_once(struct scene *s, struct link *link, const char *write,
                              const char *table, int first)
{
    const char *at = strchr(write, '@');
    const char *sql =
        at ? arena_printf(s->arena, "%.*s%s%s", (int)(at - write), write, table, at + 1) : write;
    AUTO(text) out = TEXT_INIT;
    const char *number = strstr(sql, "%d");

    if (number)
        text_printf(&out, "%.*s%d%s", (int)(number - sql), sql, first, number + 2);
    else
        text_add(&out, sql);
    return link_run(link, out.bytes);
}

/* False: this server does not know such a session. */
static bool one_session(struct scene *s, const char *settings, int first)
{
    struct link link = arrives(s);

    if (link_run(&link, settings) != REPLY_OK) {
        link_close(&link);
        return false;
    }
    for (size_t i = 0; i < ARRAY_SIZE(writes); i++) {
        const enum reply twin = writes_once(s, &link, writes[i], "twin", first);
        const enum reply ours = writes_once(s, &link, writes[i], "t", first);
        if (ours != twin)
            fail_msg("after %s: %s: %d instead of %d: %s", settings, writes[i], ours, twin,
                     link.text);
    }
    link_close(&link);
    return true;
}

static void all_sessions(struct scene *s)
{
    unsigned n = 0;

    for (unsigned i = 0; i < n_sessions(s); i++)
        n += one_session(s, s->is_postgres ? of_postgres[i] : of_mysql[i], (int)i * KEYS_OF_ONE);
    print_message("%u kinds of sessions\n", n);
    assert_true(n >= 18);
}

static const char *picture(struct scene *s, const char *table)
{
    scene_sql(s, "%s", scene_pick(s, "SELECT 1", "SET SESSION group_concat_max_len = 16000000"));
    return s->is_postgres
               ? scene_value(s,
                             "SELECT string_agg(x::text, E'\\n' ORDER BY id, code, at) FROM "
                             "(SELECT id, code, at, later, c, n FROM %s) x",
                             table)
               : scene_value(
                     s,
                     "SELECT GROUP_CONCAT(id, '/', HEX(code), '/', UNIX_TIMESTAMP(at), '/', "
                     "COALESCE(UNIX_TIMESTAMP(later), '-'), '/', HEX(c), '/', n ORDER BY "
                     "id, code, at SEPARATOR '\\n') FROM %s",
                     table);
}

static void written_at(struct scene *s, const char *point)
{
    scene_hold(s, point);
    const pid_t osc = scene_start(s, "alter", scene_pick(s, "public.t", "t"), "ADD COLUMN w int",
                                  "--after=drop", NULL);
    scene_await(s, point);
    all_sessions(s);
    scene_release(s, point);
    assert_exit(scene_wait(s, osc), 0);
    assert_string_equal(picture(s, "t"), picture(s, "twin"));
    assert_int_equal(scene_number(s, "SELECT COUNT(w) FROM t"), 0);
}

static void sessions_of_all_kinds_while_copying(void **state)
{
    written_at(*state, "indexes");
}

/* What comes after the proof is not proved again. */
static void sessions_of_all_kinds_before_the_swap(void **state)
{
    written_at(*state, "cutover");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sessions_of_all_kinds_while_copying, open_scene,
                                        others_close),
        cmocka_unit_test_setup_teardown(sessions_of_all_kinds_before_the_swap, open_scene,
                                        others_close),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
