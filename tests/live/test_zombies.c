/*
 * Zombies: a reply that is lost, a run that was taken for dead and wakes up, a
 * connection that hangs.  Who may act is decided by the server; writers run all the
 * time, and the witness judges.
 */
#include "tests/unit/unit.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "tests/support/proxy.h"
#include "tests/support/writers.h"

enum { ROWS = 3000, RATE = 60 };

static const char *const clauses[2] = {"ADD COLUMN phone varchar(20) NOT NULL DEFAULT ''",
                                       "DROP COLUMN phone"};
static unsigned turns; /* there and back again */
static struct traffic *traffic;
static pid_t runs[2]; /* the runs under way, to be ended with a test that fails */

static int open_scene(void **state)
{
    (void)setenv("OSC_TUNE_SILENCE_MS", "1500", 1);
    (void)setenv("OSC_TUNE_CHUNK", "200", 1); /* many commits */
    turns = 0;
    *state = scene_open("zombies");
    return 0;
}

static int close_scene(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(runs); i++)
        if (runs[i])
            (void)kill(runs[i], SIGKILL);
    memset(runs, 0, sizeof runs);
    if (traffic)
        traffic_report_free(traffic_stop(traffic));
    traffic = NULL;
    scene_close(*state);
    return 0;
}

static void start_writers(struct scene *s)
{
    traffic = writers_start(s, &(struct writers_wish){.rate = RATE, .rows = ROWS});
}

static void stop_writers(const char *when)
{
    struct traffic *all = traffic;

    traffic = NULL;
    writers_stop(all, when);
}

static struct outcome await_end(struct scene *s, pid_t run)
{
    const struct outcome outcome = scene_wait(s, run);

    for (size_t i = 0; i < ARRAY_SIZE(runs); i++)
        if (runs[i] == run)
            runs[i] = 0;
    return outcome;
}

/* Everything that osc says goes through a proxy from now on; unencrypted, so that it can be read.
 */
static struct proxy *put_proxy_between(struct scene *s)
{
    const char *path = strrchr(s->dsn, '/');
    const char *colon = strrchr(s->dsn, ':');
    struct proxy *proxy = proxy_start((unsigned)strtoul(colon + 1, NULL, 10));
    char dsn[sizeof s->dsn];

    assert_non_null(proxy);
    (void)snprintf(dsn, sizeof dsn, "%.*s:%u%.*s?%s", (int)(colon - s->dsn), s->dsn,
                   proxy_port(proxy), (int)strcspn(path, "?"), path,
                   scene_pick(s, "sslmode=disable", "ssl-mode=DISABLED"));
    memcpy(s->dsn, dsn, sizeof dsn);
    return proxy;
}

static pid_t start_osc(struct scene *s)
{
    runs[0] =
        scene_start(s, "alter", "users", clauses[turns++ % 2], "--after=drop", "--threads=2", NULL);
    return runs[0];
}

static pid_t start_second(struct scene *s)
{
    runs[1] = scene_start(s, "resume", NULL);
    return runs[1];
}

static void nap(long ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    (void)nanosleep(&pause, NULL);
}

/* ---- replies that are lost ---- */

static const struct reply {
    const char *of;
    const char *postgres_after, *postgres; /* the statement, on a connection that sent `after` */
    const char *mysql_after, *mysql;
} replies[] = {
    {"the commit of a chunk",  "t.ctid >= '(",              "COMMIT", ")\nWHERE t.",    "COMMIT"      },
    {"the commit of a replay", "AS s USING",                "COMMIT", "DELETE s FROM ", "COMMIT"      },
    {"the swap",               "RENAME TO \"users_osc_old", "COMMIT", NULL,             "RENAME TABLE"},
    {"the drop of the sentry", NULL,                        NULL,     "ENGINE=MEMORY",  "DROP TABLE"  },
};

