#include "tests/support/scene.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "osc/base/clock.h"
#include "osc/db/dialect.h"
#include "osc/db/server.h"
#include "tests/unit/unit.h"

enum { PATIENCE_MS = 60000, MOST_ARGUMENTS = 32 };

static void nap(void)
{
    const struct timespec pause = {.tv_nsec = 5000000};

    (void)nanosleep(&pause, NULL);
}

/* URL of the scene's own database on the server. */
static void name_database(struct scene *scene, const char *server, const char *name)
{
    const char *path = strstr(server, "://");
    const size_t authority = (size_t)(path + 3 - server) + strcspn(path + 3, "/?");
    const char *query = strchr(server, '?');

    (void)snprintf(scene->dsn, sizeof scene->dsn, "%.*s/%s%s", (int)authority, server, name,
                   query ? query : "");
}

static void must(bool good, const struct error *err)
{
    if (!good)
        fail_msg("%s", err->text);
}

static void enter_database(struct scene *scene, const char *server, const char *name)
{
    struct error err = ERROR_INIT;

    name_database(scene, server, name);
    must(dsn_parse(&scene->parsed, scene->dsn, scene->arena, &err), &err);
    scene->db = db_open(&scene->parsed, "test", &err);
    must(scene->db, &err);
    if (scene->is_postgres)
        scene_sql(scene, "SET search_path = public");
}

void scene_move(struct scene *scene, const char *server)
{
    struct error err = ERROR_INIT;
    const char *name = strrchr(scene->dsn, '/') + 1;

    db_close(scene->db);
    must(dsn_parse(&scene->server, server, scene->arena, &err), &err);
    enter_database(scene, server,
                   arena_printf(scene->arena, "%.*s", (int)strcspn(name, "?"), name));
}

struct scene *scene_open(const char *name)
{
    const char *server = getenv("OSC_TEST_DSN");
    struct error err = ERROR_INIT;
    struct scene *scene = must_alloc(sizeof *scene);
    char database[64];

    /* Side by side and without rests, whatever else is at work on the server. */
    (void)setenv("OSC_THREADS", "2", 0);
    if (!server)
        fail_msg("OSC_TEST_DSN is not set: run this test through tests/support/on-server");
    scene->arena = arena_new();
    must(dsn_parse(&scene->server, server, scene->arena, &err), &err);
    scene->is_postgres = scene->server.dialect == &postgres_dialect;
    (void)snprintf(database, sizeof database, "%s_%d", name, (int)getpid());
    struct db *admin = db_open(&scene->server, "test", &err);
    must(admin, &err);
    const char *drop = arena_printf(scene->arena, "DROP DATABASE IF EXISTS %s", database);
    const char *create = arena_printf(scene->arena, "CREATE DATABASE %s", database);
    must(db_exec(admin, drop, NULL, &err) && db_exec(admin, create, NULL, &err), &err);
    db_close(admin);
    (void)snprintf(scene->schema, sizeof scene->schema, "%s",
                   scene->is_postgres ? "public" : database);
    enter_database(scene, server, database);
    (void)snprintf(scene->directory, sizeof scene->directory, "/tmp/osc-scene-XXXXXX");
    assert_non_null(mkdtemp(scene->directory));
    return scene;
}

void scene_close(struct scene *scene)
{
    struct error err = ERROR_INIT;
    const char *database = strrchr(scene->dsn, '/') + 1;

    db_close(scene->db);
    struct db *admin = db_open(&scene->server, "test", &err);
    must(admin, &err);
    const char *drop =
        arena_printf(scene->arena, "DROP DATABASE %.*s%s", (int)strcspn(database, "?"), database,
                     scene->is_postgres ? " WITH (FORCE)" : "");
    (void)!db_exec(admin, drop, NULL, &err);
    db_close(admin);
    AUTO(text) remove = TEXT_INIT;
    text_printf(&remove, "rm -rf '%s'", scene->directory);
    (void)!system(remove.bytes);
    arena_free(scene->arena);
    free(scene);
}

