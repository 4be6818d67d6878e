/*
 * What a migration shows to whoever watches it from outside, and clients that
 * mean no good.
 */
#include "tests/unit/unit.h"

#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "osc/base/cancel.h"
#include "osc/base/clock.h"
#include "tests/support/http.h"
#include "tests/support/listener.h"
#include "tests/support/scene.h"

enum { PATIENCE_MS = 30000, CROWD = 100 };

static int open_scene(void **state)
{
    *state = listener_scene("watch");
    return 0;
}

static int close_scene(void **state)
{
    (void)unsetenv("OSC_TUNE_WHOLE_MS");
    (void)unsetenv("OSC_TUNE_SILENCE_S");
    scene_close(*state);
    return 0;
}

/* ---- what the tests say ---- */

/* The value of the first sample that begins so; -1 when there is none. */
static double sample(const char *text, const char *name, const char *label)
{
    for (const char *line = text; *line;
         line += strcspn(line, "\n") + (strchr(line, '\n') != NULL)) {
        const size_t length = strcspn(line, "\n");
        const char *labels = line + strlen(name);
        if (strncmp(line, name, strlen(name)) != 0 || *labels != '{')
            continue;
        const char *found = strstr(line, label), *value = memrchr(line, ' ', length);
        if (found && value && found < value)
            return strtod(value, NULL);
    }
    return -1;
}

static void read_file(const char *path, struct text *text)
{
    char buffer[4096];
    size_t n;
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    text_clear(text);
    while ((n = fread(buffer, 1, sizeof buffer, file)) > 0)
        text_add_bytes(text, buffer, n);
    (void)fclose(file);
}

static json_t *status_of(struct listener run)
{
    AUTO(text) answer = TEXT_INIT;

    http_get(run.port, "/status.json", &answer);
    json_t *status = json_loads(http_body(&answer), 0, NULL);
    assert_non_null(status);
    return status;
}

static const char *string_of(const json_t *object, const char *name)
{
    const char *string = json_string_value(json_object_get(object, name));

    return string ? string : "";
}

/* What is shown is looked at twice a second. */
static json_t *await_step(struct listener run, const char *step)
{
    const struct deadline until = deadline_in_ms(PATIENCE_MS);
    json_t *status = status_of(run);

    while (strcmp(string_of(status, "step"), step) != 0 && !deadline_passed(&until)) {
        json_decref(status);
        (void)cancel_sleep_ms(NULL, 50);
        status = status_of(run);
    }
    assert_string_equal(string_of(status, "step"), step);
    return status;
}

/* ---- metrics ---- */

static void metrics_say_what_happens(void **state)
{
    struct scene *s = *state;
    const struct listener run = listener_hold(s, NULL);
    AUTO(text) answer = TEXT_INIT;

    http_get(run.port, "/metrics", &answer);
    assert_has(answer.bytes, "HTTP/1.1 200 OK");
    assert_has(answer.bytes, "text/plain; version=0.0.4");
    assert_true(sample(answer.bytes, "osc_rows_copied_total", "table=\"items\"") == 50);
    assert_true(sample(answer.bytes, "osc_migration_info", "id=\"1\"") == 1);
    assert_true(sample(answer.bytes, "osc_migration_step", "step=\"indexes\"") == 1);
    assert_true(sample(answer.bytes, "osc_migration_state", "state=\"running\"") == 1);
    assert_true(sample(answer.bytes, "osc_copy_chunk_duration_seconds_count", "") >= 1);
    assert_true(sample(answer.bytes, "osc_lock_attempts_total", "manner=\"ddl\"") >= 1);
    assert_true(sample(answer.bytes, "osc_heartbeat_timestamp_seconds", "") > 1e9);
    assert_null(strstr(answer.bytes, s->parsed.password ? s->parsed.password : "no password"));

    json_t *status = await_step(run, "indexes");
    assert_string_equal(string_of(status, "table"), "items");
    assert_int_equal(json_array_size(json_object_get(status, "step_names")), 9);
    assert_true(json_array_size(json_object_get(status, "events")) >= 5);
    json_decref(status);
    listener_end(s, run);
}

static void the_file_tells_how_it_ended(void **state)
{
    struct scene *s = *state;
    char path[300], command[400];
    AUTO(text) text = TEXT_INIT;
    AUTO(text) said = TEXT_INIT;

    (void)snprintf(path, sizeof path, "%s/osc.prom", s->directory);
    (void)snprintf(command, sizeof command, "promtool check metrics <%s 2>&1", path);
    const struct listener run = listener_hold(s, path);
    read_file(path, &text);
    assert_true(sample(text.bytes, "osc_migration_state", "state=\"running\"") == 1);
    listener_end(s, run);
    read_file(path, &text);
    assert_true(sample(text.bytes, "osc_migration_state", "state=\"done\"") == 1);
    assert_true(sample(text.bytes, "osc_cutover_stall_seconds_count", "") >= 1);
    assert_true(sample(text.bytes, "osc_verifications_total", "outcome=\"equal\"") == 1);
    assert_true(sample(text.bytes, "osc_rows_verified_total", "") == 50);
    if (run_program(command, &said) != 0)
        fail_msg("promtool (package prometheus) objects: %s", said.bytes);
}

