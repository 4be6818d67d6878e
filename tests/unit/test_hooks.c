/* Hooks: which directories are refused, what a hook is given, and how long it may take. */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "osc/base/clock.h"
#include "osc/base/log.h"
#include "osc/hooks.h"

struct fixture {
    char directory[40];
    struct arena *arena;
    struct hooks *hooks;
    struct hook_facts facts;
    struct error err;
};

static int set_up(void **state)
{
    struct fixture *f = test_calloc(1, sizeof *f);

    (void)snprintf(f->directory, sizeof f->directory, "/tmp/osc_hooks_XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    f->arena = arena_new();
    f->facts.arena = f->arena;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char command[100];

    (void)snprintf(command, sizeof command, "rm -r %s", f->directory);
    assert_int_equal(system(command), 0);
    hooks_close(f->hooks);
    arena_free(f->arena);
    test_free(f);
    return 0;
}

static const char *path_of(struct fixture *f, const char *name)
{
    return arena_printf(f->arena, "%s/%s", f->directory, name);
}

static void write_file(struct fixture *f, const char *name, const char *script, mode_t mode)
{
    FILE *file = fopen(path_of(f, name), "w");

    assert_non_null(file);
    assert_true(fprintf(file, "#!/bin/sh\n%s\n", script) > 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path_of(f, name), mode), 0);
}

static bool opens(struct fixture *f)
{
    error_clear(&f->err);
    hooks_close(f->hooks);
    return hooks_open(&f->hooks, f->directory, 400, &f->err);
}

static const char *content_of(struct fixture *f, const char *name)
{
    char *content = arena_alloc(f->arena, 100000);
    FILE *file = fopen(path_of(f, name), "r");

    if (!file)
        return "";
    (void)fread(content, 1, 99999, file);
    assert_int_equal(fclose(file), 0);
    return content;
}

static enum hook_answer answer_of(struct fixture *f, const char *script)
{
    write_file(f, "before-cutover", script, 0755);
    assert_true(opens(f));
    return hooks_run(f->hooks, HOOK_BEFORE_CUTOVER, &f->facts, NULL);
}

static void what_anybody_may_write_is_refused(void **state)
{
    struct fixture *f = *state;

    write_file(f, "done", "", 0757);
    assert_false(opens(f));
    assert_int_equal(f->err.kind, ERROR_REFUSED);
    assert_non_null(strstr(f->err.text, "anybody may write"));
    assert_int_equal(chmod(path_of(f, "done"), 0644), 0);
    assert_false(opens(f));
    assert_non_null(strstr(f->err.text, "is not executable"));
    assert_int_equal(chmod(path_of(f, "done"), 0755), 0);
    assert_true(opens(f));
    assert_int_equal(chmod(f->directory, 0777), 0);
    assert_false(opens(f));
    assert_non_null(strstr(f->err.text, "anybody may write"));
    assert_int_equal(chmod(f->directory, 0755), 0);
    /* Found out also when it has become so since. */
    assert_true(opens(f));
    assert_int_equal(chmod(path_of(f, "done"), 0757), 0);
    assert_int_equal(hooks_run(f->hooks, HOOK_DONE, &f->facts, NULL), HOOK_NO);
}

static void what_is_no_program_of_ours_is_refused(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(symlink("/nowhere/hook", path_of(f, "done")), 0);
    assert_false(opens(f));
    assert_int_equal(f->err.kind, ERROR_REFUSED);
    assert_string_equal(f->err.text, arena_printf(f->arena, "hooks: %s: No such file or directory",
                                                  path_of(f, "done")));
    assert_int_equal(unlink(path_of(f, "done")), 0);
    assert_int_equal(mkdir(path_of(f, "done"), 0755), 0);
    assert_false(opens(f));
    assert_string_equal(f->err.text,
                        arena_printf(f->arena, "hooks: %s is no file", path_of(f, "done")));
    assert_int_equal(rmdir(path_of(f, "done")), 0);
    if (geteuid() != 0) /* only root can give files away */
        return;
    write_file(f, "done", "", 0755);
    assert_int_equal(chown(path_of(f, "done"), 65534, 65534), 0);
    assert_false(opens(f));
    assert_string_equal(f->err.text, arena_printf(f->arena, "hooks: %s belongs to another user",
                                                  path_of(f, "done")));
}

static const char *suggested; /* "": none */

static void hear(enum log_level level, const char *event, const struct log_field *fields)
{
    (void)level;
    if (strcmp(event, "no such hook") != 0)
        return;
    while (strcmp(fields->name, "did_you_mean") != 0)
        fields++;
    suggested = fields->text;
}

static void a_mistyped_hook_is_told(void **state)
{
    struct fixture *f = *state;

    log_observe(hear);
    write_file(f, "befor-cutover", "", 0755);
    assert_true(opens(f));
    assert_string_equal(suggested, "before-cutover");
    suggested = NULL;
    assert_int_equal(chmod(path_of(f, "befor-cutover"), 0644), 0); /* notes, a library */
    assert_true(opens(f));
    assert_null(suggested);
    log_observe(NULL);
}

static void a_directory_that_is_not_there_is_refused(void **state)
{
    struct fixture *f = *state;

    assert_false(hooks_open(&f->hooks, "/nowhere/hooks", 400, &f->err));
    assert_string_equal(f->err.text, "hooks: /nowhere/hooks: No such file or directory");
    assert_string_equal(f->err.hint, "--hooks none does without");
    error_clear(&f->err);
    assert_true(hooks_open(&f->hooks, NULL, 400, &f->err));
    assert_null(f->hooks);
    assert_int_equal(hooks_run(NULL, HOOK_BEFORE_CUTOVER, &f->facts, NULL), HOOK_YES);
}

