/*
 * Settings of the server, the database and the role that would spoil what osc
 * reads, writes or waits for: a migration comes to the same rows as without them,
 * or is refused with the reason.  On a server of the test's own.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/hostile.h"
#include "tests/support/own_server.h"
#include "tests/support/writers.h"

enum { ROWS = 4000, RATE = 60 };

static int open_scene(void **state)
{
    *state = scene_open("hostile");
    return 0;
}

static int close_scene(void **state)
{
    hostile_end(*state);
    scene_close(*state);
    return 0;
}

static bool is_mariadb(void)
{
    return strncmp(getenv("OSC_TEST_SERVER"), "mariadb", 7) == 0;
}

/* With its schema: no search path leads there. */
static const char *named(struct scene *s, const char *table)
{
    return arena_printf(s->arena, "%s%s", s->is_postgres ? "public." : "", table);
}

/* ---- demanding types ---- */

static const char columns_of_postgres[] =
    "id numeric(12, 4) PRIMARY KEY, a timestamptz, b interval, c float8, d bytea, e text[], "
    "f xml, g date, h jsonb, i money, j float4, k timestamp, l varchar(20), m text";
static const char rows_of_postgres[] =
    "(1.5, '2024-03-10 02:30:00+00', '1 mon -3 days 04:05:06.789', 0.1, E'\\\\x00ff5c27', "
    "ARRAY['a', NULL, 'NULL', E'\\\\', '\"'], '<a>1</a>', '2024-02-03', '{\"a\": 1.10}', 12.5, "
    "0.1, '2024-02-03 04:05:06.789', E'\\\\n''', E'\\u00e4\\u20ac'), "
    "(-2.25, 'infinity', '-1 year', 'NaN', '', '{}', NULL, '-infinity', 'null', -1, '-0', NULL, "
    "'', NULL), (3, '1883-11-18 12:03:58+00', '0', 1e-300, NULL, NULL, 'text <b/>', "
    "'0044-03-15 BC', '\"\\u0001\"', NULL, 'Infinity', '-infinity', ' ', E'\\t')";

static const char columns_of_mysql[] =
    "id decimal(12, 4) PRIMARY KEY, a timestamp(6) NULL, b time(3), c double, d varbinary(40), "
    "e set('x', 'y', ''), f enum('n', 'm'), g date, h json, i bit(9), j float, k datetime(3), "
    "l varchar(20) CHARACTER SET latin1, m text CHARACTER SET utf8mb4, n char(10)";
static const char rows_of_mysql[] =
    "(1.5, '2024-03-10 02:30:00.123456', '-12:00:00.5', 0.1, x'00ff5c27', 'x,y', 'm', "
    "'2024-02-03', '{\"a\": 1.10}', b'101', 0.1, '2024-02-03 04:05:06.789', '\\\\n''', "
    "_utf8mb4 x'c3a4e282ac', 'a '), (-2.25, '2038-01-19 03:14:07', '838:59:59', 1e-300, '', '', "
    "'n', '0000-00-00', 'null', b'0', -0e0, '9999-12-31 23:59:59', '', NULL, ''), "
    "(3, NULL, NULL, NULL, NULL, NULL, NULL, '2023-02-30', NULL, NULL, NULL, "
    "'0000-00-00 00:00:00', _utf8mb4 x'c3a4', '\\t', NULL)";

static void make_t(struct scene *s)
{
    scene_sql(s, "CREATE TABLE t (%s)", scene_pick(s, columns_of_postgres, columns_of_mysql));
    if (!s->is_postgres)
        scene_sql(s, "SET SESSION sql_mode = 'ALLOW_INVALID_DATES'");
    scene_sql(s, "INSERT INTO t VALUES %s", scene_pick(s, rows_of_postgres, rows_of_mysql));
    scene_sql(s, "CREATE INDEX t_m ON t (%s)", scene_pick(s, "m", "m(10)"));
}

/* The connection of the scene was there before the settings. */
static const char *picture_of_t(struct scene *s)
{
    return s->is_postgres
               ? scene_value(s, "SELECT string_agg(md5(t::text), ' ' ORDER BY id) FROM t")
               : scene_value(
                     s, "SELECT GROUP_CONCAT(SHA2(CONCAT_WS('/', id, a, b, c, HEX(d), e, f, "
                        "g, h, i + 0, j, k, HEX(l), HEX(m), HEX(n)), 256) ORDER BY id) FROM t");
}

static const char *definition_of_t(struct scene *s)
{
    return s->is_postgres
               ? scene_value(s, "SELECT format('%%s %%s %%s', reltablespace, relam, reloptions) "
                                "FROM pg_class WHERE relname = 't'")
               : scene_value(s, "SELECT CONCAT_WS(' ', engine, table_collation, "
                                "create_options) FROM information_schema.tables WHERE table_name = "
                                "'t' AND table_schema = DATABASE()");
}