/* A run that writes its metrics to `path`, and stands still where `step` begins. */
static pid_t held_at(struct scene *s, const char *step, const char **path)
{
    *path = arena_printf(s->arena, "%s/osc.prom", s->directory);
    scene_hold(s, step);
    const pid_t pid =
        scene_start(s, "alter", "items", "ADD COLUMN c int", "--metrics-file", *path, NULL);
    scene_await(s, step);
    return pid;
}

static void a_divergence_is_counted(void **state)
{
    struct scene *s = *state;
    const char *path;
    AUTO(text) text = TEXT_INIT;

    const pid_t pid = held_at(s, "verify", &path);
    scene_sql(s, "UPDATE items_osc_new SET name = 'spoilt' WHERE id IN (7, 8)");
    scene_release(s, "verify");
    assert_exit(scene_wait(s, pid), 4);
    read_file(path, &text);
    assert_true(sample(text.bytes, "osc_verify_rows_differing_total", "") == 2);
    assert_true(sample(text.bytes, "osc_verifications_total", "outcome=\"different\"") == 1);
    assert_true(sample(text.bytes, "osc_migration_state", "state=\"failed\"") == 1);
}

static void errors_of_the_server_are_counted(void **state)
{
    struct scene *s = *state;
    const char *path;
    AUTO(text) text = TEXT_INIT;

    const pid_t pid = held_at(s, "copy", &path);
    scene_sql(s, "DROP TABLE items_osc_new");
    scene_release(s, "copy");
    struct outcome outcome = scene_wait(s, pid);
    assert_int_not_equal(outcome.status, 0);
    outcome_free(&outcome);
    read_file(path, &text);
    assert_true(sample(text.bytes, "osc_sql_errors_total", "kind=\"missing\"") >= 1);
}

/* ---- before anything is changed ---- */

static void a_port_that_is_taken_changes_nothing(void **state)
{
    struct scene *s = *state;
    const struct listener run = listener_hold(s, NULL);
    char address[40];

    (void)snprintf(address, sizeof address, "%u", run.port);
    scene_sql(s, "CREATE TABLE other (id int PRIMARY KEY)");
    assert_says(
        scene_osc(s, "alter", "other", "ADD COLUMN c int", "--metrics-listen", address, NULL), 1,
        "cannot listen on");
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM osc_state"), 1);
    assert_says(
        scene_osc(s, "alter", "other", "ADD COLUMN c int", "--metrics-listen", "a:b:c", NULL), 2,
        "is not an address");
    assert_says(scene_osc(s, "alter", "other", "ADD COLUMN c int", "--metrics-file",
                          "/nowhere/osc.prom", NULL),
                1, "/nowhere/osc.prom");
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM osc_state"), 1);
    listener_end(s, run);
}

static void a_unix_socket_serves_as_well(void **state)
{
    struct scene *s = *state;
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    char address[300];
    AUTO(text) answer = TEXT_INIT;
    static const char request[] = "GET /metrics HTTP/1.0\r\n\r\n";

    (void)snprintf(un.sun_path, sizeof un.sun_path, "%.90s/s", s->directory);
    (void)snprintf(address, sizeof address, "unix:%s", un.sun_path);
    scene_hold(s, "copy");
    const pid_t pid =
        scene_start(s, "alter", "items", "ADD COLUMN c int", "--metrics-listen", address, NULL);
    scene_await(s, "copy");
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&un, sizeof un), 0);
    assert_true(http_send(fd, request, strlen(request)));
    assert_true(http_drain(fd, PATIENCE_MS, &answer));
    assert_has(answer.bytes, "osc_migration_info{");
    scene_release(s, "copy");
    assert_exit(scene_wait(s, pid), 0);
    assert_int_equal(access(un.sun_path, F_OK), -1);
}

/* ---- clients that mean no good ---- */

static void assert_serves(struct listener run)
{
    AUTO(text) answer = TEXT_INIT;

    http_get(run.port, "/metrics", &answer);
    assert_has(answer.bytes, "200 OK");
}