static void a_lost_reply_is_settled_by_asking(void **state)
{
    struct scene *s = *state;
    start_writers(s);
    struct proxy *proxy = put_proxy_between(s);

    for (size_t i = 0; i < ARRAY_SIZE(replies); i++) {
        const struct reply *r = &replies[i];
        if (!r->postgres && strncmp(getenv("OSC_TEST_SERVER"), "mariadb", 7) != 0)
            continue; /* there is no sentry */
        print_message("the reply to %s is lost\n", r->of);
        const char *text = scene_pick(s, r->postgres, r->mysql);
        if (strcmp(text, "RENAME TABLE") == 0) /* not that of the shadow */
            text = arena_printf(s->arena, "%s `%s`.`users` TO", text, s->schema);
        proxy_swallow(proxy, scene_pick(s, r->postgres_after, r->mysql_after), text);
        assert_exit(await_end(s, start_osc(s)), 0);
        if (!proxy_has_swallowed(proxy))
            fail_msg("%s was never sent", r->of);
        writers_check(traffic, r->of);
    }
    proxy_stop(proxy);
    stop_writers("lost replies");
    assert_nothing_left(s, false);
}

/* ---- runs that were taken for dead ---- */

static const struct zombie {
    const char *falls_asleep; /* failpoint at which the first run is stopped */
    const char *wakes_up;     /* failpoint of the second run; NULL: when that one is through */
    bool only_mysql, only_sentry;
} zombies[] = {
    {"chunk-before-commit",  "verify", false, false},
    {"replay-before-commit", "verify", false, false},
    {"before-indexes",       "verify", false, false},
    {"drained",              "locked", false, false},
    {"drained",              NULL,     false, false},
    {"before-rename",        "locked", true,  false},
    {"sentry-dropped",       NULL,     true,  true },
};

static bool has_sentry(struct scene *s)
{
    return strstr(scene_value(s, "SELECT VERSION()"), "MariaDB");
}

/* The second goes on where the first stopped; the first, awake again, can do nothing but say so. */
static void take_over(struct scene *s, const struct zombie *z)
{
    scene_hold(s, z->falls_asleep);
    const pid_t first = start_osc(s);
    scene_await(s, z->falls_asleep);
    assert_int_equal(kill(first, SIGSTOP), 0);
    scene_release(s, z->falls_asleep);
    if (z->wakes_up)
        scene_hold(s, z->wakes_up);
    const pid_t second = start_second(s);
    if (z->wakes_up)
        scene_await(s, z->wakes_up);
    else
        assert_exit(await_end(s, second), 0);
    assert_int_equal(kill(first, SIGCONT), 0);
    if (z->wakes_up)
        nap(300); /* to do harm in */
    struct outcome outcome = await_end(s, first);
    if (outcome.status != 1 && outcome.status != 5)
        fail_msg("the zombie ended with %d: %s", outcome.status, outcome.err);
    if (!strstr(outcome.err, "another run"))
        fail_msg("the zombie does not say why it ended:\n%s", outcome.err);
    outcome_free(&outcome);
    if (!z->wakes_up)
        return;
    scene_release(s, z->wakes_up);
    assert_exit(await_end(s, second), 0);
}

static void a_run_taken_for_dead_can_do_no_harm(void **state)
{
    struct scene *s = *state;
    start_writers(s);

    for (size_t i = 0; i < ARRAY_SIZE(zombies); i++) {
        const struct zombie *z = &zombies[i];
        if ((z->only_mysql && s->is_postgres) || (z->only_sentry && !has_sentry(s)))
            continue;
        print_message("asleep at %s, awake %s %s\n", z->falls_asleep,
                      z->wakes_up ? "at" : "after the end", z->wakes_up ? z->wakes_up : "");
        take_over(s, z);
        writers_check(traffic, z->falls_asleep);
        assert_nothing_left(s, false);
    }
    stop_writers("zombies");
}