const char *scene_pick(const struct scene *scene, const char *postgres, const char *mysql)
{
    return scene->is_postgres ? postgres : mysql;
}

/* ---- SQL ---- */

PRINTF(2, 0)
static const char *format_sql(struct scene *scene, const char *format, va_list args)
{
    char *statement = NULL;

    if (vasprintf(&statement, format, args) < 0)
        fail_msg("out of memory");
    const char *copy = arena_string(scene->arena, statement);
    free(statement);
    return copy;
}

void scene_sql(struct scene *scene, const char *format, ...)
{
    struct error err = ERROR_INIT;
    va_list args;

    va_start(args, format);
    const char *statement = format_sql(scene, format, args);
    va_end(args);
    if (!db_exec(scene->db, statement, NULL, &err))
        fail_msg("%s: %s", statement, err.text);
}

void scene_script(struct scene *scene, const char *statements)
{
    char *rest = arena_string(scene->arena, statements);

    for (char *one; (one = strsep(&rest, ";"));)
        scene_sql(scene, "%s", one);
}

void scene_make_numbers(struct scene *scene, const char *table, unsigned rows)
{
    AUTO(text) values = TEXT_INIT;

    scene_sql(scene, "CREATE TABLE %s (id int PRIMARY KEY, v int NOT NULL)", table);
    scene_sql(scene, "CREATE INDEX %s_v ON %s (v)", table, table);
    for (unsigned i = 1; i <= rows; i++)
        text_printf(&values, "%s(%u, %u)", i > 1 ? ", " : "", i, i);
    scene_sql(scene, "INSERT INTO %s VALUES %s", table, values.bytes);
}

bool scene_try_sql(struct scene *scene, const char *statement)
{
    struct error err = ERROR_INIT;

    return db_exec(scene->db, statement, NULL, &err);
}

const char *scene_value(struct scene *scene, const char *format, ...)
{
    struct error err = ERROR_INIT;
    const char *value = NULL;
    va_list args;

    va_start(args, format);
    const char *statement = format_sql(scene, format, args);
    va_end(args);
    if (!db_value(scene->db, scene->arena, &value, statement, &err))
        fail_msg("%s: %s", statement, err.text);
    return value ? value : "";
}

uint64_t scene_number(struct scene *scene, const char *format, ...)
{
    struct error err = ERROR_INIT;
    uint64_t value = 0;
    va_list args;

    va_start(args, format);
    const char *statement = format_sql(scene, format, args);
    va_end(args);
    if (!db_value_u64(scene->db, &value, statement, &err))
        fail_msg("%s: %s", statement, err.text);
    return value;
}

const char *scene_waits(const struct scene *scene)
{
    return db_facts(scene->db)->lists_processes_well
               ? "SELECT COUNT(*) FROM performance_schema.processlist WHERE DB = DATABASE() AND "
                 "STATE = 'Waiting for table metadata lock'"
               : "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND "
                 "STATE = 'Waiting for table metadata lock'";
}

void scene_await_some(struct scene *scene, const char *query)
{
    const struct deadline until = deadline_in_ms(PATIENCE_MS);
    /* InnoDB refreshes what it tells of waits only when it was not asked for a tenth of a second.
     */
    const struct timespec pause = {.tv_nsec = 150000000};

    while (!scene_number(scene, "%s", query)) {
        if (deadline_passed(&until))
            fail_msg("nothing is found by: %s", query);
        (void)nanosleep(&pause, NULL);
    }
}

/* ---- osc ---- */

