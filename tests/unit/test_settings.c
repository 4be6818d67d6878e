/* Config files: what they may say, who holds over whom, and how a mistake is told. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "osc/command.h"
#include "osc/options_table.h"

struct fixture {
    struct arena *arena;
    struct run run;
    struct error err;
    char home[40];
    const char *users; /* the operator's file */
};

static int set_up(void **state)
{
    struct fixture *f = test_calloc(1, sizeof *f);

    f->arena = arena_new();
    (void)snprintf(f->home, sizeof f->home, "/tmp/osc_home_XXXXXX");
    assert_non_null(mkdtemp(f->home));
    assert_int_equal(setenv("XDG_CONFIG_HOME", f->home, 1), 0);
    assert_int_equal(mkdir(arena_printf(f->arena, "%s/osc", f->home), 0700), 0);
    f->users = arena_printf(f->arena, "%s/osc/osc.conf", f->home);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char command[100];

    (void)snprintf(command, sizeof command, "rm -r %s", f->home);
    assert_int_equal(system(command), 0);
    arena_free(f->arena);
    test_free(f);
    return 0;
}

static void write_bytes(struct fixture *f, const char *bytes, size_t n, mode_t mode)
{
    FILE *file = fopen(f->users, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(f->users, mode), 0);
}

static void write_file(struct fixture *f, const char *text, mode_t mode)
{
    write_bytes(f, text, strlen(text), mode);
}

/* Parses osc COMMAND …, up to NULL. */
static bool parse(struct fixture *f, ...)
{
    char *argv[16] = {arena_string(f->arena, "osc")};
    va_list args;
    int argc = 1;
    const char *word;

    va_start(args, f);
    while ((word = va_arg(args, const char *)))
        argv[argc++] = arena_string(f->arena, word);
    va_end(args);
    error_clear(&f->err);
    f->run = (struct run){.arena = f->arena};
    return command_parse(&f->run, argc, argv, &f->err);
}

#define PARSE(...) parse(f, __VA_ARGS__, NULL)

static void assert_refused(struct fixture *f, const char *text, const char *words, const char *hint)
{
    write_file(f, text, 0600);
    assert_false(PARSE("history"));
    assert_int_equal(f->err.kind, ERROR_USAGE);
    assert_string_equal(f->err.text, arena_printf(f->arena, "%s%s", f->users, words));
    assert_string_equal(f->err.hint, hint);
}

static const char *where_of(const struct fixture *f, const char *name)
{
    return f->run.options.said[option_row(option_named(name, strlen(name)))].where;
}

static void a_file_fills_what_nobody_else_said(void **state)
{
    struct fixture *f = *state;

    write_file(f,
               "# comment\nthreads = 8\nchunk-time = \"100ms\";\nrepair = true\n"
               "after = \"drop\"\nlock-timeout = \"2s\"\n",
               0600);
    assert_int_equal(setenv("OSC_LOCK_TIMEOUT", "1s", 1), 0);
    assert_true(PARSE("alter", "t", "ADD c int", "--threads=3"));
    assert_int_equal(unsetenv("OSC_LOCK_TIMEOUT"), 0);
    assert_int_equal(f->run.options.threads, 3);
    assert_int_equal(f->run.options.lock_timeout_ms, 1000);
    assert_int_equal(f->run.options.chunk_time_ms, 100);
    assert_int_equal(f->run.options.after, AFTER_DROP);
    assert_true(f->run.options.repair);
    assert_string_equal(where_of(f, "chunk-time"), arena_printf(f->arena, "%s:3", f->users));
    assert_string_equal(where_of(f, "lock-timeout"), "OSC_LOCK_TIMEOUT");
    assert_null(where_of(f, "threads"));
}

static void what_a_migration_began_with_holds_over_files(void **state)
{
    struct fixture *f = *state;
    struct options *options = &f->run.options;

    write_file(f, "threads = 8\nquiet = true\n", 0600);
    assert_true(PARSE("resume", "--after=drop"));
    assert_true(
        options_recall(options, "{\"threads\":\"5\",\"after\":\"keep\"}", f->arena, &f->err));
    assert_int_equal(options->threads, 5);
    assert_int_equal(options->after, AFTER_DROP);
    assert_true(options->quiet);
}

static void a_target_holds_over_the_rest_of_its_file(void **state)
{
    struct fixture *f = *state;

    write_file(f,
               "threads = 8\nchunk-time = \"1s\"\n"
               "targets: {\n  shop: { dsn = \"mysql://osc@shop/s\"; threads = 2 }\n"
               "  blog: { dsn = \"mysql://osc@blog/b\" }\n}\n",
               0600);
    assert_true(PARSE("alter", "t", "ADD c int", "--target", "shop"));
    assert_int_equal(f->run.options.threads, 2);
    assert_int_equal(f->run.options.chunk_time_ms, 1000);
    assert_string_equal(f->run.options.dsn, "mysql://osc@shop/s");
    assert_true(PARSE("history"));
    assert_null(f->run.options.dsn);
    assert_false(PARSE("history", "--target=shopp"));
    assert_string_equal(f->err.text, "no config file has a target 'shopp'");
}

