/*
 * Every order in every step, where a migration works and where it waits: given by
 * an osc of its own, heeded within two seconds, or refused in words; and what
 * comes of it.
 */
#include "tests/unit/unit.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "osc/base/cancel.h"
#include "osc/base/clock.h"
#include "tests/support/others.h"
#include "tests/support/scene.h"

enum { PROMPT_MS = 2000, PATIENCE_MS = 60000, ROWS = 40, MOST_ORDERS = 4 };

static uint64_t slowest_ms;

/* Often, to save time: with a second, as it is, test_control.c pauses in every step. */
static int open_quick(void **state)
{
    assert_int_equal(setenv("OSC_TUNE_BEAT_MS", "200", 1), 0);
    *state = scene_open("orders");
    return 0;
}

static int open_scene(void **state)
{
    assert_int_equal(unsetenv("OSC_TUNE_BEAT_MS"), 0);
    *state = scene_open("orders");
    return 0;
}

static int close_scene(void **state)
{
    scene_close(*state);
    return 0;
}

/* ---- orders, several at once ---- */

struct order {
    const char *command, *word; /* word: NULL, or NAME=VALUE */
};

static pid_t give(struct scene *s, struct order order, const char *table)
{
    return scene_start(s, order.command, table, "--json", order.word, NULL);
}

static void assert_heeded(struct scene *s, pid_t operator, const char * command)
{
    struct outcome outcome = scene_wait(s, operator);
    json_t *answer = json_loads(outcome.out, 0, NULL);
    const uint64_t ms = (uint64_t)json_integer_value(json_object_get(answer, "milliseconds"));

    if (!json_is_true(json_object_get(answer, "heeded")) || ms >= PROMPT_MS)
        fail_msg("osc %s was not heeded in time: %s%s", command, outcome.out, outcome.err);
    slowest_ms = ms > slowest_ms ? ms : slowest_ms;
    json_decref(answer);
    assert_exit(outcome, 0);
}

/* The list ends with one that has no command. */
static void tell(struct scene *s, const char *table, const struct order *orders)
{
    pid_t operators[MOST_ORDERS];
    size_t n = 0;

    for (; orders[n].command; n++)
        operators[n] = give(s, orders[n], table);
    for (size_t i = 0; i < n; i++)
        assert_heeded(s, operators[i], orders[i].command);
}

/* ---- what the run says, as osc status reads it ---- */

static void await_in_progress(struct scene *s, const char *words, bool wanted)
{
    const struct deadline until = deadline_in_ms(PROMPT_MS);
    const char *progress;

    while ((strstr(progress = scene_value(s, "SELECT progress FROM osc_state"), words) != NULL) !=
           wanted) {
        if (deadline_passed(&until))
            fail_msg("%s %s in %s", wanted ? "no" : "still", words, progress);
        (void)cancel_sleep_ms(NULL, 20);
    }
}

static void await_progress(struct scene *s, const char *wanted)
{
    await_in_progress(s, wanted, true);
}

static void assert_orders_stand(struct scene *s, bool paused, bool let_go)
{
    assert_int_equal(*scene_value(s, "SELECT paused FROM osc_state") != '\0', paused);
    assert_int_equal(*scene_value(s, "SELECT let_go FROM osc_state") != '\0', let_go);
}

static void assert_migrated(struct scene *s, pid_t osc, unsigned rows)
{
    assert_exit(scene_wait(s, osc), 0);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t WHERE c IS NULL"), rows);
    assert_int_equal(scene_number(s, "SELECT SUM(v - id) FROM t"), 0);
}

static void await_words(struct scene *s, const char *table, const char *words, uint64_t within_ms)
{
    const struct deadline until = deadline_in_ms(within_ms);

    for (bool is_said = false; !is_said;) {
        struct outcome status = scene_osc(s, "status", table, NULL);
        is_said = strstr(status.out, words) != NULL;
        if (!is_said && deadline_passed(&until))
            fail_msg("osc status does not say \"%s\":\n%s", words, status.out);
        outcome_free(&status);
    }
}

/* ---- where it works ---- */

/* Or the test fails with what it said instead. */
static void stands_at(struct scene *s, pid_t osc, const char *point)
{
    const struct deadline until = deadline_in_ms(PATIENCE_MS);

    while (!scene_has_reached(s, point)) {
        if (deadline_passed(&until))
            awaits(s, osc, point);
        (void)cancel_sleep_ms(NULL, 5);
    }
}

