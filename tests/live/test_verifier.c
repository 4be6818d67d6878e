/*
 * The verifier against real servers: everything that differs is found and
 * named by its key, and nothing else is.
 */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdatomic.h>

#include "tests/support/scene.h"

static int open_scene(void **state)
{
    *state = scene_open("verifier");
    return 0;
}

static int close_scene(void **state)
{
    scene_close(*state);
    return 0;
}

static void run_all(struct scene *s, const char *const *statements, size_t n)
{
    for (size_t i = 0; i < n; i++)
        scene_sql(s, "%s", statements[i]);
}

/* osc verify a b: exit code as wanted, and its text holds `words`. */
static void assert_verdict(struct scene *s, int status, const char *words)
{
    struct outcome outcome = scene_osc(s, "verify", "a", "b", "--chunk-time=20ms", NULL);

    if (outcome.status != status || !strstr(outcome.out, words))
        fail_msg("status %d instead of %d, or no \"%s\" in: %s%s", outcome.status, status, words,
                 outcome.out, outcome.err);
    outcome_free(&outcome);
}

static void fill(struct scene *s, unsigned rows)
{
    if (s->is_postgres)
        scene_sql(s,
                  "INSERT INTO a SELECT i, 'item ' || i, 'note ' || i, i FROM "
                  "generate_series(1, %u) i",
                  rows);
    else
        scene_sql(s,
                  "INSERT INTO a SELECT i, CONCAT('item ', i), CONCAT('note ', i), i FROM "
                  "(WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400) "
                  "SELECT x.i + 400 * (y.i - 1) AS i FROM n x, n y) z WHERE i <= %u",
                  rows);
    scene_sql(s, "INSERT INTO b SELECT * FROM a");
}

static void make_pair(struct scene *s, unsigned rows)
{
    static const char columns[] = "(id bigint PRIMARY KEY, name varchar(100), note text, v int)";

    scene_sql(s, "CREATE TABLE a %s", columns);
    scene_sql(s, "CREATE TABLE b %s", columns);
    fill(s, rows);
}

static void drop_pair(struct scene *s)
{
    scene_sql(s, "DROP TABLE a");
    scene_sql(s, "DROP TABLE b");
}

/* ---- what differs is found ---- */

static const struct {
    const char *change, *words;
} changes[] = {
    {"UPDATE b SET note = 'note 77 ' WHERE id = 77",           "id=77: differs in note\n"     },
    {"UPDATE b SET note = 'Note 77' WHERE id = 77",            "id=77: differs in note\n"     },
    {"UPDATE b SET note = NULL WHERE id = 77",                 "id=77: differs in note\n"     },
    {"UPDATE b SET v = v + 1 WHERE id = 5000",                 "id=5000: differs in v\n"      },
    {"UPDATE b SET name = note, note = 'item 9' WHERE id = 9", "id=9: differs in name, note\n"},
    {"DELETE FROM b WHERE id = 1",                             "id=1: missing in b\n"         },
    {"DELETE FROM b WHERE id = 5000",                          "id=5000: missing in b\n"      },
    {"INSERT INTO b VALUES (-1, 'x', 'y', 0)",                 "id=-1: only in b\n"           },
    {"INSERT INTO b VALUES (9000000000, 'x', 'y', 0)",         "id=9000000000: only in b\n"   },
    {"UPDATE b SET id = 70000 WHERE id = 7",                   "id=70000: only in b\n"        },
    {"DELETE FROM b",                                          "differ in 5000 rows"          },
};

static void every_kind_of_difference_is_found_and_named(void **state)
{
    struct scene *s = *state;

    make_pair(s, 5000);
    assert_verdict(s, 0, "a and b are equal: 5000 rows");
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        scene_sql(s, "%s", changes[i].change);
        assert_verdict(s, 4, changes[i].words);
        scene_sql(s, "DELETE FROM b");
        scene_sql(s, "INSERT INTO b SELECT * FROM a");
    }
    assert_verdict(s, 0, "a and b are equal: 5000 rows");
    drop_pair(s);
}

