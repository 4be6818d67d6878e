/*
 * The log of a run: in a file that is moved away under it, line by line what a
 * program can read; and options from a config file.
 */
#include "tests/unit/unit.h"

#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "osc/base/clock.h"
#include "tests/support/scene.h"

static int open_scene(void **state)
{
    struct scene *s = scene_open("logs");

    scene_sql(s, "CREATE TABLE t (id int PRIMARY KEY, v int NOT NULL)");
    scene_sql(s, "INSERT INTO t VALUES (1, 1), (2, 2)");
    *state = s;
    return 0;
}

static int close_scene(void **state)
{
    scene_close(*state);
    return 0;
}

static const char *path_of(struct scene *s, const char *name)
{
    return arena_printf(s->arena, "/tmp/osc-%d-%s", getpid(), name);
}

static char *read_all(struct scene *s, FILE *file)
{
    AUTO(text) all = TEXT_INIT;
    char buffer[4096];
    size_t n;

    while (file && (n = fread(buffer, 1, sizeof buffer, file)) > 0)
        text_add_bytes(&all, buffer, n);
    return arena_string(s->arena, all.bytes);
}

static char *content_of(struct scene *s, const char *path)
{
    FILE *file = fopen(path, "r");
    char *content = read_all(s, file);

    if (file)
        assert_int_equal(fclose(file), 0);
    return content;
}

static void await_event(struct scene *s, const char *path, const char *event)
{
    const struct deadline until = deadline_in_ms(60000);
    const char *wanted = arena_printf(s->arena, "\"event\":\"%s\"", event);

    while (!strstr(content_of(s, path), wanted)) {
        if (deadline_passed(&until))
            fail_msg("%s does not tell of '%s'", path, event);
        assert_int_equal(usleep(10000), 0);
    }
}

static void assert_json_lines(char *lines)
{
    char *rest = NULL;

    for (char *line = strtok_r(lines, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        json_t *event = json_loads(line, 0, NULL);
        if (!json_string_value(json_object_get(event, "event")) ||
            !json_string_value(json_object_get(event, "time")))
            fail_msg("no event: %s", line);
        json_decref(event);
    }
}

static void a_log_file_may_be_moved_away_under_a_run(void **state)
{
    struct scene *s = *state;
    const char *log = path_of(s, "log"), *moved = path_of(s, "log.1");

    scene_hold(s, "copy");
    const pid_t osc = scene_start(s, "alter", "t", "ADD c int", "--log-file", log,
                                  "--log-format=json", "--log-level=debug", NULL);
    scene_await(s, "copy");
    assert_int_equal(rename(log, moved), 0);
    assert_int_equal(kill(osc, SIGHUP), 0);
    await_event(s, log, "log reopened");
    scene_release(s, "copy");
    struct outcome outcome = scene_wait(s, osc);
    assert_null(strstr(outcome.err, "swapped"));
    assert_exit(outcome, 0);
    await_event(s, moved, "step");
    await_event(s, log, "swapped");
    assert_json_lines(content_of(s, moved));
    assert_json_lines(content_of(s, log));
    assert_int_equal(unlink(log), 0);
    assert_int_equal(unlink(moved), 0);
}

static void a_failure_is_in_the_log_file_too(void **state)
{
    struct scene *s = *state;
    const char *log = path_of(s, "log");

    assert_says(
        scene_osc(s, "alter", "nowhere", "ADD c int", "--log-file", log, "--log-format=json", NULL),
        3, "nowhere");
    await_event(s, log, "failed");
    assert_non_null(strstr(content_of(s, log), "\"exit_code\":3"));
    assert_int_equal(unlink(log), 0);
}

/* systemd says in JOURNAL_STREAM which file is its journal: only that one gets priorities. */
static void only_a_journal_gets_priorities(void **state)
{
    static const char *const streams[] = {"$(stat -Lc %d:%i /proc/self/fd/2)", "1:1"};
    struct scene *s = *state;
    const char *log = path_of(s, "journal"), *binary = getenv("OSC_BINARY");

    for (size_t i = 0; i < ARRAY_SIZE(streams); i++) {
        const char *command = arena_printf(
            s->arena,
            "exec 2>%s; JOURNAL_STREAM=%s %s alter t 'ADD c%zu int' --after=drop --dsn '%s'", log,
            streams[i], binary, i, s->dsn);
        assert_int_equal(system(command), 0);
        const char *lines = content_of(s, log);
        assert_int_equal(strstr(lines, "<6>swapped table=t ") != NULL, i == 0);
        assert_non_null(strstr(lines, "swapped table=t "));
        assert_int_equal(unlink(log), 0);
    }
}

/* osc COMMAND, which nobody but the file tells where the server is. */
static const char *said_by(struct scene *s, const char *command, const char *file)
{
    FILE *pipe = popen(arena_printf(s->arena, "env -u OSC_DSN %s %s --config %s --target here 2>&1",
                                    getenv("OSC_BINARY"), command, file),
                       "r");

    assert_non_null(pipe);
    const char *said = read_all(s, pipe);
    assert_int_equal(pclose(pipe), 0);
    return said;
}

static void a_file_says_where_the_server_is(void **state)
{
    struct scene *s = *state;
    const char *path = path_of(s, "osc.conf");
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fprintf(file, "json = true\ntargets: {\n  here: { dsn = \"%s\" }\n}\n", s->dsn) >
                0);
    assert_int_equal(fclose(file), 0);
    /* Never the address itself, which may hold a password. */
    assert_non_null(strstr(said_by(s, "config", path), arena_printf(s->arena, "%s:3", path)));
    assert_null(strstr(said_by(s, "config", path), s->dsn));
    const char *table = said_by(s, "config --json=false", path);
    assert_non_null(strstr(table, arena_printf(s->arena, "%s: read\n", path)));
    assert_non_null(strstr(table, "OPTION"));
    assert_null(strstr(table, s->dsn));
    assert_non_null(strstr(said_by(s, "history", path), "[]"));
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)
    const struct CMUnitTest tests[] = {
        TEST(a_log_file_may_be_moved_away_under_a_run),
        TEST(a_failure_is_in_the_log_file_too),
        TEST(only_a_journal_gets_priorities),
        TEST(a_file_says_where_the_server_is),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