static const char *const points[] = {
    "shadow",         "capture",  "before-journal", "copy",    "chunk-committed",
    "before-indexes", "catch-up", "verify",         "cutover", "replay-before-commit",
};

/* All are given at once but what takes others back; an even moment leaves two threads. */
static void assert_obeys(struct scene *s, size_t moment)
{
    const char *threads = moment % 2 ? "1" : "2";
    const struct order first[] = {
        {"pause",   NULL                 },
        {"cutover", NULL                 },
        {"set",     arena_printf(s->arena, "threads=%s", threads)},
        {NULL, NULL                     },
    };
    const struct order then[] = {
        {"unpause",         NULL                 },
        {"set",             arena_printf(s->arena, "chunk-time=%zums", moment + 70)},
        {"set",     "cutover=manual"                         },
        {NULL,NULL},
    };

    tell(s, "t", first);
    await_progress(s, "\"rests\":1");
    assert_orders_stand(s, true, true);
    tell(s, "t", then);
    assert_orders_stand(s, false, false);
    await_progress(s, arena_printf(s->arena, "\"threads\":%s,\"reason\":null", threads));
    const char *options = scene_value(s, "SELECT options FROM osc_state");
    assert_non_null(strstr(options, arena_printf(s->arena, "%zums", moment + 70)));
}

static void while_it_works_every_order_is_heeded(void **state)
{
    struct scene *s = *state;

    scene_make_numbers(s, "t", ROWS);
    scene_hold(s, points[0]);
    const pid_t osc = scene_start(s, "alter", "t", "ADD COLUMN c int", "--cutover=manual",
                                  "--max-commit-time=off", NULL);
    for (size_t i = 0; i < ARRAY_SIZE(points); i++) {
        stands_at(s, osc, points[i]);
        assert_obeys(s, i);
        scene_sql(s, "INSERT INTO t (id, v) VALUES (%zu, %zu)", ROWS + 1 + i, ROWS + 1 + i);
        if (i + 1 < ARRAY_SIZE(points))
            scene_hold(s, points[i + 1]);
        scene_release(s, points[i]);
    }
    await_words(s, "t", "it waits for osc cutover", PATIENCE_MS);
    scene_hold(s, "finish");
    tell(s, "t",
         (struct order[]){
             {"cutover", NULL},
             {NULL,      NULL}
    });
    scene_await(s, "finish");
    static const struct order late[] = {
        {"pause",   NULL       },
        {"unpause", NULL       },
        {"cutover", NULL       },
        {"set",     "threads=1"}
    };
    for (size_t i = 0; i < ARRAY_SIZE(late); i++)
        assert_says(scene_wait(s, give(s, late[i], "t")), 2, "has swapped already");
    scene_release(s, "finish");
    assert_migrated(s, osc, ROWS + ARRAY_SIZE(points));
}

static uint64_t sessions(struct scene *s)
{
    return scene_number(s, "SELECT COUNT(*) FROM %s",
                        scene_pick(s,
                                   "pg_stat_activity WHERE datname = current_database() AND "
                                   "backend_type = 'client backend'",
                                   "information_schema.processlist WHERE DB = DATABASE()"));
}

static void await_sessions(struct scene *s, uint64_t wanted)
{
    const struct deadline until = deadline_in_ms(PATIENCE_MS);

    while (sessions(s) != wanted && !deadline_passed(&until))
        (void)cancel_sleep_ms(NULL, 20);
    assert_int_equal(sessions(s), wanted);
}

static void set(struct scene *s, const char *word)
{
    assert_heeded(s, give(s, (struct order){"set", word}, "t"), "set");
}