static void it_is_only_to_be_read(void **state)
{
    static const struct {
        const char *request, *answer;
    } asked[] = {
        {"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc",    " 405 "},
        {"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\nabc", " 405 "},
        {"DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\n",                                 " 405 "},
        {"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",                                " 405 "},
        {"GET /abort HTTP/1.1\r\nHost: localhost\r\n\r\n",                               " 404 "},
        {"GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",                    " 404 "},
        {"GET /metrics/ HTTP/1.1\r\nHost: localhost\r\n\r\n",                            " 404 "},
        {"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",                                 " 403 "},
        {"GET /status.json HTTP/1.1\r\nHost: evil.example:80\r\n\r\n",                   " 403 "},
        {"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",                                     " 200 "},
        {"GET / HTTP/1.0\r\n\r\n",                                                       " 200 "},
        {"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n",                                   " 200 "},
    };
    struct scene *s = *state;
    const struct listener run = listener_hold(s, NULL);

    for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
        AUTO(text) answer = TEXT_INIT;
        http_ask(run.port, asked[i].request, &answer);
        if (!strstr(answer.bytes, asked[i].answer) ||
            strstr(answer.bytes, asked[i].answer) > strchr(answer.bytes, '\n'))
            fail_msg("not%sto:\n%s\nbut:\n%s", asked[i].answer, asked[i].request, answer.bytes);
        assert_has(answer.bytes, "Content-Security-Policy: default-src 'none'");
        if (strncmp(asked[i].request, "HEAD", 4) == 0)
            assert_string_equal(http_body(&answer), "");
    }
    assert_serves(run);
    listener_end(s, run);
}

static void nonsense_is_survived(void **state)
{
    struct scene *s = *state;
    static char bytes[1 << 20];
    unsigned seed = 1;

    assert_int_equal(setenv("OSC_TUNE_SILENCE_S", "1", 1), 0);
    const struct listener run = listener_hold(s, NULL);
    for (unsigned round = 0; round < 30; round++) {
        AUTO(text) answer = TEXT_INIT;
        const int connection = http_connect(run.port);
        memset(bytes, round % 3 ? 'x' : '\n', sizeof bytes);
        for (size_t i = 0; round % 4 == 0 && i < sizeof bytes; i++)
            bytes[i] = (char)rand_r(&seed);
        /* An endless line, an endless head, an endless path, or nothing that makes sense. */
        if (round % 5 == 1)
            memcpy(bytes, "GET /", 5);
        else if (round % 5 == 2)
            memcpy(bytes, "GET / HTTP/1.1\r\nHost: localhost\r\nX: ", 36);
        else if (round % 5 == 3)
            memcpy(bytes, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n",
                   60);
        (void)http_send(connection, bytes, round % 2 ? sizeof bytes : 4000 + round);
        (void)shutdown(connection, SHUT_WR);
        if (!http_drain(connection, PATIENCE_MS, &answer))
            fail_msg("round %u: the connection stays open", round);
    }
    assert_serves(run);
    listener_end(s, run);
}

static unsigned long resident_pages(pid_t pid)
{
    unsigned long size = 0, resident = 0;
    char path[60];

    (void)snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%lu %lu", &size, &resident), 2);
    (void)fclose(file);
    return resident;
}

/* More connections than there are places, each of which says a little every now and then. */
static void a_crowd_of_slow_clients_is_sent_away(void **state)
{
    struct scene *s = *state;
    int crowd[CROWD];
    static const char head[] = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-Slow: ";

    assert_int_equal(setenv("OSC_TUNE_WHOLE_MS", "1000", 1), 0);
    const struct listener run = listener_hold(s, NULL);
    assert_serves(run);
    const unsigned long before = resident_pages(run.pid);
    for (unsigned i = 0; i < CROWD; i++) {
        crowd[i] = http_connect(run.port);
        (void)http_send(crowd[i], head, strlen(head));
    }
    const struct deadline until = deadline_in_ms(2000);
    while (!deadline_passed(&until)) {
        for (unsigned i = 0; i < CROWD; i++)
            (void)http_send(crowd[i], "x", 1);
        (void)cancel_sleep_ms(NULL, 50);
    }
    const unsigned long after = resident_pages(run.pid);
    if (after > before + 8000)
        fail_msg("memory has grown from %lu to %lu pages", before, after);
    /* Somebody honest gets his turn, and the migration is not kept waiting. */
    json_decref(status_of(run));
    listener_end(s, run);
    for (unsigned i = 0; i < CROWD; i++)
        (void)close(crowd[i]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)
    const struct CMUnitTest tests[] = {
        TEST(metrics_say_what_happens),
        TEST(the_file_tells_how_it_ended),
        TEST(a_divergence_is_counted),
        TEST(errors_of_the_server_are_counted),
        TEST(a_port_that_is_taken_changes_nothing),
        TEST(a_unix_socket_serves_as_well),
        TEST(it_is_only_to_be_read),
        TEST(nonsense_is_survived),
        TEST(a_crowd_of_slow_clients_is_sent_away),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
