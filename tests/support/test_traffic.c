/*
 * The traffic itself: what it goes through without error, and what it must count as one.
 */
#include "test_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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
    await_more(s.traffic, commits, 50);
    if (is_postgres()) {
        sql(&s, "ALTER TABLE users ADD COLUMN phone varchar(20) NOT NULL DEFAULT '', "
                "ALTER balance TYPE numeric(14,4), ALTER updated_at TYPE timestamp(6)");
        sql(&s, "ALTER TABLE users RENAME bio TO \"about me\"");
    } else {
        sql(&s, "ALTER TABLE users ADD COLUMN phone varchar(20) NOT NULL DEFAULT '' FIRST, "
                "MODIFY balance decimal(14,4), MODIFY updated_at datetime(6), "
                "CHANGE bio `about me` text");
    }
    await_more(s.traffic, commits, 50);
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
    await_more(s.traffic, commits, 20);
    traffic_mark(s.traffic, "gap");
    sql(&s, "ALTER TABLE users RENAME TO users_copy");
    await_more(s.traffic, errors, 1);
    sql(&s, "ALTER TABLE users_copy RENAME TO users");
    traffic_mark(s.traffic, "after");
    await_more(s.traffic, commits, 20);
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
    await_more(s.traffic, commits, 20);
    traffic_mark(s.traffic, "locked");
    sql(&s, is_postgres() ? "BEGIN; LOCK TABLE users" : "LOCK TABLES users WRITE");
    wait_ms(700);
    sql(&s, is_postgres() ? "COMMIT" : "UNLOCK TABLES");
    await_more(s.traffic, commits, 100);
    traffic_mark(s.traffic, "free");
    await_more(s.traffic, commits, 20);
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
    const struct traffic_options options = {
        .dsn = server->dsn, .create_rows = ROWS, .may_lose_connections = true};
    struct traffic_counters counters = {0};
    struct scene s;
    (void)state;
    open_scene(&s);
    s.traffic = begin(&options);
    for (counters.connections_lost = 0; counters.connections_lost <= 8;) {
        await_more(s.traffic, commits, 1);
        kill_connections(&s);
        traffic_counters(s.traffic, &counters);
    }
    await_more(s.traffic, commits, 1);
    struct traffic_report *report = traffic_stop(s.traffic);
    if (!traffic_verdict_clean(&report->verdict) || report->counters.errors > 0)
        traffic_print(report, stdout);
    assert_true(traffic_verdict_clean(&report->verdict));
    assert_int_equal(report->counters.errors, 0);
    assert_true(report->counters.connections_lost > 8);
    assert_true(traffic_passed(report));
    report->may_lose_connections = false;
    assert_false(traffic_passed(report));
    traffic_report_free(report);
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
        await_more(t, commits, 51);
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
    await_more(s.traffic, commits, 30);
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

int test_traffic(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_connections_leave_two_possible_states),
        cmocka_unit_test(a_schema_change_alone_is_no_difference),
        cmocka_unit_test(a_table_gone_for_a_moment_is_an_error),
        cmocka_unit_test(a_stall_is_measured_where_it_happens),
        cmocka_unit_test(every_shape_is_written_without_error),
        cmocka_unit_test(traffic_goes_on_where_earlier_traffic_ended),
    };
    return cmocka_run_group_tests_name("traffic", tests, NULL, NULL);
}