/* One copies, or compares, and stands still; those that an order adds come to the same place. */
static void more_threads_come_at_once(void **state)
{
    struct scene *s = *state;

    assert_int_equal(setenv("OSC_TUNE_CHUNK", "1", 1), 0);
    scene_make_numbers(s, "t", 3000);
    scene_hold(s, "chunk-committed");
    scene_hold(s, "verify-differs");
    const pid_t osc = scene_start(s, "alter", "t", "ADD COLUMN c int", "--threads=1", "--repair",
                                  "--max-commit-time=off", NULL);
    scene_await(s, "chunk-committed");
    await_progress(s, "\"threads\":1,\"attempts\"");
    set(s, "threads=3");
    await_progress(s, "\"threads\":3,\"attempts\"");
    set(s, "threads=1");
    scene_hold(s, "verify");
    scene_release(s, "chunk-committed");
    scene_await(s, "verify");
    scene_sql(s, "UPDATE t_osc_new SET v = 0 WHERE id = 3000"); /* never compared early */
    scene_release(s, "verify");
    scene_await(s, "verify-differs");
    const uint64_t before = sessions(s);
    set(s, "threads=3");
    await_sessions(s, before + 2);
    scene_release(s, "verify-differs");
    assert_migrated(s, osc, 3000);
    assert_int_equal(unsetenv("OSC_TUNE_CHUNK"), 0);
}

static void limits_are_changed_on_the_way(void **state)
{
    struct scene *s = *state;

    scene_make_numbers(s, "t", ROWS);
    scene_hold(s, "copy");
    const pid_t osc =
        scene_start(s, "alter", "t", "ADD COLUMN c int", "--throttle-query=SELECT 1", NULL);
    scene_await(s, "copy");
    await_progress(s, "\"reason\":\"--throttle-query says so\"");
    set(s, "throttle-query=none");
    await_in_progress(s, "\"query\"", false);
    await_in_progress(s, "\"duty_percent\":0", false);
    set(s, "throttle-flag-file=/");
    await_progress(s, "\"reason\":\"the flag file is there\"");
    set(s, "max-commit-time=7s");
    set(s, "max-lag=3s");
    await_progress(s, "\"limit\":7000");
    assert_says(scene_wait(s, give(s, (struct order){"set", "replica=mysql://r/"}, "t")), 2,
                "replica cannot be changed while a migration runs");
    scene_release(s, "copy");
    set(s, "throttle-flag-file=none");
    assert_migrated(s, osc, ROWS);
}

/* Between two database calls; a call that takes long has a test of its own below. */
static void while_it_works_an_abort_is_obeyed(void **state)
{
    struct scene *s = *state;

    scene_make_numbers(s, "t", ROWS);
    for (size_t i = 0; i < ARRAY_SIZE(points); i++) {
        scene_hold(s, points[i]);
        const pid_t osc = scene_start(s, "alter", "t", "ADD COLUMN c int", NULL);
        if (strcmp(points[i], "replay-before-commit") == 0) {
            scene_hold(s, "verify");
            scene_await(s, "verify");
            scene_sql(s, "UPDATE t SET v = v WHERE id = 1");
            scene_sql(s, "UPDATE t SET v = v + 1 WHERE id = 1");
            scene_sql(s, "UPDATE t SET v = v - 1 WHERE id = 1");
            scene_release(s, "verify");
        }
        stands_at(s, osc, points[i]);
        const uint64_t began_ms = clock_ms();
        const pid_t operator= scene_start(s, "abort", "t", NULL);
        awaits(s, osc, "by an operator");
        assert_in_range(clock_ms() - began_ms, 0, PROMPT_MS);
        scene_release(s, points[i]);
        assert_says(scene_wait(s, osc), 6, "aborted by an operator");
        assert_exit(scene_wait(s, operator), 0);
        assert_nothing_left(s, false);
        assert_int_equal(scene_number(s, "SELECT SUM(v) - SUM(id) + COUNT(*) FROM t"), ROWS);
    }
}

/* ---- where it waits ---- */

/* Each for a migration of its own, all at the same time. */
static const struct wait {
    const char *option;
    const char *words; /* as osc status says */
} waits[] = {
    {"--cutover=manual",                   "it waits for osc cutover"    },
    {"--cutover=at=2099-01-01T00:00",      "it waits until 2099-01-01"   },
    {"--postpone-flag-file=/",             "it waits as long as / exists"},
    {"--cutover-window=Tue",               "outside --cutover-window"    },
    {"--window=Tue",                       "rests outside --window"      },
    {"--throttle-flag-file=/",             "the flag file is there"      },
    {"--throttle-query=SELECT 1",          "--throttle-query says so"    },
    {"--throttle-http=http://127.0.0.1:1", "--throttle-http says so"     },
};
enum { WAITS = ARRAY_SIZE(waits) };

