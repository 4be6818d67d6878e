/*
 * Every case of tests/cases on this server, through osc as a process.
 *
 * The judge is the server itself: a twin of the table, in another database, gets
 * the same rows, the same writes and the server's own ALTER; afterwards osc's
 * table must be the twin, definition and bytes.
 *
 * OSC_TEST_CASES=word runs only cases whose name contains the word.
 */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "osc/db/server.h"
#include "tests/support/case_file.h"
#include "tests/support/picture.h"
#include "tests/support/scene.h"
#include "tests/unit/unit.h"

enum { WORKERS = 3, MOST_OPTIONS = 6 };

static struct scene *scene; /* of this process */
static struct server_kind kind;
static struct dsn twin_dsn;
static int group_number;
static pid_t running; /* osc, which a failing test leaves behind */

/* Before the copy, after it, and after the verification: what comes then is drained under the lock.
 */
static const char *const points[] = {"chunk-registered", "before-indexes", "cutover"};

struct trial {
    const char *name; /* of the case */
    struct arena *arena;
    const char *table, *quoted, *alter;
    const char *options[MOST_OPTIONS + 1];
    struct db *db, *twin;
    bool is_written; /* the application writes meanwhile */
};

/* ---- both sides ---- */

static void run_all(struct db *db, const char *text, struct arena *arena)
{
    struct error err = ERROR_INIT;

    for (const char **at = case_statements(text, arena); *at; at++)
        if (!db_exec(db, *at, NULL, &err))
            fail_msg("%s: %s", *at, err.text);
}

static void run_on(struct trial *trial, struct db *db, const char *file)
{
    const char *text = case_text(trial->name, file, &kind, trial->arena);

    if (text)
        run_all(db, text, trial->arena);
}

static void run_on_both(struct trial *trial, const char *file)
{
    run_on(trial, trial->db, file);
    run_on(trial, trial->twin, file);
}

static struct db *connect_to(const struct dsn *dsn)
{
    struct error err = ERROR_INIT;
    struct db *db = db_open(dsn, "test", &err);

    if (!db)
        fail_msg("%s", err.text);
    /* The application waits as long as it takes. */
    run_all(db,
            scene->is_postgres ? "SET search_path = public;\nSET lock_timeout = 0;"
                               : "SET SESSION lock_wait_timeout = 60;",
            scene->arena);
    return db;
}

/* An empty database, and a connection to it. */
static struct db *fresh(const struct dsn *dsn, const char *database, struct arena *arena)
{
    struct db *db = connect_to(dsn);

    if (scene->is_postgres) {
        run_all(db,
                "DO $$ DECLARE p text; BEGIN FOR p IN SELECT pubname FROM pg_publication LOOP"
                " EXECUTE format('DROP PUBLICATION %I', p); END LOOP; END $$;\n"
                "DROP SCHEMA public CASCADE;\nCREATE SCHEMA public;",
                arena);
        return db;
    }
    run_all(db,
            arena_printf(arena, "DROP DATABASE %s;\nCREATE DATABASE %s;\nUSE %s;", database,
                         database, database),
            arena);
    return db;
}

static const char *database_of(const struct dsn *dsn, struct arena *arena)
{
    const char *name = strrchr(dsn->url, '/') + 1;

    return arena_copy(arena, name, strcspn(name, "?"));
}

static void open_trial(struct trial *trial, const char *name)
{
    *trial = (struct trial){.name = name, .arena = arena_new()};
    struct arena *arena = trial->arena;
    const char *table = case_text(name, "name", &kind, arena);
    const char *options = case_text(name, "options", &kind, arena);

    for (size_t i = 0; i < ARRAY_SIZE(points); i++)
        scene_release(scene, points[i]);
    trial->db = fresh(&scene->parsed, database_of(&scene->parsed, arena), arena);
    trial->twin = fresh(&twin_dsn, database_of(&twin_dsn, arena), arena);
    trial->table = table ? table : "t";
    trial->quoted = db_quote_name(trial->db, arena, trial->table);
    trial->alter = case_text(name, "alter.sql", &kind, arena);
    trial->is_written =
        case_text(name, "writes.sql", &kind, arena) || case_text(name, "late.sql", &kind, arena);
    for (size_t n = 0; options && *options && n < MOST_OPTIONS; n++) {
        trial->options[n] = arena_copy(arena, options, strcspn(options, " \n"));
        options += strcspn(options, " \n");
        options += strspn(options, " \n");
    }
}

