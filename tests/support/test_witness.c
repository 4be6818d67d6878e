/*
 * The judge judged: whatever goes wrong with a table, the witness must notice, and name it.
 * Each test lets traffic run, spoils the table behind its back, and reads the verdict.
 */
#include "test_server.h"
#include "witness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { ROWS = 2000 };

struct scene { /* traffic on one server, at a standstill */
    struct traffic *traffic;
    struct link link; /* ours, for the mischief */
    char value[200];  /* the first value of the last query */
};

static const struct test_server *server; /* the one under test */

static void wait_ms(long ms)
{
    const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static bool is_postgres(void)
{
    return strncmp(server->name, "postgres", 8) == 0;
}

static void open_scene(struct scene *s)
{
    const struct link_settings settings = {
        .dsn = server->dsn, .statement_timeout_ms = 20000, .create_database = true};
    *s = (struct scene){0};
    if (!link_open(&s->link, &settings))
        fail_msg("%s: %s %s", server->name, s->link.code, s->link.text);
}

static bool take_value(void *context, const struct value *values, size_t count)
{
    struct scene *s = context;
    (void)count;
    snprintf(s->value, sizeof(s->value), "%s", values[0].text ? values[0].text : "NULL");
    return true;
}

/* Runs what the format makes, and keeps the first value of its last row. */
__attribute__((format(printf, 2, 3))) static void sql(struct scene *s, const char *format, ...)
{
    char text[1000];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    s->link.on_row = take_value;
    s->link.row_context = s;
    if (link_run(&s->link, text) != REPLY_OK)
        fail_msg("%s: %s: %s %s", server->name, text, s->link.code, s->link.text);
}

static struct traffic *begin(const struct traffic_options *options)
{
    struct traffic_error err = {0};
    struct traffic *t = traffic_start(options, &err);
    if (!t)
        fail_msg("%s: %s", server->name, err.text);
    return t;
}

/* Lets one operation run on a fresh table until enough of it has been done. */
static void play(struct scene *s, const char *mix, uint64_t commits, double rate)
{
    const struct traffic_options options = {
        .dsn = server->dsn, .mix = mix, .rate = rate, .writers = 4, .create_rows = ROWS};
    struct traffic_counters counters = {0};
    open_scene(s);
    s->traffic = begin(&options);
    for (int i = 0; counters.commits < commits && i < 1000; i++) {
        wait_ms(10);
        traffic_counters(s->traffic, &counters);
    }
    traffic_pause(s->traffic);
    assert_true(counters.commits >= commits);
    assert_int_equal(counters.errors, 0);
}

static struct traffic_verdict look(const struct scene *s)
{
    struct traffic_verdict v;
    traffic_check(s->traffic, &v);
    traffic_pause(s->traffic);
    assert_true(v.checked);
    return v;
}

static uint64_t differences(const struct traffic_verdict *v)
{
    return v->lost + v->stale + v->wrong + v->doubled + v->resurrected + v->unexpected + v->torn;
}

static void show(const struct traffic_verdict *v)
{
    for (size_t i = 0; i < v->difference_count; i++)
        print_message("  %s %s\n", v->differences[i].kind, v->differences[i].text);
}

/* The verdict must show exactly one difference, of this kind, with the row's key. */
static void expect_one(struct scene *s, const char *kind, const char *key)
{
    const struct traffic_verdict v = look(s);
    char text[240];
    if (differences(&v) != 1)
        show(&v);
    assert_int_equal(differences(&v), 1);
    assert_string_equal(v.differences[0].kind, kind);
    snprintf(text, sizeof(text), "id=%s:", key);
    assert_non_null(strstr(v.differences[0].text, text));
}

static void end(struct scene *s)
{
    struct traffic_report *report = traffic_stop(s->traffic);
    traffic_report_free(report);
    sql(s, "DROP TABLE IF EXISTS users");
    sql(s, "DROP TABLE IF EXISTS users_copy");
    link_close(&s->link);
}

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
    wait_ms(300);
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

static void a_schema_change_alone_is_no_difference(void **state)
{
    const struct traffic_rename renames[] = {
        {"bio", "about me"},
        {NULL,  NULL      }
    };
    const struct traffic_options options = {
        .dsn = server->dsn,
        .create_rows = ROWS,
        .renames = renames,
        .readers = 1,
        /* PostgreSQL's own ALTER TABLE hides all rows from older snapshots when it rewrites. */
        .isolation = is_postgres() ? TRAFFIC_READ_COMMITTED : TRAFFIC_MIXED,
    };
    struct scene s;
    (void)state;
    open_scene(&s);
    s.traffic = begin(&options);
    wait_ms(200);
    if (is_postgres()) {
        sql(&s, "ALTER TABLE users ADD COLUMN phone varchar(20) NOT NULL DEFAULT '', "
                "ALTER balance TYPE numeric(14,4), ALTER updated_at TYPE timestamp(6)");
        sql(&s, "ALTER TABLE users RENAME bio TO \"about me\"");
    } else {
        sql(&s, "ALTER TABLE users ADD COLUMN phone varchar(20) NOT NULL DEFAULT '' FIRST, "
                "MODIFY balance decimal(14,4), MODIFY updated_at datetime(6), "
                "CHANGE bio `about me` text");
    }
    wait_ms(200);
    struct traffic_report *report = traffic_stop(s.traffic);
    if (!traffic_passed(report))
        traffic_print(report, stdout);
    assert_true(traffic_passed(report));
    traffic_report_free(report);
    sql(&s, "DROP TABLE users");
    link_close(&s.link);
}

static void a_table_gone_for_a_moment_is_an_error(void **state)
{
    const struct traffic_options options = {.dsn = server->dsn, .create_rows = ROWS, .readers = 2};
    struct scene s;
    (void)state;
    open_scene(&s);
    s.traffic = begin(&options);
    wait_ms(100);
    traffic_mark(s.traffic, "gap");
    sql(&s, "ALTER TABLE users RENAME TO users_copy");
    wait_ms(50);
    sql(&s, "ALTER TABLE users_copy RENAME TO users");
    traffic_mark(s.traffic, "after");
    wait_ms(100);
    struct traffic_report *report = traffic_stop(s.traffic);
    assert_true(traffic_verdict_clean(&report->verdict)); /* refused writes are not lost ones */
    assert_true(report->counters.errors > 0);
    assert_false(traffic_passed(report));
    assert_string_equal(report->failures[0].code, is_postgres() ? "42P01" : "1146");
    assert_string_equal(report->failures[0].phase, "gap");
    traffic_report_free(report);
    sql(&s, "DROP TABLE users");
    link_close(&s.link);
}

static void a_stall_is_measured_where_it_happens(void **state)
{
    const struct traffic_options options = {.dsn = server->dsn, .create_rows = ROWS, .rate = 200};
    struct scene s;
    (void)state;
    open_scene(&s);
    s.traffic = begin(&options);
    wait_ms(200);
    traffic_mark(s.traffic, "locked");
    sql(&s, is_postgres() ? "BEGIN; LOCK TABLE users" : "LOCK TABLES users WRITE");
    wait_ms(700);
    sql(&s, is_postgres() ? "COMMIT" : "UNLOCK TABLES");
    wait_ms(100);
    traffic_mark(s.traffic, "free");
    wait_ms(200);
    struct traffic_report *report = traffic_stop(s.traffic);
    assert_true(report->stall.ms >= 600 && report->stall.ms < 5000);
    assert_string_equal(report->stall.phase, "locked");
    assert_true(report->write.max_ms >= 600);
    /* with a rate, what waited its turn behind the lock counts as late too */
    assert_true(report->phases[1].write.p50_ms >= 100);
    traffic_report_free(report);
    sql(&s, "DROP TABLE users");
    link_close(&s.link);
}

struct sessions {
    char own[32];
    char ids[64][32];
    size_t count;
};

static bool note_session(void *context, const struct value *values, size_t count)
{
    struct sessions *found = context;
    assert_true(count > 3); /* Id, User, Host, db */
    if (found->count < 64 && values[3].text && strcmp(values[3].text, "traffic_test") == 0 &&
        strcmp(values[0].text, found->own) != 0)
        snprintf(found->ids[found->count++], sizeof(found->ids[0]), "%s", values[0].text);
    return true;
}

/* Ends every connection of the traffic on the server's side. */
static void kill_connections(struct scene *s)
{
    struct sessions found = {0};
    if (is_postgres()) {
        sql(s, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
               "WHERE application_name = 'traffic' AND pid <> pg_backend_pid()");
        return;
    }
    sql(s, "SELECT connection_id()");
    snprintf(found.own, sizeof(found.own), "%.31s", s->value);
    s->link.on_row = note_session;
    s->link.row_context = &found;
    assert_int_equal(link_run(&s->link, "SHOW PROCESSLIST"), REPLY_OK);
    s->link.on_row = NULL;
    for (size_t i = 0; i < found.count; i++) {
        char text[60];
        snprintf(text, sizeof(text), "KILL %s", found.ids[i]);
        link_run(&s->link, text); /* one that has gone by itself is no failure */
    }
}

static void killed_connections_leave_two_possible_states(void **state)
{
    const struct traffic_options options = {.dsn = server->dsn, .create_rows = ROWS};
    struct scene s;
    (void)state;
    open_scene(&s);
    s.traffic = begin(&options);
    for (int i = 0; i < 12; i++) {
        wait_ms(70);
        kill_connections(&s);
    }
    wait_ms(100);
    struct traffic_report *report = traffic_stop(s.traffic);
    if (!traffic_verdict_clean(&report->verdict) || report->counters.errors > 0)
        traffic_print(report, stdout);
    assert_true(traffic_verdict_clean(&report->verdict));
    assert_int_equal(report->counters.errors, 0);
    assert_true(report->counters.connections_lost > 8);
    assert_false(traffic_passed(report));
    traffic_report_free(report);
    sql(&s, "DROP TABLE users");
    link_close(&s.link);
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

static void every_shape_is_written_without_error(void **state)
{
    struct scene s;
    (void)state;
    open_scene(&s);
    for (const char *const *shape = traffic_shapes(); *shape; shape++) {
        const struct traffic_options options = {
            .dsn = server->dsn, .shape = *shape, .create_rows = 600, .readers = 1};
        struct traffic *t = begin(&options);
        wait_ms(400);
        struct traffic_report *report = traffic_stop(t);
        if (!traffic_passed(report))
            traffic_print(report, stdout);
        assert_true(traffic_passed(report));
        assert_true(report->counters.commits > 50);
        traffic_report_free(report);
    }
    link_close(&s.link);
}

static void traffic_goes_on_where_earlier_traffic_ended(void **state)
{
    struct scene s;
    (void)state;
    play(&s, "standard", 300, 0);
    traffic_report_free(traffic_stop(s.traffic));
    const struct traffic_options options = {.dsn = server->dsn};
    s.traffic = begin(&options);
    wait_ms(300);
    traffic_pause(s.traffic);
    const struct traffic_verdict before = look(&s);
    show(&before);
    assert_int_equal(differences(&before), 0);
    sql(&s, "UPDATE users SET version = -1 WHERE id = -1");
    expect_one(&s, "wrong", "-1");
    struct traffic_report *report = traffic_stop(s.traffic);
    assert_int_equal(report->counters.errors, 0);
    traffic_report_free(report);
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
        cmocka_unit_test(killed_connections_leave_two_possible_states),
        cmocka_unit_test(a_schema_change_alone_is_no_difference),
        cmocka_unit_test(a_table_gone_for_a_moment_is_an_error),
        cmocka_unit_test(a_stall_is_measured_where_it_happens),
        cmocka_unit_test(every_shape_is_written_without_error),
        cmocka_unit_test(traffic_goes_on_where_earlier_traffic_ended),
    };
    struct test_server servers[TEST_SERVERS_MAX];
    const size_t count = test_servers_start(servers);
    int failed = 0;
    for (size_t i = 0; i < count; i++) {
        server = &servers[i];
        failed += cmocka_run_group_tests_name(server->name, tests, NULL, NULL);
    }
    test_servers_stop(servers, count);
    return failed ? 1 : 0;
}