static const char *name(struct scene *s, size_t i)
{
    return arena_printf(s->arena, "w%zu", i);
}

static void tell_all(struct scene *s, struct order order)
{
    pid_t operators[WAITS];

    for (size_t i = 0; i < WAITS; i++)
        operators[i] = give(s, order, name(s, i));
    for (size_t i = 0; i < WAITS; i++)
        assert_heeded(s, operators[i], order.command);
}

static void it_is_monday(struct scene *s)
{
    FILE *file = fopen(arena_printf(s->arena, "%s/clock", s->directory), "w");

    assert_non_null(file);
    (void)fputs("1763985600\n", file); /* 2025-11-24 12:00 UTC */
    assert_int_equal(fclose(file), 0);
}

static void while_it_waits_every_order_is_heeded(void **state)
{
    struct scene *s = *state;
    pid_t runs[WAITS], operators[WAITS];

    it_is_monday(s);
    for (size_t i = 0; i < WAITS; i++) {
        scene_make_numbers(s, name(s, i), ROWS);
        runs[i] = scene_start(s, "alter", name(s, i), "ADD COLUMN c int", waits[i].option, NULL);
    }
    for (size_t i = 0; i < WAITS; i++)
        await_words(s, name(s, i), waits[i].words, PATIENCE_MS);
    slowest_ms = 0;
    tell_all(s, (struct order){"pause", NULL});
    for (size_t i = 0; i < WAITS; i++)
        await_words(s, name(s, i), "paused by", PROMPT_MS);
    tell_all(s, (struct order){"set", "threads=1"});
    tell_all(s, (struct order){"unpause", NULL});
    for (size_t i = 0; i < WAITS; i++)
        await_words(s, name(s, i), waits[i].words, PROMPT_MS);
    printf("slowest reaction to an order while it waits: %d ms\n", (int)slowest_ms);

    const uint64_t began_ms = clock_ms();
    for (size_t i = 0; i < WAITS; i++)
        operators[i] = scene_start(s, "abort", name(s, i), NULL);
    for (size_t i = 0; i < WAITS; i++)
        awaits(s, runs[i], "by an operator");
    assert_in_range(clock_ms() - began_ms, 0, 2 * PROMPT_MS); /* that is for all of them */
    for (size_t i = 0; i < WAITS; i++) {
        assert_says(scene_wait(s, runs[i]), 6, "aborted by an operator");
        assert_exit(scene_wait(s, operators[i]), 0);
        assert_int_equal(scene_number(s, "SELECT SUM(v - id) + COUNT(*) FROM w%zu", i), ROWS);
    }
    assert_nothing_left(s, false);
}

/* Above all of them but a pause stands the word of an operator. */
static void while_it_waits_for_its_hour_the_word_is_above_it(void **state)
{
    struct scene *s = *state;
    pid_t runs[4];

    it_is_monday(s);
    for (size_t i = 0; i < ARRAY_SIZE(runs); i++) {
        scene_make_numbers(s, name(s, i), ROWS);
        runs[i] = scene_start(s, "alter", name(s, i), "ADD COLUMN c int", waits[i].option, NULL);
    }
    for (size_t i = 0; i < ARRAY_SIZE(runs); i++)
        await_words(s, name(s, i), waits[i].words, PATIENCE_MS);
    for (size_t i = 0; i < ARRAY_SIZE(runs); i++)
        assert_heeded(s, give(s, (struct order){"cutover", NULL}, name(s, i)), "cutover");
    for (size_t i = 0; i < ARRAY_SIZE(runs); i++) {
        assert_exit(scene_wait(s, runs[i]), 0);
        assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM w%zu WHERE c IS NULL", i), ROWS);
    }
}

