/*
 * What makes osc work less, and rest: a replica that lags, and what an operator
 * says by file, query or HTTP.
 */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "osc/base/cancel.h"
#include "osc/base/clock.h"
#include "tests/support/pair.h"
#include "tests/support/pulse.h"
#include "tests/support/scene.h"

enum { PATIENCE_MS = 20000, ROWS = 100000, LIMIT_MS = 1000 };

static struct pair *pair;

static int start_pair(void **state)
{
    (void)state;
    pair = pair_start();
    return 0;
}

static int stop_pair(void **state)
{
    (void)state;
    pair_stop(pair);
    return 0;
}

static int open_scene(void **state)
{
    *state = scene_open("throttle");
    return 0;
}

static int close_scene(void **state)
{
    pair_slow_down(pair, 100);
    scene_close(*state);
    return 0;
}

static void fill_t(struct scene *s, unsigned rows)
{
    scene_sql(s, "CREATE TABLE t (id int PRIMARY KEY, v varchar(200) NOT NULL)");
    scene_sql(s, "INSERT INTO t VALUES (1, '%0100d')", 7);
    for (unsigned n = 1; n < rows; n *= 2)
        scene_sql(s, "INSERT INTO t SELECT id + %u, v FROM t WHERE id + %u <= %u", n, n, rows);
}

/* ---- what osc status says ---- */

static char *status_of(struct scene *s)
{
    struct outcome status = scene_osc(s, "status", "--json", NULL);

    assert_int_equal(status.status, 0);
    free(status.err);
    return status.out;
}

static bool status_has(struct scene *s, const char *words)
{
    char *status = status_of(s);
    const bool has = strstr(status, words) != NULL;

    free(status);
    return has;
}

static void await_status(struct scene *s, const char *words)
{
    const struct deadline until = deadline_in_ms(PATIENCE_MS);

    while (!status_has(s, words)) {
        if (deadline_passed(&until))
            fail_msg("osc status never says %s:\n%s", words, status_of(s));
        (void)cancel_sleep_ms(NULL, 50);
    }
}

/* Holds the copy until osc says why it rests; then the copy does not begin. */
static pid_t start_and_await_rest(struct scene *s, const char *option, const char *reason)
{
    AUTO(text) words = TEXT_INIT;

    fill_t(s, 10);
    scene_hold(s, "copy");
    const pid_t run = scene_start(s, "alter", "t", "ADD COLUMN c int", option, NULL);
    scene_await(s, "copy");
    text_printf(&words, "\"reason\":\"%s\"", reason);
    await_status(s, "\"duty_percent\":0");
    await_status(s, words.bytes);
    scene_release(s, "copy");
    (void)cancel_sleep_ms(NULL, 300); /* long enough for ten rows */
    assert_true(status_has(s, "\"step\":\"copy\""));
    return run;
}

/* ---- the lag of a replica ---- */

struct lag_seen {
    uint64_t worst_ms, copied_ms, applied_ms; /* until all was copied, and until it was applied */
    bool was_throttled;
};

static void trace(struct scene *s, struct pulse *pulse, uint64_t since_ms)
{
    if (getenv("OSC_TEST_TRACE"))
        print_message("%5lu ms  lag %4lu ms  %s\n", (unsigned long)(clock_ms() - since_ms),
                      (unsigned long)pulse_now_ms(pulse),
                      scene_value(s, "SELECT progress FROM osc_state ORDER BY id DESC LIMIT 1"));
}

