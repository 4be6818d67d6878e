/*
 * Every signal of the throttle that this server has: with a small limit it holds
 * back a migration of its own, and lets it go on when it is over.
 */
#include "tests/unit/unit.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "osc/base/cancel.h"
#include "osc/base/clock.h"
#include "tests/support/others.h"
#include "tests/support/scene.h"

enum { PATIENCE_MS = 60000, SLEEPERS = 2, WAITERS = 2 };

/* ---- what is in the way: each signal has something that gives it ---- */

/* Somebody who does the same again and again: company, in which the soft signals count. */
struct crowd {
    struct link link;
    const char *sql;
    pthread_t thread;
    atomic_bool ends;
};

static void *go_on(void *argument)
{
    struct crowd *crowd = argument;

    while (!atomic_load(&crowd->ends))
        if (link_run(&crowd->link, crowd->sql) != REPLY_OK)
            return crowd;
    return NULL;
}

static void go(struct crowd *crowd, struct scene *s, const char *sql)
{
    *crowd = (struct crowd){.link = arrives(s), .sql = sql};
    assert_int_equal(pthread_create(&crowd->thread, NULL, go_on, crowd), 0);
}

static void stop(struct crowd *crowd)
{
    void *failed = NULL;

    atomic_store(&crowd->ends, true);
    (void)pthread_join(crowd->thread, &failed);
    if (failed)
        fail_msg("%s: %s", crowd->sql, crowd->link.text);
    link_close(&crowd->link);
}

static struct trouble {
    struct crowd often, much;
    struct link holder, reader;
    struct busy sleepers[SLEEPERS], waiters[WAITERS];
} trouble;

/* The heartbeat is the probe: what delays it makes commits take long. */
static void slow_down_commits(struct scene *s)
{
    if (!s->is_postgres) {
        scene_sql(s, "CREATE TRIGGER slow BEFORE UPDATE ON osc_state FOR EACH ROW DO SLEEP(0.1)");
        return;
    }
    scene_sql(s, "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM "
                 "pg_catalog.pg_sleep(0.1); RETURN NEW; END $$");
    scene_sql(s, "CREATE TRIGGER slow BEFORE UPDATE ON osc_state FOR EACH ROW EXECUTE FUNCTION "
                 "slow()");
}

static const char *slot(struct scene *s)
{
    return arena_printf(s->arena, "slot_%d", (int)getpid());
}

static void trouble_begins(struct scene *s)
{
    slow_down_commits(s);
    if (s->is_postgres)
        (void)scene_value(s, "SELECT pg_create_physical_replication_slot('%s', true)", slot(s));
    trouble.reader = arrives(s);
    does(&trouble.reader, scene_pick(s, "SELECT 1", "START TRANSACTION WITH CONSISTENT SNAPSHOT"));
    trouble.holder = arrives(s);
    does(&trouble.holder, "BEGIN");
    does(&trouble.holder, "UPDATE held SET v = 1 WHERE id = 1");
    for (size_t i = 0; i < WAITERS; i++)
        starts(&trouble.waiters[i], arrives(s), "UPDATE held SET v = 2 WHERE id = 1");
    for (size_t i = 0; i < SLEEPERS; i++)
        starts(&trouble.sleepers[i], arrives(s),
               scene_pick(s, "SELECT pg_sleep(10)", "DO SLEEP(10)"));
    go(&trouble.often, s, "UPDATE busy SET v = v + 1 WHERE id = 1");
    go(&trouble.much, s,
       "UPDATE busy SET v = v + 1, pad = CONCAT(SUBSTR(pad, 2), 'x') WHERE id > 1");
}

static void trouble_ends(struct scene *s)
{
    scene_sql(s, "DROP TRIGGER slow%s", scene_pick(s, " ON osc_state", ""));
    if (s->is_postgres)
        (void)scene_value(s, "SELECT pg_drop_replication_slot('%s')", slot(s));
    stop(&trouble.often);
    stop(&trouble.much);
    link_close(&trouble.reader);
    link_close(&trouble.holder);
    for (size_t i = 0; i < WAITERS; i++) {
        (void)ends(&trouble.waiters[i]);
        link_close(&trouble.waiters[i].link);
    }
    for (size_t i = 0; i < SLEEPERS; i++) {
        (void)ends(&trouble.sleepers[i]);
        link_close(&trouble.sleepers[i].link);
    }
}

/* ---- the signals ---- */