/* The environment of the next osc: ours and up to three more.  The caller frees the array. */
static char **environment(const struct scene *scene)
{
    static char failpoints[300], fault[300], mutant[300];
    size_t n = 0;

    while (environ[n])
        n++;
    char **all = must_alloc((n + 4) * sizeof *all);
    memcpy(all, environ, n * sizeof *all);
    (void)snprintf(failpoints, sizeof failpoints, "OSC_FAILPOINTS=%s", scene->directory);
    all[n++] = failpoints;
    if (scene->fault) {
        (void)snprintf(fault, sizeof fault, "OSC_FAULT=%s", scene->fault);
        all[n++] = fault;
    }
    if (scene->mutant) {
        (void)snprintf(mutant, sizeof mutant, "OSC_MUTANT=%s", scene->mutant);
        all[n++] = mutant;
    }
    return all;
}

static void output_path(const struct scene *scene, pid_t pid, const char *ending, char path[300])
{
    (void)snprintf(path, 300, "%s/%d.%s", scene->directory, (int)pid, ending);
}

/*
 * Spawned, not forked: a copy of a process with threads may not even allocate
 * memory, which the sanitizers' allocator takes seriously.
 */
static pid_t start(struct scene *scene, const char *command, va_list args)
{
    static const char *const endings[] = {"out", "err"};
    const char *argv[MOST_ARGUMENTS] = {"osc", command};
    const char *binary = getenv("OSC_BINARY") ? getenv("OSC_BINARY") : "osc";
    posix_spawn_file_actions_t files;
    char before[300], after[300];
    size_t n = 2;
    pid_t pid = 0;

    while ((argv[n] = va_arg(args, const char *)))
        if (++n == MOST_ARGUMENTS - 3)
            fail_msg("too many arguments");
    argv[n++] = "--dsn";
    argv[n++] = scene->dsn;
    argv[n] = NULL;
    (void)posix_spawn_file_actions_init(&files);
    for (int i = 0; i < 2; i++) {
        output_path(scene, 0, endings[i], before);
        (void)posix_spawn_file_actions_addopen(&files, STDOUT_FILENO + i, before,
                                               O_CREAT | O_WRONLY | O_TRUNC, 0600);
    }
    char **env = environment(scene);
    const int trouble =
        posix_spawn(&pid, binary, &files, NULL, (char *const *)(uintptr_t)argv, env);
    free(env);
    (void)posix_spawn_file_actions_destroy(&files);
    if (trouble)
        fail_msg("%s: %s", binary, strerror(trouble));
    for (int i = 0; i < 2; i++) {
        output_path(scene, 0, endings[i], before);
        output_path(scene, pid, endings[i], after);
        (void)rename(before, after);
    }
    return pid;
}

pid_t scene_start(struct scene *scene, const char *command, ...)
{
    va_list args;

    va_start(args, command);
    const pid_t pid = start(scene, command, args);
    va_end(args);
    return pid;
}

static char *read_file(const struct scene *scene, pid_t pid, const char *ending)
{
    char path[300];
    AUTO(text) text = TEXT_INIT;
    char buffer[4096];
    size_t n;

    output_path(scene, pid, ending, path);
    FILE *file = fopen(path, "r");
    if (!file)
        return strdup("");
    while ((n = fread(buffer, 1, sizeof buffer, file)) > 0)
        text_add_bytes(&text, buffer, n);
    (void)fclose(file);
    return strdup(text.bytes);
}

struct outcome scene_wait(struct scene *scene, pid_t pid)
{
    const struct deadline until = deadline_in_ms(5 * PATIENCE_MS);
    struct rusage usage = {.ru_maxrss = 0};
    int status = 0;

    while (wait4(pid, &status, WNOHANG, &usage) == 0) {
        if (deadline_passed(&until)) {
            (void)kill(pid, SIGKILL);
            (void)waitpid(pid, &status, 0);
            char *err = read_file(scene, pid, "err");
            fail_msg("osc did not end; it said: %s", err);
        }
        nap();
    }
    return (struct outcome){
        .status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
        .peak_kb = usage.ru_maxrss,
        .out = read_file(scene, pid, "out"),
        .err = read_file(scene, pid, "err"),
    };
}

struct outcome scene_osc(struct scene *scene, const char *command, ...)
{
    va_list args;

    va_start(args, command);
    const pid_t pid = start(scene, command, args);
    va_end(args);
    return scene_wait(scene, pid);
}