/* Between two tries of the swap osc pauses for up to ten seconds, here at once for so long. */
static void an_order_is_a_reason_to_try_again(void **state)
{
    struct scene *s = *state;
    struct link reader = arrives(s);

    assert_int_equal(setenv("OSC_TUNE_CUTOVER_PAUSE_MS", "10000", 1), 0);
    scene_make_numbers(s, "t", ROWS);
    scene_hold(s, "cutover");
    const pid_t osc = scene_start(s, "alter", "t", "ADD COLUMN c int", NULL);
    scene_await(s, "cutover");
    does(&reader, "BEGIN");
    does(&reader, "SELECT * FROM t LIMIT 1");
    scene_release(s, "cutover");
    awaits(s, osc, "cutover attempt failed");
    does(&reader, "COMMIT");
    const uint64_t began_ms = clock_ms();
    set(s, "cutover-timeout=1h");
    assert_migrated(s, osc, ROWS);
    assert_in_range(clock_ms() - began_ms, 0, 3 * PROMPT_MS);
    link_close(&reader);
    assert_int_equal(unsetenv("OSC_TUNE_CUTOVER_PAUSE_MS"), 0);
}

/* ---- a statement that takes long ---- */

/* PostgreSQL computes an index's expression in ANALYZE, too. */
static void make_slow(struct scene *s, const char *how)
{
    scene_sql(s,
              "CREATE OR REPLACE FUNCTION public.slowly(v int) RETURNS int LANGUAGE plpgsql "
              "IMMUTABLE AS $$ BEGIN %s RETURN v; END $$",
              how);
}

static void keep_shadow_busy(struct scene *s, struct link *other)
{
    *other = arrives(s);
    if (s->is_postgres) {
        make_slow(s, "PERFORM pg_catalog.pg_sleep(1);");
    } else {
        does(other, "BEGIN");
        does(other, "SELECT * FROM t_osc_new LIMIT 1");
    }
}

/* The MySQL family waits two seconds for a lock: an abort would come too late on a busy machine. */
static void a_statement_that_takes_long_is_shown_and_ends_with_an_abort(void **state)
{
    static const struct {
        const char *point, *statement, *progress; /* as the server itself tells it */
    } cases[] = {
        {"before-indexes", "CREATE INDEX", "building index"},
        {"catch-up",       "VACUUM",       "analyze: "     },
    };
    struct scene *s = *state;
    const size_t n = s->is_postgres ? ARRAY_SIZE(cases) : 1;

    scene_make_numbers(s, "t", ROWS);
    for (size_t i = 0; i < n; i++) {
        struct link other;
        if (s->is_postgres) {
            make_slow(s, "");
            scene_sql(s, "CREATE INDEX IF NOT EXISTS slow ON t (public.slowly(v))");
        }
        scene_hold(s, cases[i].point);
        const pid_t osc = scene_start(s, "alter", "t", "ADD COLUMN c int", NULL);
        scene_await(s, cases[i].point);
        keep_shadow_busy(s, &other);
        scene_release(s, cases[i].point);
        scene_await_some(
            s, s->is_postgres
                   ? arena_printf(s->arena,
                                  "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = "
                                  "current_database() AND state = 'active' AND query LIKE '%s%%'",
                                  cases[i].statement)
                   : scene_waits(s));
        if (s->is_postgres)
            await_progress(s, arena_printf(s->arena, "\"server_words\":\"%s", cases[i].progress));
        const uint64_t began_ms = clock_ms();
        if (!s->is_postgres)
            assert_int_equal(kill(osc, SIGINT), 0);
        const pid_t operator= s->is_postgres ? scene_start(s, "abort", "t", NULL) : 0;
        assert_says(scene_wait(s, osc), 6, s->is_postgres ? "aborted by an operator" : "cancelled");
        const uint64_t took_ms = clock_ms() - began_ms;
        link_close(&other);
        assert_exit(operator? scene_wait(s, operator) : scene_osc(s, "abort", "t", NULL), 0);
        printf("%s ended after %d ms\n", cases[i].statement, (int)took_ms);
        assert_in_range(took_ms, 0, 3 * PROMPT_MS);
        assert_nothing_left(s, false);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)
#define QUICK(name) cmocka_unit_test_setup_teardown(name, open_quick, close_scene)
    const struct CMUnitTest tests[] = {
        QUICK(while_it_works_every_order_is_heeded),
        QUICK(more_threads_come_at_once),
        QUICK(limits_are_changed_on_the_way),
        QUICK(while_it_works_an_abort_is_obeyed),
        TEST(while_it_waits_every_order_is_heeded),
        TEST(while_it_waits_for_its_hour_the_word_is_above_it),
        TEST(an_order_is_a_reason_to_try_again),
        TEST(a_statement_that_takes_long_is_shown_and_ends_with_an_abort),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