static void close_trial(struct trial *trial)
{
    db_close(trial->db);
    db_close(trial->twin);
    arena_free(trial->arena);
}

static void assert_alike(struct trial *trial, const char *when)
{
    AUTO(text) differences = TEXT_INIT;
    const struct picture wanted = picture_take(trial->twin, trial->table, trial->arena);
    const struct picture got = picture_take(trial->db, trial->table, trial->arena);

    picture_compare(&wanted, &got, &differences);
    if (differences.length)
        fail_msg("%s: %s, - the server's own, + osc's:%s", trial->name, when, differences.bytes);
}

/* ---- osc ---- */

static pid_t start_osc(struct trial *trial, const char *command)
{
    const char *const *o = trial->options;

    running = scene_start(scene, command, trial->quoted, trial->alter, o[0], o[1], o[2], o[3], o[4],
                          o[5], NULL);
    return running;
}

static int end_osc(void **state)
{
    (void)state;
    if (running && waitpid(running, NULL, WNOHANG) == 0) {
        (void)kill(running, SIGKILL);
        (void)waitpid(running, NULL, 0);
    }
    running = 0;
    return 0;
}

static bool is_at(const char *point)
{
    char path[300];

    (void)snprintf(path, sizeof path, "%s/%s.hit", scene->directory, point);
    return access(path, F_OK) == 0;
}

/* False when osc ended or passed by: there was nothing to copy, or it failed. */
static bool await(pid_t pid, size_t point)
{
    const struct timespec pause = {.tv_nsec = 2000000};
    siginfo_t info = {.si_pid = 0};

    while (!is_at(points[point])) {
        if (point + 1 < ARRAY_SIZE(points) && is_at(points[point + 1]))
            return false;
        if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid)
            return false;
        (void)nanosleep(&pause, NULL);
    }
    return true;
}

static struct outcome alter_under_writes(struct trial *trial)
{
    for (size_t i = 0; i < ARRAY_SIZE(points) && trial->is_written; i++)
        scene_hold(scene, points[i]);
    const pid_t pid = start_osc(trial, "alter");
    for (size_t i = 0; i < ARRAY_SIZE(points) && trial->is_written; i++) {
        if (await(pid, i)) {
            run_on_both(trial, "writes.sql");
            if (i + 1 == ARRAY_SIZE(points))
                run_on_both(trial, "late.sql");
        }
        scene_release(scene, points[i]);
    }
    return scene_wait(scene, pid);
}

/* ---- what must come of it ---- */

static void assert_answer(struct trial *trial)
{
    const char *question = case_text(trial->name, "check.sql", &kind, trial->arena);
    const char *expect = case_text(trial->name, "expect", &kind, trial->arena);
    AUTO(rows) rows = ROWS_INIT;
    AUTO(text) answer = TEXT_INIT;
    struct error err = ERROR_INIT;

    if (!question)
        return;
    const char *statement = case_statements(question, trial->arena)[0];
    if (!db_query(trial->db, &rows, statement, &err))
        fail_msg("%s: %s", statement, err.text);
    while (rows_next(&rows, &err)) {
        text_add(&answer, answer.length ? "\n" : "");
        for (unsigned i = 0; i < rows.columns; i++)
            text_printf(&answer, "%s%s", i ? "|" : "",
                        rows_is_null(&rows, i) ? "NULL" : rows_text(&rows, i));
    }
    assert_string_equal(answer.bytes, expect);
}

static void run_native(struct trial *trial)
{
    struct error err = ERROR_INIT;
    const char *statement =
        arena_printf(trial->arena, "ALTER TABLE %s %s", trial->quoted, trial->alter);

    if (!db_exec(trial->twin, statement, NULL, &err))
        fail_msg("the server itself: %s: %s", statement, err.text);
}

static void assert_migrates(struct trial *trial)
{
    assert_exit(scene_wait(scene, start_osc(trial, "plan")), 0);
    assert_alike(trial, "after osc plan");
    assert_exit(alter_under_writes(trial), 0);
    run_native(trial);
    assert_nothing_left(scene, true);
    run_on_both(trial, "after.sql");
    assert_alike(trial, "after osc alter");
    assert_answer(trial);
    assert_exit(scene_osc(scene, "finish", "1", NULL), 0);
    assert_nothing_left(scene, false);
    assert_alike(trial, "after osc finish");
}