/* The copy of the filled table, watched by a lag that osc does not measure. */
static struct lag_seen alter_watching(struct scene *s, struct pulse *pulse, const char *clauses,
                                      const char *limit)
{
    struct lag_seen seen = {.worst_ms = 0};

    scene_hold(s, "copy");
    scene_hold(s, "before-indexes");
    const pid_t run =
        scene_start(s, "alter", "t", clauses, limit, "--verify=none", "--after=drop", NULL);
    scene_await(s, "copy");
    while (pulse_now_ms(pulse) > 200) /* the shadow's DDL has to be applied, too */
        (void)cancel_sleep_ms(NULL, 10);
    const uint64_t started = clock_ms();
    (void)pulse_worst_ms(pulse);
    scene_release(s, "copy");
    while (!scene_has_reached(s, "before-indexes")) {
        seen.was_throttled |= status_has(s, "a replica ");
        trace(s, pulse, started);
        (void)cancel_sleep_ms(NULL, 200);
    }
    seen.copied_ms = clock_ms() - started;
    while (pulse_now_ms(pulse) > 200)
        (void)cancel_sleep_ms(NULL, 10);
    seen.applied_ms = clock_ms() - started;
    seen.worst_ms = pulse_worst_ms(pulse);
    scene_release(s, "before-indexes");
    pair_slow_down(pair, 100);
    assert_exit(scene_wait(s, run), 0);
    return seen;
}

static void tell_lag(const char *how, unsigned rows, const struct lag_seen *seen)
{
    print_message("%s: lag %lu ms at most; copied %lu, applied %lu rows/s\n", how,
                  (unsigned long)seen->worst_ms, (unsigned long)(rows * 1000UL / seen->copied_ms),
                  (unsigned long)(rows * 1000UL / seen->applied_ms));
}

/* OSC_TEST_LAG_ROWS=2000000 for figures. */
static void the_lag_of_a_slow_replica_stays_under_its_limit(void **state)
{
    struct scene *s = *state;
    const char *wished = getenv("OSC_TEST_LAG_ROWS"), *brake = getenv("OSC_TEST_BRAKE");
    const unsigned slow = brake ? (unsigned)atoi(brake) : s->is_postgres ? 4 : 10;
    const unsigned rows = wished ? (unsigned)atoi(wished) : ROWS;

    fill_t(s, rows);
    struct pulse *pulse = pulse_start(s, pair);
    pair_slow_down(pair, slow);
    const struct lag_seen limited = alter_watching(s, pulse, "ADD COLUMN c int", "--max-lag=1s");
    tell_lag("with a limit of 1 s", rows, &limited);
    if (wished) {
        pair_slow_down(pair, slow);
        const struct lag_seen free = alter_watching(s, pulse, "DROP COLUMN c", "--max-lag=off");
        tell_lag("without a limit", rows, &free);
    }
    pulse_stop(pulse);
    assert_true(limited.was_throttled);
    /* On a quiet machine it stays under the limit; others take time from replica and osc here. */
    assert_in_range(limited.worst_ms, 1, 4 * LIMIT_MS);
}

static uint64_t rows_copied(struct scene *s)
{
    const char *progress = scene_value(s, "SELECT progress FROM osc_state");
    const char *found = strstr(progress, "\"rows_copied\":");

    return found ? strtoul(strchr(found, ':') + 1, NULL, 10) : 0;
}

/* Slow enough to be stopped on the way: many small chunks. */
static pid_t start_a_slow_copy(struct scene *s)
{
    assert_int_equal(setenv("OSC_TUNE_CHUNK", s->is_postgres ? "2" : "20", 1), 0);
    assert_int_equal(setenv("OSC_TUNE_BEAT_MS", "50", 1), 0);
    scene_hold(s, "copy");
    const pid_t run = scene_start(s, "alter", "t", "ADD COLUMN c int", "--max-lag=1s", NULL);
    scene_await(s, "copy");
    scene_release(s, "copy");
    assert_int_equal(unsetenv("OSC_TUNE_CHUNK"), 0);
    assert_int_equal(unsetenv("OSC_TUNE_BEAT_MS"), 0);
    return run;
}

