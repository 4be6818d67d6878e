/*
 * The primary dies in the middle of migrations and its replica is promoted:
 * they go on there, or are aborted there, and nothing is lost.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "osc/base/cancel.h"
#include "tests/support/pair.h"
#include "tests/support/proxy.h"
#include "tests/support/scene.h"

enum { ROWS = 300 };

static struct pair *pair;

static int open_scene(void **state)
{
    pair = pair_start();
    *state = scene_open("failover");
    return 0;
}

static int close_scene(void **state)
{
    scene_close(*state);
    pair_stop(pair);
    return 0;
}

/* What the application does, before the failover and after it. */
static void write_to(struct scene *s, const char *table, int by)
{
    scene_sql(s, "UPDATE %s SET v = v + %d WHERE id BETWEEN 7 AND 20", table, by);
    scene_sql(s, "DELETE FROM %s WHERE id = %d", table, by);
    scene_sql(s, "INSERT INTO %s (id, v) VALUES (%d, 1)", table, 1000 + by);
}

static uint64_t sum_of(struct scene *s, const char *table)
{
    return scene_number(s, "SELECT SUM(id * 31 + v) + COUNT(*) FROM %s", table);
}

/* With everything that was acknowledged: what an asynchronous replica lacks is nobody's. */
static void fail_over(struct scene *s)
{
    scene_sql(s, "CREATE TABLE last_word (id int PRIMARY KEY)");
    scene_move(s, pair->replica_dsn);
    while (!scene_try_sql(s, "SELECT id FROM last_word"))
        (void)cancel_sleep_ms(NULL, 50);
    pair_stop_primary(pair);
    pair_promote(pair);
    assert_true(scene_try_sql(s, "INSERT INTO last_word VALUES (1)"));
}

static const struct death {
    const char *step; /* where osc is killed */
    bool is_aborted;  /* on the new server, instead of resumed */
} deaths[] = {
    {"capture",          false},
    {"chunk-registered", false},
    {"chunk-registered", true },
    {"indexes",          false},
    {"verify",           true },
    {"cutover",          false},
    {"locked",           false},
    {"locked",           true },
    {"swapped",          false},
};

static const char *name(struct scene *s, size_t i)
{
    return arena_printf(s->arena, "t%zu", i);
}

static void start_and_die(struct scene *s, const char *table, const char *step)
{
    scene_make_numbers(s, table, ROWS);
    scene_kill_at(s, step);
    assert_exit(scene_osc(s, "alter", table, "ADD COLUMN c int", "--after=drop", "--threads=1",
                          "--verify=none", NULL),
                128 + 9);
    scene_release(s, step);
}

/* No trigger sees it, and where tables have other numbers on the new server only the rows tell. */
static void a_truncation_is_noticed(struct scene *s)
{
    scene_sql(s, "TRUNCATE TABLE emptied");
    scene_sql(s, "INSERT INTO emptied (id, v) VALUES (5000, 1)");
    assert_exit(scene_osc(s, "resume", "emptied", NULL), s->is_postgres ? 3 : 4);
    assert_exit(scene_osc(s, "abort", "emptied", NULL), 0);
    assert_int_equal(scene_number(s, "SELECT SUM(id) FROM emptied"), 5000);
}

static void a_promoted_replica_goes_on(void **state)
{
    struct scene *s = *state;

    for (size_t i = 0; i < ARRAY_SIZE(deaths); i++) {
        start_and_die(s, name(s, i), deaths[i].step);
        write_to(s, name(s, i), 3);
    }
    start_and_die(s, "emptied", "cutover");
    fail_over(s);
    a_truncation_is_noticed(s);
    for (size_t i = 0; i < ARRAY_SIZE(deaths); i++) {
        write_to(s, name(s, i), 5);
        const uint64_t before = sum_of(s, name(s, i));
        assert_exit(scene_osc(s, deaths[i].is_aborted ? "abort" : "resume", name(s, i), NULL), 0);
        assert_int_equal(sum_of(s, name(s, i)), before);
        if (!deaths[i].is_aborted)
            assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM %s WHERE c IS NULL", name(s, i)),
                             scene_number(s, "SELECT COUNT(*) FROM %s", name(s, i)));
        write_to(s, name(s, i), 7);
    }
    assert_nothing_left(s, false);
}

