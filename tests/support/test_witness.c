/*
 * The judge judged: whatever goes wrong with a table, the witness must notice, and name it.
 * Each test lets traffic run, spoils the table behind its back, and reads the verdict.
 */
#include "test_scene.h"
#include "witness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A row that an INSERT of the traffic made, and no fence. */
static void find_inserted(struct scene *s)
{
    sql(s, "SELECT max(id) FROM users WHERE id < -1 AND id > -999999999");
    assert_string_not_equal(s->value, "NULL");
}

static void a_table_left_alone_is_clean(void **state)
{
    struct scene s;
    (void)state;
    play(&s, "standard", 500, 0);
    const struct traffic_verdict v = look(&s);
    show(&v);
    assert_int_equal(differences(&v), 0);
    assert_true(v.witnessed > 100);
    end(&s);
}

static void a_lost_insert_is_noticed(void **state)
{
    struct scene s;
    (void)state;
    play(&s, "insert", 50, 0);
    find_inserted(&s);
    sql(&s, "DELETE FROM users WHERE id = %s", s.value);
    expect_one(&s, "lost", s.value);
    end(&s);
}

static void a_lost_row_that_nobody_touched_is_noticed(void **state)
{
    struct scene s;
    (void)state;
    play(&s, "insert", 50, 0);
    sql(&s, "DELETE FROM users WHERE id = 777");
    expect_one(&s, "lost", "777");
    end(&s);
}

static void a_lost_update_is_noticed(void **state)
{
    struct scene s;
    char id[200];
    (void)state;
    play(&s, "insert", 1, 0);
    sql(&s, "CREATE TABLE users_copy AS SELECT * FROM users");
    struct traffic_report *report = traffic_stop(s.traffic);
    assert_true(traffic_verdict_clean(&report->verdict));
    traffic_report_free(report);
    const struct traffic_options options = {.dsn = server->dsn, .mix = "update", .rate = 100};
    s.traffic = begin(&options);
    await_more(s.traffic, commits, 20);
    traffic_pause(s.traffic);
    sql(&s, "SELECT min(u.id) FROM users u JOIN users_copy c ON u.id = c.id "
            "WHERE u.status <> c.status OR u.balance <> c.balance OR u.version <> c.version");
    snprintf(id, sizeof(id), "%s", s.value);
    assert_string_not_equal(id, "NULL");
    sql(&s, "DELETE FROM users WHERE id = %s", id);
    sql(&s, "INSERT INTO users SELECT * FROM users_copy WHERE id = %s", id);
    expect_one(&s, "stale", id);
    end(&s);
}

static void a_resurrected_row_is_noticed(void **state)
{
    struct scene s;
    (void)state;
    play(&s, "delete", 50, 0);
    sql(&s, "SELECT min(id) FROM users WHERE id > 20 AND id + 1 NOT IN (SELECT id FROM users)");
    const long long deleted = strtoll(s.value, NULL, 10) + 1;
    char id[200];
    snprintf(id, sizeof(id), "%lld", deleted);
    sql(&s, "INSERT INTO users (id, email) VALUES (%s, 'whoever')", id);
    expect_one(&s, "resurrected", id);
    end(&s);
}

static void a_row_nobody_wrote_is_noticed(void **state)
{
    struct scene s;
    (void)state;
    play(&s, "delete", 10, 0);
    sql(&s, "INSERT INTO users (id, email) VALUES (123456789, 'whoever')");
    expect_one(&s, "unexpected", "123456789");
    end(&s);
}

static void drop_unique_keys(struct scene *s)
{
    if (is_postgres())
        sql(s, "ALTER TABLE users DROP CONSTRAINT users_pkey, DROP CONSTRAINT users_email_key");
    else
        sql(s, "ALTER TABLE users MODIFY id bigint NOT NULL, DROP PRIMARY KEY, DROP KEY email");
}

static void a_doubled_row_is_noticed(void **state)
{
    struct scene s;
    char id[200];
    (void)state;
    play(&s, "insert", 50, 0);
    find_inserted(&s);
    snprintf(id, sizeof(id), "%s", s.value);
    drop_unique_keys(&s);
    sql(&s, "INSERT INTO users SELECT * FROM users WHERE id = %s", id);
    expect_one(&s, "doubled", id);
    sql(&s, "INSERT INTO users SELECT * FROM users WHERE id = 5");
    const struct traffic_verdict v = look(&s);
    assert_int_equal(v.doubled, 2);
    end(&s);
}

static void one_changed_byte_is_noticed(void **state)
{
    struct scene s;
    char id[200];
    (void)state;
    play(&s, "insert", 50, 0);
    find_inserted(&s);
    snprintf(id, sizeof(id), "%s", s.value);
    sql(&s, "SELECT min(id) FROM users WHERE id > 100 AND bio IS NOT NULL");
    char seed[200];
    snprintf(seed, sizeof(seed), "%s", s.value);
    sql(&s, "UPDATE users SET email = concat('W', substring(email, 2)) WHERE id = %s", id);
    expect_one(&s, "wrong", id);
    sql(&s, "UPDATE users SET email = concat('w', substring(email, 2)) WHERE id = %s", id);
    sql(&s,
        "UPDATE users SET bio = concat(substring(bio, 1, 70), '~', substring(bio, 72)) "
        "WHERE id = %s",
        seed);
    expect_one(&s, "wrong", seed);
    end(&s);
}