/* Refused before anything is there, or stopped by the data: then abort takes everything back. */
static void assert_fails(struct trial *trial, const char *expect)
{
    const char **words = case_lines(expect, trial->arena);
    const int status = atoi(words[0]);

    struct outcome outcome = alter_under_writes(trial);
    if (getenv("OSC_TEST_SHOW"))
        print_message("%s", outcome.err);
    for (size_t i = 1; words[i]; i++)
        if (!strstr(outcome.err, words[i]))
            fail_msg("%s: osc did not say \"%s\":\n%s\n%s", trial->name, words[i], outcome.out,
                     outcome.err);
    assert_exit(outcome, status);
    const bool is_refusal = status == 2 || status == 3;
    if (!is_refusal)
        assert_exit(scene_osc(scene, "abort", NULL), 0);
    assert_nothing_left(scene, is_refusal);
    assert_alike(trial, "after the failure");
}

static void a_case(void **state)
{
    struct trial trial;

    open_trial(&trial, *state);
    if (!case_is_for(trial.name, &kind, trial.arena)) {
        close_trial(&trial);
        skip(); /* the server is too old */
    }
    run_on_both(&trial, "table.sql");
    const char *expect = case_text(trial.name, "expect_error", &kind, trial.arena);
    if (expect)
        assert_fails(&trial, expect);
    else
        assert_migrates(&trial);
    close_trial(&trial);
}

/* ---- the processes ---- */

static void open_twin(void)
{
    struct error err = ERROR_INIT;
    const char *database = database_of(&scene->parsed, scene->arena);
    const char *at = strrchr(scene->dsn, '/') + 1;
    const char *twin = arena_printf(scene->arena, "%.*s%s_twin%s", (int)(at - scene->dsn),
                                    scene->dsn, database, at + strcspn(at, "?"));

    scene_sql(scene, "CREATE DATABASE %s_twin", database);
    if (!dsn_parse(&twin_dsn, twin, scene->arena, &err))
        fail_msg("%s", err.text);
}

static void close_twin(void)
{
    scene_sql(scene, "DROP DATABASE %s_twin%s", database_of(&scene->parsed, scene->arena),
              scene->is_postgres ? " WITH (FORCE)" : "");
}

static int open_worker(void **state)
{
    char name[20];

    (void)state;
    (void)snprintf(name, sizeof name, "cases%d", group_number);
    scene = scene_open(name);
    kind.major = db_facts(scene->db)->number / 10000;
    open_twin();
    return 0;
}

static int close_worker(void **state)
{
    (void)state;
    close_twin();
    scene_close(scene);
    return 0;
}

/* The cases number, number + WORKERS, … */
static int run_worker(int number, const char *const *names, size_t count)
{
    struct CMUnitTest *tests = calloc(count + 1, sizeof *tests);
    size_t n = 0;

    for (size_t i = (size_t)number; i < count; i += WORKERS)
        tests[n++] = (struct CMUnitTest){
            .name = names[i],
            .test_func = a_case,
            .teardown_func = end_osc,
            .initial_state = (void *)(uintptr_t)names[i],
        };
    group_number = number;
    const int failed = _cmocka_run_group_tests("cases", tests, n, open_worker, close_worker);
    free(tests);
    return failed;
}

int main(void)
{
    struct arena *arena = arena_new();
    const char *server = getenv("OSC_TEST_SERVER");
    size_t all = 0, count = 0;
    const char **names = case_names(getenv("OSC_TEST_CASES"), arena, &all);
    int failed = 0, status;

    server_kind_set(&kind, server ? server : "", UINT_MAX);
    for (size_t i = 0; i < all; i++)
        if (case_is_for(names[i], &kind, arena))
            names[count++] = names[i];
    /* Small pieces: the bounds between them are what the keys are tried for. */
    (void)setenv("OSC_TUNE_CHUNK", "3", 1);
    (void)setenv("OSC_TUNE_RANGE", "7", 1);
    (void)setenv("OSC_TUNE_BATCH", "5", 1);
    for (int i = 0; i < WORKERS; i++)
        if (fork() == 0)
            exit(run_worker(i, names, count));
    while (wait(&status) > 0)
        failed += !WIFEXITED(status) || WEXITSTATUS(status);
    printf("%zu cases on %s\n", count, server);
    arena_free(arena);
    return failed || !count;
}