/* ---- a planned one, behind a proxy ---- */

struct run {
    struct scene scene; /* the scene's, with failpoints of its own and through the proxy */
    const char *table, *moment;
    pid_t osc;
};

static unsigned port_of(const char *dsn)
{
    return (unsigned)strtoul(strrchr(dsn, ':') + 1, NULL, 10);
}

static void halt_at(struct scene *s, struct run *run, const char *table, const char *moment,
                    unsigned port)
{
    const char *colon = strrchr(s->dsn, ':'), *path = strrchr(s->dsn, '/');

    scene_make_numbers(s, table, ROWS);
    *run = (struct run){.scene = *s, .table = table, .moment = moment};
    (void)snprintf(run->scene.directory, sizeof run->scene.directory, "/tmp/osc-run-XXXXXX");
    assert_non_null(mkdtemp(run->scene.directory));
    (void)snprintf(run->scene.dsn, sizeof run->scene.dsn, "%.*s:%u%.*s?%s", (int)(colon - s->dsn),
                   s->dsn, port, (int)strcspn(path, "?"), path,
                   scene_pick(s, "sslmode=disable", "ssl-mode=DISABLED"));
    scene_hold(&run->scene, moment);
    run->osc = scene_start(&run->scene, "alter", table, "ADD COLUMN c int", "--after=drop", NULL);
    scene_await(&run->scene, moment);
}

/* Nothing more is to be written there; all that was has arrived at the other. */
static void hand_over(struct scene *s, struct proxy *proxy)
{
    if (s->is_postgres) {
        scene_sql(s, "ALTER SYSTEM SET default_transaction_read_only = on");
        scene_sql(s, "SELECT pg_reload_conf()");
    } else {
        scene_sql(s, "SET GLOBAL read_only = 1");
        (void)scene_try_sql(s, "SET GLOBAL super_read_only = 1");
    }
    scene_move(s, pair->replica_dsn);
    while (!scene_try_sql(s, "SELECT id FROM last_word"))
        (void)cancel_sleep_ms(NULL, 50);
    pair_promote(pair);
    if (s->is_postgres) /* it has the primary's configuration at most in a file of its own */
        scene_sql(s, "SET default_transaction_read_only = off");
    proxy_lead_to(proxy, port_of(pair->replica_dsn));
}

/* The connections that osc has stay with the old server, new ones meet the other. */
static void a_proxy_leads_to_the_promoted_replica(void **state)
{
    static const char *const moments[] = {"chunk-registered", "before-indexes", "verify",
                                          "cutover"};
    struct scene *s = *state;
    struct run runs[ARRAY_SIZE(moments)];
    struct proxy *proxy = proxy_start(port_of(pair->primary_dsn));

    for (size_t i = 0; i < ARRAY_SIZE(moments); i++)
        halt_at(s, &runs[i], name(s, i), moments[i], proxy_port(proxy));
    scene_sql(s, "CREATE TABLE last_word (id int PRIMARY KEY)");
    hand_over(s, proxy);
    for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
        scene_release(&runs[i].scene, moments[i]);
        assert_exit(scene_wait(&runs[i].scene, runs[i].osc), 1);
    }
    for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
        write_to(s, runs[i].table, 5);
        const uint64_t before = sum_of(s, runs[i].table);
        assert_exit(scene_osc(&runs[i].scene, i % 2 ? "abort" : "resume", runs[i].table, NULL), 0);
        assert_int_equal(sum_of(s, runs[i].table), before);
        (void)!system(arena_printf(s->arena, "rm -rf '%s'", runs[i].scene.directory));
    }
    assert_nothing_left(s, false);
    proxy_stop(proxy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_promoted_replica_goes_on, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(a_proxy_leads_to_the_promoted_replica, open_scene,
                                        close_scene),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