/* Nothing is applied there any more, from one moment to the next. */
static void a_spike_of_the_lag_stops_the_copy(void **state)
{
    enum { STILL_MS = 1500 };
    struct scene *s = *state;
    uint64_t copied = 0, moved_ms, late_ms = 0;

    fill_t(s, ROWS);
    struct pulse *pulse = pulse_start(s, pair);
    const pid_t run = start_a_slow_copy(s);
    while (!rows_copied(s))
        (void)cancel_sleep_ms(NULL, 10);
    pair_apply(pair, "stop");
    const uint64_t stopped_ms = moved_ms = clock_ms();
    const struct deadline until = deadline_in_ms(PATIENCE_MS);
    while (!late_ms || clock_ms() - moved_ms < STILL_MS) {
        const uint64_t now = rows_copied(s);
        if (now != copied)
            moved_ms = clock_ms();
        copied = now;
        if (!late_ms && pulse_now_ms(pulse) > LIMIT_MS)
            late_ms = clock_ms();
        if (deadline_passed(&until))
            fail_msg("it goes on copying: %lu rows", (unsigned long)copied);
    }
    print_message("stopped: over the limit after %ld ms, the last row copied after %ld ms\n",
                  (long)(late_ms - stopped_ms), (long)(moved_ms - stopped_ms));
    assert_in_range(copied, 1, ROWS - 1);
    assert_true(moved_ms < late_ms + 3000);
    pair_apply(pair, "go");
    pulse_stop(pulse);
    assert_exit(scene_osc(s, "abort", "t", NULL), 0);
    assert_says(scene_wait(s, run), 6, "aborted");
}

static void a_replica_that_cannot_be_asked_counts_as_lagging(void **state)
{
    struct scene *s = *state;
    const pid_t run =
        start_and_await_rest(s,
                             scene_pick(s, "--replica=postgres://nobody@127.0.0.1:1/x",
                                        "--replica=mysql://nobody@127.0.0.1:1/x"),
                             "a replica lags");

    assert_exit(scene_osc(s, "abort", "t", NULL), 0);
    assert_says(scene_wait(s, run), 6, "aborted");
}

static void a_replica_that_is_named_is_asked_for_the_heartbeat(void **state)
{
    struct scene *s = *state;
    AUTO(text) option = TEXT_INIT;

    fill_t(s, 10);
    /* There, too, a database is to be named on PostgreSQL: the heartbeat is in it. */
    const char *place = pair->replica_dsn, *database = strrchr(s->dsn, '/');
    text_printf(&option, "--replica=%.*s%s", (int)(strrchr(place, '/') - place), place, database);
    scene_hold(s, "before-indexes");
    const pid_t run = scene_start(s, "alter", "t", "ADD COLUMN c int", option.bytes, NULL);
    scene_await(s, "before-indexes");
    await_status(s, "\"replicas_unknown\":0");
    scene_release(s, "before-indexes");
    assert_exit(scene_wait(s, run), 0);
}

/* ---- what an operator says ---- */

static void rests_while_the_flag_file_exists(void **state)
{
    struct scene *s = *state;
    AUTO(text) option = TEXT_INIT;
    char file[300];

    (void)snprintf(file, sizeof file, "%s/flag", s->directory);
    text_printf(&option, "--throttle-flag-file=%s", file);
    FILE *flag = fopen(file, "w");
    assert_non_null(flag);
    (void)fclose(flag);
    const pid_t run = start_and_await_rest(s, option.bytes, "the flag file is there");
    assert_int_equal(unlink(file), 0);
    assert_exit(scene_wait(s, run), 0);
}

static void rests_while_the_query_says_so(void **state)
{
    struct scene *s = *state;

    scene_sql(s, "CREATE TABLE stop (a int)");
    scene_sql(s, "INSERT INTO stop VALUES (1)");
    const char *query = scene_pick(s, "--throttle-query=SELECT COUNT(*) FROM public.stop",
                                   "--throttle-query=SELECT COUNT(*) FROM stop");
    const pid_t run = start_and_await_rest(s, query, "--throttle-query says so");
    scene_sql(s, "DELETE FROM stop");
    assert_exit(scene_wait(s, run), 0);
}