static void an_empty_string_is_not_null(void **state)
{
    struct scene *s = *state;

    make_pair(s, 10);
    scene_sql(s, "UPDATE a SET note = '' WHERE id = 3");
    scene_sql(s, "UPDATE b SET note = NULL WHERE id = 3");
    assert_verdict(s, 4, "id=3: differs in note\n");
    drop_pair(s);
}

/* A digest that is a sum over columns, or an XOR over rows, would see nothing here. */
static void values_exchanged_between_rows_are_found(void **state)
{
    struct scene *s = *state;

    make_pair(s, 1000);
    scene_sql(s, "UPDATE b SET v = 41 - v WHERE id IN (20, 21)");
    assert_verdict(s, 4, "id=20: differs in v\n  id=21: differs in v\n");
    scene_sql(s, "UPDATE b SET v = 41 - v WHERE id IN (20, 21)");
    scene_sql(s, "UPDATE b SET name = 'same', note = 'same', v = 1 WHERE id IN (20, 21)");
    scene_sql(s, "UPDATE a SET name = 'also', note = 'also', v = 1 WHERE id IN (20, 21)");
    assert_verdict(s, 4, "differ in 2 rows");
    drop_pair(s);
}

static void one_row_among_many_is_found(void **state)
{
    struct scene *s = *state;

    make_pair(s, 100000);
    assert_verdict(s, 0, "equal: 100000 rows");
    scene_sql(s, "UPDATE b SET name = 'item 54322' WHERE id = 54321");
    assert_verdict(s, 4, "id=54321: differs in name\n");
    drop_pair(s);
}

/* ---- what is the same is not reported ---- */

static const char *const postgres_types[] = {
    "CREATE TYPE mood AS ENUM ('sad', 'ok')",
    "CREATE DOMAIN positive AS int CHECK (value > 0)",
    "CREATE TYPE pair AS (x int, y text)",
    "CREATE TABLE a (id int PRIMARY KEY, c1 smallint, c2 bigint, c3 numeric, c4 numeric(20,5), "
    "c5 real, c6 float8, c7 varchar(20), c8 text, c9 char(5), d1 bytea, d2 date, d3 time(3), "
    "d4 timetz, d5 timestamp, d6 timestamptz, d7 interval, d8 bool, d9 uuid, e1 inet, e2 cidr, "
    "e3 macaddr, e4 json, e5 jsonb, e6 xml, e7 int[], e8 text[], e9 mood, f1 positive, f2 pair, "
    "f3 point, f4 box, f5 path, f6 int4range, f7 tsvector, f8 bit(5), f9 varbit, g1 money, "
    "g2 \"char\", g3 name, g4 oid, g5 pg_lsn, g6 polygon, g7 circle, g8 tsquery, g9 pair[])",
    "INSERT INTO a SELECT i, i, i, i / 7.0, i / 7.0, i / 7.0, i / 7.0, 'a' || i, 'é' || i, 'c', "
    "'\\x00ff2c', '2020-01-01', '12:00:01.123', '12:00+02', 'infinity', "
    "'2020-01-01 12:00:00.123456+05', '1 mon 2 days 03:00', i % 2 = 0, md5(i::text)::uuid, "
    "'10.0.0.1/24', '10.0.0.0/24', '08:00:2b:01:02:03', '{\"a\" : 1, \"a\":2}', '{\"a\":1.00}', "
    "'<a>1</a>', '{1,NULL,3}', '{\"a,b\",NULL,\"\"}', 'ok', 5, ROW(1, 'x')::pair, '(1,2)', "
    "'(1,1,0,0)', '((0,0),(1,1))', '[1,5)', 'a b c', '10101', '101', '12.30', 'x', 'name', 5, "
    "'0/16B3748', '((0,0),(1,1),(1,0))', '<(1,2),3>', 'a&b', ARRAY[ROW(1, 'a')::pair] "
    "FROM generate_series(1, 500) i",
    "INSERT INTO a (id, c3, c5, c6, d5) VALUES (0, 'NaN', '-0', '-0', '-infinity'), "
    "(-1, '0.000', 'NaN', 'Infinity', '4713-01-01 BC'), (-2, NULL, NULL, NULL, NULL)",
    "CREATE TABLE b (LIKE a INCLUDING ALL)",
    "INSERT INTO b SELECT * FROM a",
};