static void an_abort_also_ends_a_run_that_gives_no_sign_of_life(void **state)
{
    struct scene *s = *state;
    start_writers(s);

    scene_hold(s, "chunk-before-commit");
    const pid_t first = start_osc(s);
    scene_await(s, "chunk-before-commit");
    assert_int_equal(kill(first, SIGSTOP), 0);
    assert_exit(scene_osc(s, "abort", NULL), 0);
    assert_nothing_left(s, false);
    scene_release(s, "chunk-before-commit");
    assert_int_equal(kill(first, SIGCONT), 0);
    assert_exit(await_end(s, first), 1);
    assert_nothing_left(s, false);
    stop_writers("abort of a zombie");
}

static void a_run_that_lives_is_left_alone(void **state)
{
    struct scene *s = *state;
    start_writers(s);

    scene_hold(s, "before-indexes");
    const pid_t first = start_osc(s);
    scene_await(s, "before-indexes");
    assert_says(scene_osc(s, "resume", NULL), 3, "another run works");
    scene_release(s, "before-indexes");
    assert_exit(await_end(s, first), 0);
    stop_writers("two runs");
}

/* ---- connections that hang ---- */

static void a_connection_that_hangs_delays_only_us(void **state)
{
    static const char *const moments[] = {"chunk-before-commit", "verify"};
    struct scene *s = *state;
    start_writers(s);
    struct proxy *proxy = put_proxy_between(s);

    for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
        const bool is_cut = i == 0;
        scene_hold(s, moments[i]);
        const pid_t osc = start_osc(s);
        scene_await(s, moments[i]);
        proxy_freeze(proxy, true);
        scene_release(s, moments[i]);
        nap(2000);
        if (is_cut)
            proxy_cut(proxy); /* also the one with the lease: the run stops, and can be resumed */
        proxy_freeze(proxy, false);
        assert_exit(await_end(s, osc), is_cut ? 1 : 0);
        if (is_cut)
            assert_exit(scene_osc(s, "resume", NULL), 0);
        writers_check(traffic, moments[i]);
    }
    proxy_stop(proxy);
    stop_writers("frozen connections");
    assert_nothing_left(s, false);
}

/* A chunk whose end is not known, and nobody to ask: the run ends, and says so. */
static void a_server_out_of_reach_ends_the_run(void **state)
{
    struct scene *s = *state;
    start_writers(s);
    char direct[sizeof s->dsn];
    memcpy(direct, s->dsn, sizeof direct);
    struct proxy *proxy = put_proxy_between(s);

    scene_hold(s, "chunk-before-commit");
    const pid_t osc = start_osc(s);
    scene_await(s, "chunk-before-commit");
    proxy_stop(proxy);
    scene_release(s, "chunk-before-commit");
    assert_exit(await_end(s, osc), 1);
    memcpy(s->dsn, direct, sizeof direct);
    assert_exit(scene_osc(s, "resume", NULL), 0);
    stop_writers("a server out of reach");
    assert_nothing_left(s, false);
}

/* Whoever stands still under the lock loses it: the application does not wait for ever. */
static void a_run_that_stands_still_under_the_lock_loses_it(void **state)
{
    struct scene *s = *state;
    start_writers(s);

    scene_hold(s, "drained");
    const pid_t osc = start_osc(s);
    scene_await(s, "drained");
    scene_sql(s, "SET %s", scene_pick(s, "lock_timeout = '20s'", "SESSION lock_wait_timeout = 20"));
    scene_sql(s, "UPDATE users SET status = status WHERE id = 1");
    scene_release(s, "drained");
    assert_exit(await_end(s, osc), 0);
    stop_writers("standing still under the lock");
    assert_nothing_left(s, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_lost_reply_is_settled_by_asking, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(a_run_taken_for_dead_can_do_no_harm, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(an_abort_also_ends_a_run_that_gives_no_sign_of_life,
                                        open_scene, close_scene),
        cmocka_unit_test_setup_teardown(a_run_that_lives_is_left_alone, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(a_connection_that_hangs_delays_only_us, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(a_server_out_of_reach_ends_the_run, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(a_run_that_stands_still_under_the_lock_loses_it, open_scene,
                                        close_scene),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