static void null_and_the_empty_string_are_told_apart(void **state)
{
    struct scene s;
    char id[200];
    (void)state;
    play(&s, "insert", 50, 0);
    sql(&s, "SELECT min(id) FROM users WHERE id > 100 AND name IS NULL");
    snprintf(id, sizeof(id), "%s", s.value);
    sql(&s, "UPDATE users SET name = '' WHERE id = %s", id);
    expect_one(&s, "wrong", id);
    sql(&s, "UPDATE users SET name = NULL WHERE id = %s", id);
    sql(&s, "SELECT min(id) FROM users WHERE id < 0 AND name = ''");
    snprintf(id, sizeof(id), "%s", s.value);
    sql(&s, "UPDATE users SET name = NULL WHERE id = %s", id);
    expect_one(&s, "wrong", id);
    end(&s);
}

static void exchanged_rows_are_noticed(void **state)
{
    struct scene s;
    (void)state;
    play(&s, "insert", 10, 0);
    sql(&s, "UPDATE users SET balance = balance + 1 WHERE id = 300");
    sql(&s, "UPDATE users SET balance = balance - 1 WHERE id = 301");
    const struct traffic_verdict v = look(&s);
    assert_int_equal(v.wrong, 2);
    assert_int_equal(differences(&v), 2);
    end(&s);
}

static void a_lost_count_of_a_hot_row_is_noticed(void **state)
{
    struct scene s;
    (void)state;
    play(&s, "hot", 100, 0);
    const struct traffic_verdict before = look(&s);
    assert_int_equal(differences(&before), 0);
    sql(&s, "UPDATE users SET version = version - 1 WHERE id = 2");
    const struct traffic_verdict after = look(&s);
    assert_int_equal(after.wrong, 1);
    assert_int_equal(differences(&after), 1);
    end(&s);
}

/* The ledger by hand: a transaction on rows 100 and 101 whose reply never came. */
static void half_of_an_unknown_transaction_is_noticed(void **state)
{
    const struct traffic_options options = {.dsn = server->dsn};
    struct traffic_error err = {0};
    struct target target = {.shape = shape_find("users"), .table = "users"};
    struct traffic_verdict v;
    struct scene s;
    (void)state;
    open_scene(&s);
    assert_true(traffic_create(&options, ROWS, &err));
    target.family = s.link.kind->family;
    for (; target.shape->columns[target.column_count].name; target.column_count++) {
        const char *name = target.shape->columns[target.column_count].name;
        target.used[target.column_count] = true;
        target.names[0][target.column_count] = target.names[1][target.column_count] = name;
    }
    struct witness *w = witness_new(&target, 1);
    witness_expect_fresh(w, ROWS);
    struct ledger *l = witness_ledger(w, 0);
    struct image image;
    for (int64_t id = 100; id < 102; id++) {
        assert_true(ledger_image(l, id, &image));
        image.present = false;
        ledger_plan(l, id, &image);
    }
    ledger_settle(l, OUTCOME_UNKNOWN);
    assert_false(ledger_image(l, 100, &image)); /* in doubt: to be left alone */
    witness_check(w, &s.link, &v);
    assert_true(traffic_verdict_clean(&v)); /* none of it happened */
    sql(&s, "DELETE FROM users WHERE id = 100");
    witness_check(w, &s.link, &v);
    assert_int_equal(v.torn, 1);
    assert_int_equal(differences(&v), 1);
    sql(&s, "DELETE FROM users WHERE id = 101");
    witness_check(w, &s.link, &v);
    assert_true(traffic_verdict_clean(&v)); /* all of it happened */
    witness_free(w);
    sql(&s, "DROP TABLE users");
    link_close(&s.link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_left_alone_is_clean),
        cmocka_unit_test(a_lost_insert_is_noticed),
        cmocka_unit_test(a_lost_row_that_nobody_touched_is_noticed),
        cmocka_unit_test(a_lost_update_is_noticed),
        cmocka_unit_test(a_resurrected_row_is_noticed),
        cmocka_unit_test(a_row_nobody_wrote_is_noticed),
        cmocka_unit_test(a_doubled_row_is_noticed),
        cmocka_unit_test(one_changed_byte_is_noticed),
        cmocka_unit_test(null_and_the_empty_string_are_told_apart),
        cmocka_unit_test(exchanged_rows_are_noticed),
        cmocka_unit_test(a_lost_count_of_a_hot_row_is_noticed),
        cmocka_unit_test(half_of_an_unknown_transaction_is_noticed),
    };
    struct test_server servers[TEST_SERVERS_MAX];
    const size_t count = test_servers_start(servers);
    int failed = 0;
    for (size_t i = 0; i < count; i++) {
        server = &servers[i];
        failed += cmocka_run_group_tests_name("witness", tests, NULL, NULL);
        failed += test_traffic();
    }
    test_servers_stop(servers, count);
    return failed ? 1 : 0;
}