static void the_exit_code_is_the_answer(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(answer_of(f, "exit 0"), HOOK_YES);
    assert_int_equal(answer_of(f, "exit 75"), HOOK_NOT_NOW);
    assert_int_equal(answer_of(f, "exit 1"), HOOK_NO);
    assert_int_equal(answer_of(f, "kill -9 $$"), HOOK_NO);
    /* A program that cannot be run gives no consent. */
    write_file(f, "before-cutover", "", 0755);
    assert_int_equal(truncate(path_of(f, "before-cutover"), 0), 0);
    assert_true(opens(f));
    assert_int_equal(hooks_run(f->hooks, HOOK_BEFORE_CUTOVER, &f->facts, NULL), HOOK_NO);
}

static void a_hook_knows_the_facts_and_no_secret(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(setenv("OSC_DSN", "mysql://u:secret@h/d", 1), 0);
    assert_int_equal(setenv("PGPASSWORD", "secret", 1), 0);
    assert_int_equal(setenv("MYSQL_PWD", "secret", 1), 0);
    assert_int_equal(setenv("WEBHOOK", "https://chat", 1), 0);
    hook_fact(&f->facts, "TABLE", "%s", "items");
    hook_fact(&f->facts, "TABLE", "%s", "odd; $(touch x)\nname");
    assert_int_equal(
        answer_of(f, "env > seen; cat >> seen; pwd >> seen; ls -l /proc/$$/fd | wc -l >> seen"),
        HOOK_YES);
    const char *seen = content_of(f, "seen");
    assert_non_null(strstr(seen, "OSC_HOOK_TABLE=odd; $(touch x)\nname\n"));
    assert_non_null(strstr(seen, "WEBHOOK=https://chat\n"));
    assert_null(strstr(seen, "secret"));
    assert_non_null(strstr(seen, f->directory));
    assert_string_equal(content_of(f, "x"), "");
}

static void a_hook_gets_no_file_of_ours(void **state)
{
    struct fixture *f = *state;
    const int ours = dup2(STDERR_FILENO, 97); /* not closed on exec: like a library's socket */

    assert_int_equal(ours, 97);
    assert_int_equal(answer_of(f, "test ! -e /proc/self/fd/97"), HOOK_YES);
    assert_int_equal(close(ours), 0);
}

static void a_hook_that_takes_too_long_is_ended_with_its_children(void **state)
{
    struct fixture *f = *state;
    const uint64_t began = clock_ms();

    assert_int_equal(
        answer_of(f, "trap '' TERM; sleep 100 & echo $! > child; wait; wait; sleep 100"), HOOK_NO);
    assert_true(clock_ms() - began < 20000);
    const pid_t child = atoi(content_of(f, "child"));
    assert_true(child > 1);
    for (unsigned i = 0; i < 1000; i++) {
        /* A zombie, until whoever inherits it looks, counts as ended. */
        const char *stat =
            arena_printf(f->arena, "grep -q 'State:.[^Z]' /proc/%d/status 2>/dev/null", child);
        if (system(stat) != 0)
            return;
        assert_int_equal(usleep(10000), 0);
    }
    fail_msg("its child lives on");
}

static void a_child_that_stays_does_not_keep_us(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(answer_of(f, "sleep 5 & exit 0"), HOOK_YES);
}

static void an_operator_who_stops_us_ends_the_hook(void **state)
{
    struct fixture *f = *state;
    struct cancel *cancel = cancel_new(NULL);

    write_file(f, "before-cutover", "sleep 100", 0755);
    assert_true(hooks_open(&f->hooks, f->directory, 100000, &f->err));
    cancel_set(cancel);
    assert_int_equal(hooks_run(f->hooks, HOOK_BEFORE_CUTOVER, &f->facts, cancel), HOOK_NO);
    cancel_free(cancel);
}

static void endless_output_ends(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(answer_of(f, "yes | head -c 300000"), HOOK_YES);
}

static char heard[1000];

static void hear_all(enum log_level level, const char *event, const struct log_field *fields)
{
    (void)level, (void)event;
    for (; fields->name; fields++)
        if (fields->text)
            (void)strncat(heard, fields->text, sizeof heard - strlen(heard) - 1);
}

static void a_last_line_without_an_end_is_heard(void **state)
{
    log_observe(hear_all);
    assert_int_equal(answer_of(*state, "printf 'one\\nlast words'"), HOOK_YES);
    log_observe(NULL);
    assert_non_null(strstr(heard, "last words"));
}

static void a_hook_that_cannot_be_started_for_want_of_files_gives_no_consent(void **state)
{
    struct fixture *f = *state;
    struct rlimit usual;

    write_file(f, "before-cutover", "exit 0", 0755);
    assert_true(opens(f));
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
    const struct rlimit few = {.rlim_cur = 0, .rlim_max = usual.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    const enum hook_answer answer = hooks_run(f->hooks, HOOK_BEFORE_CUTOVER, &f->facts, NULL);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
    assert_int_equal(answer, HOOK_NO);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_anybody_may_write_is_refused),
        TEST(what_is_no_program_of_ours_is_refused),
        TEST(a_mistyped_hook_is_told),
        TEST(a_directory_that_is_not_there_is_refused),
        TEST(the_exit_code_is_the_answer),
        TEST(a_hook_knows_the_facts_and_no_secret),
        TEST(a_hook_gets_no_file_of_ours),
        TEST(a_hook_that_takes_too_long_is_ended_with_its_children),
        TEST(a_child_that_stays_does_not_keep_us),
        TEST(an_operator_who_stops_us_ends_the_hook),
        TEST(endless_output_ends),
        TEST(a_last_line_without_an_end_is_heard),
        TEST(a_hook_that_cannot_be_started_for_want_of_files_gives_no_consent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