/* One that fails tells nothing: the work waits. */
static void rests_while_the_query_fails(void **state)
{
    struct scene *s = *state;
    const char *query = scene_pick(s, "--throttle-query=SELECT a FROM public.not_yet",
                                   "--throttle-query=SELECT a FROM not_yet");
    const pid_t run = start_and_await_rest(s, query, "--throttle-query says so");

    scene_sql(s, "CREATE TABLE not_yet (a int)");
    assert_exit(scene_wait(s, run), 0);
}

static const char *_Atomic http_answer;

static void *serve_http(void *argument)
{
    const int listening = *(const int *)argument;

    for (;;) {
        char request[2000];
        const int peer = accept(listening, NULL, NULL);
        if (peer < 0)
            return NULL;
        const char *answer = atomic_load(&http_answer);
        (void)!read(peer, request, sizeof request);
        (void)!write(peer, answer, strlen(answer));
        (void)close(peer);
    }
}

static void rests_until_the_endpoint_answers_2xx(void **state)
{
    struct scene *s = *state;
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof place;
    AUTO(text) option = TEXT_INIT;
    pthread_t server;

    atomic_store(&http_answer, "HTTP/1.1 503 Busy\r\nConnection: close\r\n\r\n");
    int listening = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listening, (struct sockaddr *)&place, sizeof place), 0);
    assert_int_equal(listen(listening, 10), 0);
    assert_int_equal(getsockname(listening, (struct sockaddr *)&place, &length), 0);
    assert_int_equal(pthread_create(&server, NULL, serve_http, &listening), 0);
    text_printf(&option, "--throttle-http=http://127.0.0.1:%u/may-it", ntohs(place.sin_port));
    const pid_t run = start_and_await_rest(s, option.bytes, "--throttle-http says so");
    atomic_store(&http_answer, "HTTP/1.1 204 Go on\r\nConnection: close\r\n\r\n");
    assert_exit(scene_wait(s, run), 0);
    (void)shutdown(listening, SHUT_RDWR);
    (void)pthread_join(server, NULL);
    (void)close(listening);
}

/* Every signal of this server that has a default limit is read, and shown with it. */
static void the_signals_are_shown(void **state)
{
    struct scene *s = *state;

    fill_t(s, 10);
    scene_hold(s, "before-indexes");
    const pid_t run = scene_start(s, "alter", "t", "ADD COLUMN c int", "--max-load=1000",
                                  "--max-wal-rate=1GiB", "--max-checkpoint-age=90%", NULL);
    scene_await(s, "before-indexes");
    static const char *const everywhere[] = {"replica lag", "commit",       "load",
                                             "lock waits",  "disk reserve", "checkpoint age"};
    static const char *const postgres[] = {"active sessions", "WAL rate"};
    static const char *const mysql[] = {"running threads", "history list"};
    for (size_t i = 0; i < ARRAY_SIZE(everywhere); i++)
        await_status(s, everywhere[i]);
    for (size_t i = 0; s->is_postgres && i < ARRAY_SIZE(postgres); i++)
        await_status(s, postgres[i]);
    for (size_t i = 0; !s->is_postgres && i < ARRAY_SIZE(mysql); i++)
        await_status(s, mysql[i]);
    assert_false(status_has(s, "flow control")); /* no Galera here */
    scene_release(s, "before-indexes");
    assert_exit(scene_wait(s, run), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_signals_are_shown),
        TEST(the_lag_of_a_slow_replica_stays_under_its_limit),
        TEST(a_spike_of_the_lag_stops_the_copy),
        TEST(a_replica_that_cannot_be_asked_counts_as_lagging),
        TEST(a_replica_that_is_named_is_asked_for_the_heartbeat),
        TEST(rests_while_the_flag_file_exists),
        TEST(rests_while_the_query_says_so),
        TEST(rests_while_the_query_fails),
        TEST(rests_until_the_endpoint_answers_2xx),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, start_pair, stop_pair);
}