enum where { EVERYWHERE, POSTGRES, MYSQL_FAMILY };

static const struct signal_case {
    enum where where;
    const char *option, *reason; /* NULL: it depends on the server */
    bool lasts;                  /* perhaps: migrations side by side give each other cause */
} signals[] = {
    {EVERYWHERE,   "--max-commit-time=50ms",    "commits take long",                 false},
    {EVERYWHERE,   "--max-running=1",           NULL,                                true },
    {EVERYWHERE,   "--max-lock-waits=1",        "sessions wait for locks",           false},
    {EVERYWHERE,   "--max-load=1%",             "the host is busy",                  true },
    {EVERYWHERE,   "--max-checkpoint-age=1%",   NULL,                                true },
    {EVERYWHERE,   "--min-free-disk=1000TiB",   "the disk is nearly full",           true },
    {POSTGRES,     "--max-wal-rate=1MiB",       "much WAL is written",               false},
    {POSTGRES,     "--max-slot-retention=1MiB", "a replication slot keeps much WAL", false},
    {MYSQL_FAMILY, "--max-history=1",           "old versions of rows pile up",      true },
};

static const char *reason_of(const struct scene *s, const struct signal_case *signal)
{
    if (signal->reason)
        return signal->reason;
    return strstr(signal->option, "checkpoint")
               ? scene_pick(s, "checkpoints do not follow", "the redo log fills up")
               : scene_pick(s, "many sessions are active", "many threads are running");
}

static bool is_here(const struct scene *s, const struct signal_case *signal)
{
    return signal->where == EVERYWHERE || (signal->where == POSTGRES) == s->is_postgres;
}

static void await_progress(struct scene *s, size_t i, const char *words)
{
    const struct deadline until = deadline_in_ms(PATIENCE_MS);
    const char *progress;

    while (!strstr(progress = scene_value(s,
                                          "SELECT progress FROM osc_state WHERE source_table = "
                                          "'t%zu'",
                                          i),
                   words)) {
        if (deadline_passed(&until))
            fail_msg("%s: no %s in %s", signals[i].option, words, progress);
        (void)cancel_sleep_ms(NULL, 50);
    }
}

static void each_signal_holds_back_and_lets_go(void **state)
{
    struct scene *s = *state;
    pid_t runs[ARRAY_SIZE(signals)] = {0};

    scene_sql(s, "CREATE TABLE held (id int PRIMARY KEY, v int)");
    scene_sql(s, "INSERT INTO held VALUES (1, 1)");
    scene_sql(s, "CREATE TABLE busy (id int PRIMARY KEY, v int, pad varchar(1000))");
    scene_sql(s, "INSERT INTO busy VALUES (1, 0, '%01000d')", 7);
    for (int n = 1; n < 256; n *= 2)
        scene_sql(s, "INSERT INTO busy SELECT id + %d, v, pad FROM busy", n);
    scene_hold(s, "copy");
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
        if (!is_here(s, &signals[i]))
            continue;
        scene_sql(s, "CREATE TABLE t%zu (id int PRIMARY KEY)", i);
        scene_sql(s, "INSERT INTO t%zu VALUES (1), (2)", i);
        runs[i] = scene_start(s, "alter", arena_printf(s->arena, "t%zu", i), "ADD COLUMN c int",
                              "--max-lag=off", signals[i].option, NULL);
    }
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
        if (runs[i])
            awaits(s, runs[i], "step=copy");
    trouble_begins(s);
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
        if (!runs[i])
            continue;
        await_progress(s, i, "\"duty_percent\":0");
        await_progress(s, i,
                       arena_printf(s->arena, "\"reason\":\"%s\"", reason_of(s, &signals[i])));
    }
    scene_release(s, "copy");
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
        if (runs[i])
            assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t%zu_osc_new", i), 0);
    trouble_ends(s);
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
        if (!runs[i])
            continue;
        struct outcome aborted = {.status = 0};
        if (signals[i].lasts)
            aborted = scene_osc(s, "abort", arena_printf(s->arena, "t%zu", i), NULL);
        outcome_free(&aborted);
        struct outcome outcome = scene_wait(s, runs[i]);
        assert_exit(outcome, outcome.status == 6 && signals[i].lasts ? 6 : 0);
    }
}

static int open_scene(void **state)
{
    *state = scene_open("signals");
    return 0;
}

static int close_scene(void **state)
{
    scene_close(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_signal_holds_back_and_lets_go, open_scene,
                                        close_scene),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