static const char *const postgres_conversion =
    "ALTER TABLE b ALTER id TYPE bigint, ALTER c1 TYPE int, ALTER c5 TYPE float8, "
    "ALTER c7 TYPE text, ALTER c8 TYPE varchar(100), ALTER d3 TYPE time, ALTER d5 TYPE "
    "timestamptz, "
    "ALTER d9 TYPE text, ALTER e7 TYPE bigint[]";

static const char *const mysql_types[] = {
    "CREATE TABLE a (id int PRIMARY KEY, c1 tinyint, c2 mediumint unsigned, c3 bigint unsigned, "
    "c4 decimal(20,5), c5 float, c6 double, c7 double(10,3), c8 bit(1), c9 bit(64), d1 year, "
    "d2 date, d3 datetime, d4 datetime(6), d5 timestamp(3) NULL, d6 time(6), d7 char(10), "
    "d8 varchar(50) CHARACTER SET latin1, d9 varchar(50) CHARACTER SET utf8mb4, e1 tinytext, "
    "e2 text, e3 mediumtext CHARACTER SET latin1, e4 longtext, e5 binary(5), e6 varbinary(20), "
    "e7 blob, e8 longblob, e9 enum('a','b','é') CHARACTER SET latin1, f1 set('x','y','z'), "
    "f2 json, f3 geometry, f4 point, f5 varchar(30) CHARACTER SET ucs2, "
    "f6 varchar(30) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, f7 int(5) zerofill, "
    "f8 char(10) CHARACTER SET utf16, f9 boolean)",
    "INSERT INTO a WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) "
    "SELECT i, i % 100, i, 18446744073709551615 - i, i / 7, i / 7, i / 7, i / 7, i % 2, "
    "18446744073709551615 - i, 1970 + i % 100, '2020-02-31', '2020-01-01 01:02:03', "
    "'2020-01-01 01:02:03.000001', '2020-01-01 01:02:03.001', '-100:00:00.000001', "
    "CONCAT('p', i), 'é', 'é😀', '', 'text', 'mé', REPEAT('l', i % 100), 'w', x'00ff2c', x'00012c', "
    "x'ff', 'é', 'x,z', '{\"b\":1.0,\"a\":\"é\"}', ST_GeomFromText('LINESTRING(1 1,2 2)', 0), "
    "ST_GeomFromText('POINT(1 2)', 0), 'é', 'A', 12, 'x', 1 FROM n",
    "INSERT INTO a (id, c6, d2, d4) VALUES (-1, -2.2250738585072014e-308, '0000-00-00', "
    "'0000-00-00'), (0, 1.7976931348623157e308, NULL, NULL), (-2, -0e0, NULL, NULL)",
    "CREATE TABLE b LIKE a",
    "INSERT INTO b SELECT * FROM a",
};

static const char *const mysql_conversion =
    "ALTER TABLE b MODIFY id bigint, MODIFY c1 int, MODIFY c4 decimal(30,7), MODIFY c5 double, "
    "MODIFY c8 int, MODIFY d2 datetime, MODIFY d3 datetime(3), MODIFY d7 varchar(20), "
    "MODIFY d8 varchar(50) CHARACTER SET utf8mb4, MODIFY d9 text CHARACTER SET utf8mb4, "
    "MODIFY e1 varchar(20), MODIFY e3 mediumtext CHARACTER SET utf8mb4, MODIFY e5 binary(10), "
    "MODIFY e6 blob, MODIFY e9 enum('new','é','b','a') CHARACTER SET utf8mb4, "
    "MODIFY f1 set('z','w','y','x'), MODIFY f5 varchar(30) CHARACTER SET utf8mb4, "
    "MODIFY f6 varchar(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci, MODIFY f7 bigint, "
    "MODIFY f8 char(20) CHARACTER SET utf8mb4";