void outcome_free(struct outcome *outcome)
{
    free(outcome->out);
    free(outcome->err);
}

void assert_exit(struct outcome outcome, int status)
{
    if (outcome.status != status)
        fail_msg("osc ended with %d instead of %d:\n%s\n%s", outcome.status, status, outcome.err,
                 outcome.out);
    outcome_free(&outcome);
}

void assert_says(struct outcome outcome, int status, const char *words)
{
    if (outcome.status != status || !strstr(outcome.err, words))
        fail_msg("osc ended with %d instead of %d, or did not say \"%s\":\n%s\n%s", outcome.status,
                 status, words, outcome.out, outcome.err);
    outcome_free(&outcome);
}

/* ---- failpoints ---- */

unsigned scene_calls(const struct scene *scene)
{
    char path[300];
    unsigned calls = 0;

    (void)snprintf(path, sizeof path, "%s/calls", scene->directory);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%u", &calls), 1);
    (void)fclose(file);
    return calls;
}

static void write_point(struct scene *scene, const char *name, const char *action)
{
    char path[300];

    (void)snprintf(path, sizeof path, "%s/%s.hit", scene->directory, name);
    (void)unlink(path);
    (void)snprintf(path, sizeof path, "%s/%s", scene->directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs(action, file);
    (void)fclose(file);
}

void scene_hold(struct scene *scene, const char *name)
{
    write_point(scene, name, "");
}

void scene_kill_at(struct scene *scene, const char *name)
{
    write_point(scene, name, "k");
}

bool scene_has_reached(const struct scene *scene, const char *name)
{
    char path[300];

    (void)snprintf(path, sizeof path, "%s/%s.hit", scene->directory, name);
    return access(path, F_OK) == 0;
}

void scene_await(struct scene *scene, const char *name)
{
    const struct deadline until = deadline_in_ms(PATIENCE_MS);

    while (!scene_has_reached(scene, name)) {
        if (deadline_passed(&until))
            fail_msg("osc did not come to %s", name);
        nap();
    }
}

void scene_release(struct scene *scene, const char *name)
{
    char path[300];

    (void)snprintf(path, sizeof path, "%s/%s", scene->directory, name);
    (void)unlink(path);
}

/* ---- what is left ---- */

/* Names, separated by blanks, of what a catalog query finds that looks like ours. */
static const char *ours(struct scene *scene, const char *postgres, const char *mysql)
{
    return scene_value(scene, "%s", scene_pick(scene, postgres, mysql));
}

void assert_nothing_left(struct scene *scene, bool retired_is_kept)
{
    const char *tables = ours(
        scene, "SELECT string_agg(relname, ' ') FROM pg_class WHERE relname ~ '_osc_(new|journal)'",
        "SELECT GROUP_CONCAT(table_name) FROM information_schema.tables WHERE table_schema = "
        "DATABASE() AND table_name REGEXP '_osc_(new|journal)'");
    const char *retired =
        ours(scene, "SELECT string_agg(relname, ' ') FROM pg_class WHERE relname ~ '_osc_old'",
             "SELECT GROUP_CONCAT(table_name) FROM information_schema.tables WHERE table_schema = "
             "DATABASE() AND table_name REGEXP '_osc_old'");
    const char *triggers =
        ours(scene, "SELECT string_agg(tgname, ' ') FROM pg_trigger WHERE tgname ~ '_osc_'",
             "SELECT GROUP_CONCAT(trigger_name) FROM information_schema.triggers WHERE "
             "trigger_schema = DATABASE() AND trigger_name REGEXP '_osc_'");

    assert_string_equal(tables, "");
    assert_string_equal(triggers, "");
    if (!retired_is_kept)
        assert_string_equal(retired, "");
    if (scene->is_postgres)
        assert_string_equal(
            ours(scene, "SELECT string_agg(proname, ' ') FROM pg_proc WHERE proname ~ '_osc_'", ""),
            "");
}