static void demanding_types_survive(void **state)
{
    struct scene *s = *state;

    make_t(s);
    const char *before = picture_of_t(s), *definition = definition_of_t(s);
    hostile_begin(s);
    assert_exit(scene_osc(s, "plan", named(s, "t"), "ADD COLUMN w int DEFAULT 5", NULL), 0);
    scene_hold(s, "before-lock");
    const pid_t osc =
        scene_start(s, "alter", named(s, "t"), "ADD COLUMN w int DEFAULT 5", "--after=drop", NULL);
    scene_await(s, "before-lock");
    scene_sql(s, "UPDATE t SET l = l, id = -id WHERE id = 3");
    scene_sql(s, "UPDATE t SET id = -id WHERE id = -3");
    scene_release(s, "before-lock");
    assert_exit(scene_wait(s, osc), 0);
    hostile_end(s);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t WHERE w = 5"), 3);
    scene_sql(s, "ALTER TABLE t DROP COLUMN w");
    assert_string_equal(picture_of_t(s), before);
    assert_string_equal(definition_of_t(s), definition);
    assert_nothing_left(s, false);
}

/*
 * Replay gives each key to one lane, by its rank.  Servers sort by the first kilobyte only, when
 * they are not told otherwise.  The scene's session is made as those of osc.
 */
static void long_keys_are_ranked_by_all_their_bytes(void **state)
{
    struct scene *s = *state;

    if (s->is_postgres)
        return; /* its lanes are hashes */
    scene_sql(s, "CREATE TABLE j (id int PRIMARY KEY, k varchar(760) CHARACTER SET utf8mb4)");
    scene_sql(s, "INSERT INTO j VALUES (1, CONCAT(REPEAT(_utf8mb4 x'f09f9880', 700), 'a')), "
                 "(2, CONCAT(REPEAT(_utf8mb4 x'f09f9880', 700), 'b'))");
    scene_sql(s, "INSERT INTO j SELECT id + 2, k FROM j");
    scene_sql(s, "INSERT INTO j SELECT id + 4, k FROM j");
    assert_int_equal(scene_number(s, "SELECT COUNT(DISTINCT r) FROM "
                                     "(SELECT DENSE_RANK() OVER (ORDER BY k) AS r FROM j) AS x"),
                     2);
}

/* ---- what cannot be made good ---- */

static const struct {
    const char *name, *value, *reason;
} beyond_us[] = {
    {"read_only",              "1",         "read_only is ON"            },
    {"innodb_file_per_table",  "0",         "innodb_file_per_table is"   },
    {"max_allowed_packet",     "65536",     "max_allowed_packet is 65536"},
    {"max_write_lock_count",   "10",        "max_write_lock_count is 10" },
    {"binlog_format",          "STATEMENT", "binlog_format is STATEMENT" },
    {"enforce_storage_engine", "Aria",      "enforce_storage_engine"     },
};

static void assert_refused(struct scene *s, const char *reason)
{
    assert_says(scene_osc(s, "plan", named(s, "t"), "ADD COLUMN w int", NULL), 3, reason);
    assert_says(scene_osc(s, "alter", named(s, "t"), "ADD COLUMN w int", NULL), 3, reason);
    assert_nothing_left(s, false);
}

static void refused_on_mysql(struct scene *s)
{
    unsigned n = 0;

    for (size_t i = 0; i < ARRAY_SIZE(beyond_us); i++) {
        const char *name = beyond_us[i].name, *was = hostile_value(s, name);
        /* MySQL renames under its lock, and does not mind who is let in first */
        if (!was || (strcmp(name, "max_write_lock_count") == 0 && !is_mariadb()))
            continue;
        scene_sql(s, "SET GLOBAL %s = %s", name, beyond_us[i].value);
        assert_refused(s, beyond_us[i].reason);
        scene_sql(s, "SET GLOBAL %s = %s", name, was);
        n++;
    }
    assert_true(n >= 4);
}

/* Every session of the role becomes somebody else at once. */
static void refused_on_postgres(struct scene *s)
{
    hostile_begin(s);
    scene_sql(s, "CREATE ROLE nobody");
    scene_sql(s, "ALTER ROLE %s SET role = 'nobody'",
              scene_value(s, "SELECT rolname FROM pg_roles WHERE rolname LIKE 'osc_h%%'"));
    assert_refused(s, "belongs to");
    scene_sql(s, "DROP ROLE nobody");
}

static void the_rest_is_refused_with_the_reason(void **state)
{
    struct scene *s = *state;

    make_t(s);
    if (s->is_postgres)
        refused_on_postgres(s);
    else
        refused_on_mysql(s);
}

/* ---- writers ---- */

static void writers_notice_nothing(void **state)
{
    struct scene *s = *state;
    struct traffic *traffic = writers_start(s, &(struct writers_wish){.rate = RATE, .rows = ROWS});

    hostile_begin(s);
    const char *users = named(s, "users");
    assert_exit(scene_osc(s, "alter", users, "ADD COLUMN phone varchar(20)", NULL), 0);
    assert_exit(scene_osc(s, "finish", users, NULL), 0);
    assert_exit(scene_osc(s, "history", NULL), 0);
    hostile_end(s);
    writers_stop(traffic, "under hostile settings");
    assert_nothing_left(s, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(demanding_types_survive, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(long_keys_are_ranked_by_all_their_bytes, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(the_rest_is_refused_with_the_reason, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(writers_notice_nothing, open_scene, close_scene),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, own_server_open, own_server_close);
}