static void every_type_is_equal_to_itself_and_to_what_it_was_converted_to(void **state)
{
    struct scene *s = *state;

    if (s->is_postgres)
        run_all(s, postgres_types, ARRAY_SIZE(postgres_types));
    else
        run_all(s, mysql_types, ARRAY_SIZE(mysql_types));
    assert_verdict(s, 0, "equal: 503 rows");
    scene_sql(s, "%s", s->is_postgres ? postgres_conversion : mysql_conversion);
    assert_verdict(s, 0, "equal: 503 rows");
    drop_pair(s);
}

/* Of one row in b: what a collation, a type or NULL might hide. */
static const struct {
    const char *change, *column;
    int id;
} near_misses[] = {
    {"c5 = c5 + 0.001",                       "c5", 5 },
    {"c6 = c6 * 1.0000001",                   "c6", 5 },
    {"c8 = 1 - c8",                           "c8", 5 },
    {"c9 = c9 - 1",                           "c9", 5 },
    {"c4 = c4 + 0.00001",                     "c4", 5 },
    {"d2 = NULL",                             "d2", -1},
    {"d2 = '0000-00-00'",                     "d2", 0 },
    {"d4 = '2020-01-01 01:02:03.000002'",     "d4", 5 },
    {"d4 = NULL",                             "d4", -1},
    {"d5 = '2020-01-01 01:02:03.002'",        "d5", 5 },
    {"d6 = '-100:00:00.000002'",              "d6", 5 },
    {"d7 = 'P5'",                             "d7", 5 },
    {"d8 = 'É'",                             "d8", 5 },
    {"d9 = 'e😀'",                          "d9", 5 },
    {"e1 = ' '",                              "e1", 5 },
    {"e1 = NULL",                             "e1", 5 },
    {"e2 = 'text '",                          "e2", 5 },
    {"e3 = 'me'",                             "e3", 5 },
    {"e4 = 'lllll '",                         "e4", 5 },
    {"e4 = 'lllLl'",                          "e4", 5 },
    {"e5 = 'W'",                              "e5", 5 },
    {"e6 = x'00ff2d'",                        "e6", 5 },
    {"e7 = x'0001'",                          "e7", 5 },
    {"e8 = x'fe'",                            "e8", 5 },
    {"e9 = 'a'",                              "e9", 5 },
    {"f1 = 'x'",                              "f1", 5 },
    {"f2 = '{\"b\":1.0,\"a\":\"e\"}'",        "f2", 5 },
    {"f4 = ST_GeomFromText('POINT(2 1)', 0)", "f4", 5 },
    {"f5 = 'É'",                             "f5", 5 },
    {"f6 = 'a'",                              "f6", 5 },
    {"f8 = 'X'",                              "f8", 5 },
};

static void what_looks_equal_is_found(void **state)
{
    struct scene *s = *state;
    char words[60];

    if (s->is_postgres)
        return; /* images of whole rows: there is nothing to forget */
    run_all(s, mysql_types, ARRAY_SIZE(mysql_types));
    for (size_t i = 0; i < ARRAY_SIZE(near_misses); i++) {
        scene_sql(s, "UPDATE b SET %s WHERE id = %d", near_misses[i].change, near_misses[i].id);
        (void)snprintf(words, sizeof words, "id=%d: differs in %s\n", near_misses[i].id,
                       near_misses[i].column);
        assert_verdict(s, 4, words);
        scene_sql(s, "REPLACE INTO b SELECT * FROM a WHERE id = %d", near_misses[i].id);
    }
    assert_verdict(s, 0, "equal: 503 rows");
    drop_pair(s);
}

/* ---- one snapshot ---- */

struct writer {
    struct scene *scene;
    atomic_bool is_over;
    unsigned transactions;
    pthread_t thread;
};