static void a_mistake_is_told_with_its_line(void **state)
{
    struct fixture *f = *state;

    assert_refused(f, "\nthread = 4\n", ":2: there is no option 'thread'", "did you mean threads?");
    assert_refused(f, "version = true\n", ":1: 'version' cannot be set in a file",
                   "osc config lists the options");
    assert_refused(f, "quiet = true\nthreads = 100\n",
                   ":2: threads takes auto or 1 to 64, not '100'", "");
    assert_refused(f, "chunk-time = 100",
                   ":1: chunk-time takes a time with its unit (250ms, 2s, 5m, 1h, 1d), not '100'",
                   "");
    assert_refused(f, "threads = 1.5\n", ":1: threads takes auto or a whole number, not '1.5'", "");
    assert_refused(f, "threads = [1, 2]", ":1: threads takes one value", "");
    assert_refused(f, "threads = 1\nthreads = 2\n", ":2: duplicate setting name", "");
    assert_refused(f, "threads = \n\n}", ":3: syntax error", "");
    assert_refused(f, "threads = 1\n @include \"/etc/passwd\"\n", ":2: @include is not taken here",
                   "");
    assert_refused(f, "targets = 7", ":1: targets is a group of groups: { shop: { … } }", "");
    assert_refused(f, "targets: { shop = 7 }", ":1: a target is a group: shop: { … }", "");
    /* Also where this call does not need it. */
    assert_refused(f, "targets: { shop: {\n verify = \"maybe\" } }",
                   ":2: verify takes full|none, not 'maybe'", "");
}

static void a_list_names_each(void **state)
{
    struct fixture *f = *state;

    write_file(f, "replica = [ \"mysql://a/d\", \"mysql://b/d\" ]\n", 0600);
    assert_true(PARSE("alter", "t", "ADD c int"));
    assert_int_equal(f->run.options.replicas.count, 2);
    assert_string_equal(f->run.options.replicas.list[1], "mysql://b/d");
    write_file(f, "replica = [ \"mysql://a/d\",\n \"nonsense\" ]\n", 0600);
    assert_false(PARSE("alter", "t", "ADD c int"));
    assert_ptr_equal(strstr(f->err.text, arena_printf(f->arena, "%s:2: replica", f->users)),
                     f->err.text);
}

static void what_is_no_config_file_is_refused(void **state)
{
    struct fixture *f = *state;

    write_file(f, arena_printf(f->arena, "%*s", 2 << 20, ""), 0600);
    assert_false(PARSE("history"));
    assert_string_equal(f->err.text,
                        arena_printf(f->arena, "%s is too long for a config file", f->users));
    write_bytes(f, "threads\0= 8\n", 12, 0600);
    assert_false(PARSE("history"));
    assert_string_equal(f->err.text, arena_printf(f->arena, "%s is no text", f->users));
    /* A file that opens and cannot be read. */
    assert_false(PARSE("history", "--config", "/proc/self/mem"));
    assert_string_equal(f->err.text, "/proc/self/mem: Input/output error");
}

static void a_mistyped_name_does_not_show_its_password(void **state)
{
    struct fixture *f = *state;

    assert_refused(f, "dns = \"mysql://u:secret@h/d\"", ":1: there is no option 'dns'",
                   "did you mean dsn?");
}

static void a_password_that_anybody_may_read_is_a_concern(void **state)
{
    struct fixture *f = *state;

    write_file(f, "dsn = \"mysql://u:secret@h/d\"\n", 0644);
    assert_true(PARSE("history"));
    assert_string_equal(
        f->run.settings.concern,
        arena_printf(f->arena, "%s holds a password and anybody may read it: chmod 600", f->users));
    write_file(f, "dsn = \"mysql://u:secret@h/d\"\n", 0600);
    assert_true(PARSE("history"));
    assert_null(f->run.settings.concern);
    write_file(f, "dsn = \"mysql://u@h/d\"\n", 0644);
    assert_true(PARSE("history"));
    assert_null(f->run.settings.concern);
    write_file(f, "replica = [ \"mysql://a/d\", \"mysql://u:secret@b/d\" ]\n", 0644);
    assert_true(PARSE("alter", "t", "ADD c int"));
    assert_non_null(f->run.settings.concern);
    write_file(f, "replica = [ \"mysql://a/d\" ]\n", 0644);
    assert_true(PARSE("alter", "t", "ADD c int"));
    assert_null(f->run.settings.concern);
    write_file(f, "quiet = true\n", 0646);
    assert_false(PARSE("history"));
    assert_string_equal(f->err.text, arena_printf(f->arena, "anybody may write %s", f->users));
}

static void a_target_without_a_file_is_told_where_files_are(void **state)
{
    struct fixture *f = *state;

    assert_false(PARSE("history", "--target=shop"));
    assert_string_equal(f->err.text, "no config file has a target 'shop'");
    assert_string_equal(f->err.hint, "osc config --help says where it looks for them");
}

static void a_file_that_was_named_must_be_there(void **state)
{
    struct fixture *f = *state;

    assert_true(PARSE("history"));
    assert_false(PARSE("history", "--config", "/nowhere/osc.conf"));
    assert_string_equal(f->err.text, "/nowhere/osc.conf: No such file or directory");
    assert_false(PARSE("history", "--config", f->home));
    assert_string_equal(f->err.text, arena_printf(f->arena, "%s is a directory", f->home));
    write_file(f, "threads = 8\n", 0600);
    assert_true(PARSE("alter", "t", "ADD c int", "--config", "/dev/null"));
    assert_int_equal(f->run.options.threads, 0);
    /* A broken file must not keep anybody from the help. */
    write_file(f, "}", 0600);
    assert_true(PARSE("help"));
    assert_true(PARSE("alter", "--help"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_file_fills_what_nobody_else_said),
        TEST(what_a_migration_began_with_holds_over_files),
        TEST(a_target_holds_over_the_rest_of_its_file),
        TEST(a_mistake_is_told_with_its_line),
        TEST(a_list_names_each),
        TEST(what_is_no_config_file_is_refused),
        TEST(a_mistyped_name_does_not_show_its_password),
        TEST(a_password_that_anybody_may_read_is_a_concern),
        TEST(a_target_without_a_file_is_told_where_files_are),
        TEST(a_file_that_was_named_must_be_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