/* Both tables change in one transaction: nobody may ever see one without the other. */
static void *write_both(void *argument)
{
    struct writer *writer = argument;
    struct error err = ERROR_INIT;
    struct db *db = db_open(&writer->scene->parsed, "writer", &err);
    char change[2][160];
    bool good = db != NULL;

    for (; good && !atomic_load(&writer->is_over); writer->transactions++) {
        const unsigned id = writer->transactions * 7919 % 50000 + 1;
        for (unsigned i = 0; i < 2; i++)
            (void)snprintf(change[i], sizeof change[i], "UPDATE %s.%s SET v = v + 1 WHERE id = %u",
                           writer->scene->schema, i ? "b" : "a", id);
        good = db_begin(db, &err) && db_exec(db, change[0], NULL, &err) &&
               db_exec(db, change[1], NULL, &err) && db_commit(db, &err);
    }
    if (!good)
        print_message("writer: %s\n", err.text);
    db_close(db);
    return NULL;
}

static void both_tables_are_read_in_one_snapshot(void **state)
{
    struct scene *s = *state;
    struct writer writer = {.scene = s};

    make_pair(s, 50000);
    assert_int_equal(pthread_create(&writer.thread, NULL, write_both, &writer), 0);
    for (unsigned i = 0; i < 3; i++) {
        struct outcome outcome = scene_osc(s, "verify", "a", "b", "--json", NULL);
        assert_int_equal(outcome.status, 0);
        if (!strstr(outcome.out, "\"rechecked\":0") && !strstr(outcome.out, "\"rechecked\": 0"))
            fail_msg("a range differed at first sight: %s", outcome.out);
        outcome_free(&outcome);
    }
    atomic_store(&writer.is_over, true);
    (void)pthread_join(writer.thread, NULL);
    assert_true(writer.transactions > 50);
    drop_pair(s);
}

/* ---- other keys ---- */

static const struct {
    const char *postgres, *mysql;
} keys[] = {
    {"(k text PRIMARY KEY, v int)",
     "(k varchar(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci PRIMARY KEY, v int)"},
    {"(k varchar(100) COLLATE \"C\", k2 bigint, v int, PRIMARY KEY (k, k2))",
     "(k varchar(100) CHARACTER SET latin1, k2 bigint, v int, PRIMARY KEY (k, k2))"        },
    {"(k text, k2 timestamptz, v int, PRIMARY KEY (k2, k))",
     "(k varbinary(100), k2 datetime(6), v int, PRIMARY KEY (k2, k))"                      },
};

/* 'é''\N' for N = 1…2000, and where there is a second key column what suits it. */
static void fill_keyed(struct scene *s, size_t i)
{
    static const char *const second[][2] = {
        {"",                                                           ""                },
        {"i * 5000000000, ",                                           "i * 5000000000, "},
        {"'2020-01-01'::timestamptz + i * interval '1 microsecond', ",
         "CAST('2020-01-01' AS datetime(6)) + INTERVAL i MICROSECOND, "                  },
    };

    if (s->is_postgres)
        scene_sql(s, "INSERT INTO a SELECT 'é''\\' || i, %si FROM generate_series(1, 2000) i",
                  second[i][0]);
    else
        scene_sql(s,
                  "INSERT INTO a SELECT CONCAT('é''\\\\', i), %si FROM (WITH RECURSIVE n (i) AS "
                  "(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50) SELECT x.i + 50 * "
                  "(y.i - 1) AS i FROM n x, n y) z WHERE i <= 2000",
                  second[i][1]);
    scene_sql(s, "INSERT INTO b SELECT * FROM a");
}

static void any_key_is_walked(void **state)
{
    struct scene *s = *state;

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        const char *columns = s->is_postgres ? keys[i].postgres : keys[i].mysql;
        scene_sql(s, "CREATE TABLE a %s", columns);
        scene_sql(s, "CREATE TABLE b %s", columns);
        fill_keyed(s, i);
        assert_verdict(s, 0, "equal: 2000 rows");
        scene_sql(s, "UPDATE b SET v = v + 1 WHERE v = 777");
        scene_sql(s, "DELETE FROM b WHERE v = 1999");
        assert_verdict(s, 4, "differ in 2 rows of 2000");
        drop_pair(s);
    }
}

/* An integer that became text sorts otherwise: the table is one range. */
static void a_key_may_sort_otherwise_in_the_other_table(void **state)
{
    struct scene *s = *state;

    make_pair(s, 1000);
    scene_sql(s, "%s",
              scene_pick(s, "ALTER TABLE b ALTER id TYPE varchar(30)",
                         "ALTER TABLE b MODIFY id varchar(30)"));
    assert_verdict(s, 0, "equal: 1000 rows");
    scene_sql(s, "DELETE FROM b WHERE id = '999'");
    scene_sql(s, "UPDATE b SET v = 0 WHERE id = '9'");
    assert_verdict(s, 4, "id=9: differs in v\n  id=999: missing in b\n");
    drop_pair(s);
}

/* ---- within a migration ---- */

static void make_users(struct scene *s)
{
    scene_sql(s, "CREATE TABLE users (id int PRIMARY KEY, name varchar(30))");
    for (int i = 1; i <= 50; i++)
        scene_sql(s, "INSERT INTO users VALUES (%d, 'user %d')", i, i);
}

static void spoil_shadow(struct scene *s)
{
    scene_sql(s, "UPDATE users_osc_new SET name = 'spoilt' WHERE id = 7");
    scene_sql(s, "DELETE FROM users_osc_new WHERE id = 50");
    scene_sql(s, "INSERT INTO users_osc_new (id, name) VALUES (51, 'extra')");
}

static void divergence_stops_the_swap_and_names_the_rows(void **state)
{
    struct scene *s = *state;

    make_users(s);
    scene_hold(s, "verify");
    const pid_t osc = scene_start(s, "alter", "users", "ADD COLUMN c int", NULL);
    scene_await(s, "verify");
    spoil_shadow(s);
    scene_sql(s, "UPDATE users SET name = 'in flight' WHERE id = 8");
    scene_release(s, "verify");
    struct outcome outcome = scene_wait(s, osc);
    assert_int_equal(outcome.status, 4);
    assert_non_null(strstr(outcome.err, "id=7: differs in name"));
    assert_non_null(strstr(outcome.err, "id=50: missing in users_osc_new"));
    assert_non_null(strstr(outcome.err, "id=51: only in users_osc_new"));
    assert_non_null(strstr(outcome.err, "differ in 3 rows"));
    outcome_free(&outcome);
    assert_exit(scene_osc(s, "abort", NULL), 0);
    assert_nothing_left(s, false);
    scene_sql(s, "DROP TABLE users");
}

static void repair_brings_the_rows_up_to_date(void **state)
{
    struct scene *s = *state;

    make_users(s);
    scene_hold(s, "verify");
    const pid_t osc =
        scene_start(s, "alter", "users", "ADD COLUMN c int", "--repair", "--after=drop", NULL);
    scene_await(s, "verify");
    spoil_shadow(s);
    scene_release(s, "verify");
    assert_exit(scene_wait(s, osc), 0);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM users WHERE name = 'spoilt'"), 0);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM users"), 50);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM users WHERE id = 50"), 1);
    assert_nothing_left(s, false);
}

#define SCENE_TEST(test) cmocka_unit_test_setup_teardown(test, open_scene, close_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(every_kind_of_difference_is_found_and_named),
        SCENE_TEST(an_empty_string_is_not_null),
        SCENE_TEST(values_exchanged_between_rows_are_found),
        SCENE_TEST(one_row_among_many_is_found),
        SCENE_TEST(every_type_is_equal_to_itself_and_to_what_it_was_converted_to),
        SCENE_TEST(what_looks_equal_is_found),
        SCENE_TEST(both_tables_are_read_in_one_snapshot),
        SCENE_TEST(any_key_is_walked),
        SCENE_TEST(a_key_may_sort_otherwise_in_the_other_table),
        SCENE_TEST(divergence_stops_the_swap_and_names_the_rows),
        SCENE_TEST(repair_brings_the_rows_up_to_date),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
