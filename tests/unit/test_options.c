/* Command line, environment and help. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "osc/command.h"
#include "osc/options_table.h"

enum { MOST_WORDS = 16 };

struct fixture {
    struct arena *arena;
    struct options options;
    struct words words;
    struct error err;
    char *argv[MOST_WORDS];
};

static int set_up(void **state)
{
    struct fixture *f = test_calloc(1, sizeof *f);

    f->arena = arena_new();
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    arena_free(f->arena);
    test_free(f);
    return 0;
}

/* Parses the words up to NULL, as if they had been typed after osc. */
static bool parse(struct fixture *f, ...)
{
    va_list args;
    int argc = 1;
    const char *word;

    f->argv[0] = arena_string(f->arena, "osc");
    va_start(args, f);
    while ((word = va_arg(args, const char *)))
        f->argv[argc++] = arena_string(f->arena, word);
    va_end(args);
    error_clear(&f->err);
    return options_parse(&f->options, &f->words, argc, f->argv, f->arena, &f->err);
}

#define PARSE(...) parse(f, __VA_ARGS__, NULL)
#define ASSERT_REFUSED(words, ...)                                                                 \
    do {                                                                                           \
        assert_false(PARSE(__VA_ARGS__));                                                          \
        assert_int_equal(f->err.kind, ERROR_USAGE);                                                \
        assert_string_equal(f->err.text, words);                                                   \
    } while (0)

static void defaults_come_from_the_table(void **state)
{
    struct fixture *f = *state;

    assert_true(PARSE("alter"));
    assert_int_equal(f->options.threads, 0);
    assert_int_equal(f->options.chunk_time_ms, 250);
    assert_int_equal(f->options.lock_timeout_ms, 500);
    assert_int_equal(f->options.cutover_timeout_ms, 600000);
    assert_int_equal(f->options.verify, VERIFY_FULL);
    assert_int_equal(f->options.after, AFTER_KEEP);
    assert_null(f->options.dsn);
    for (size_t i = 0; i < options_count; i++)
        assert_int_equal(f->options.said[i].from, FROM_DEFAULT);
}

static void options_stand_anywhere(void **state)
{
    struct fixture *f = *state;

    assert_true(PARSE("--threads=8", "alter", "--chunk-time", "2s", "users", "-q", "ADD c int"));
    assert_int_equal(f->options.threads, 8);
    assert_int_equal(f->options.chunk_time_ms, 2000);
    assert_true(f->options.quiet);
    assert_int_equal(f->words.count, 3);
    assert_string_equal(f->words.list[1], "users");
    assert_string_equal(f->words.list[2], "ADD c int");
}

static void two_dashes_end_the_options(void **state)
{
    struct fixture *f = *state;

    assert_true(PARSE("alter", "--", "--json", "-x"));
    assert_false(f->options.json);
    assert_int_equal(f->words.count, 3);
    assert_string_equal(f->words.list[1], "--json");
}

static void a_lone_dash_is_a_word(void **state)
{
    struct fixture *f = *state;

    assert_true(PARSE("alter", "-"));
    assert_string_equal(f->words.list[1], "-");
}

static void durations_need_a_unit(void **state)
{
    struct fixture *f = *state;

    assert_true(PARSE("--cutover-timeout", "1d"));
    assert_int_equal(f->options.cutover_timeout_ms, 86400000);
    ASSERT_REFUSED("--chunk-time takes a time with its unit (250ms, 2s, 5m, 1h, 1d), not '250'",
                   "--chunk-time", "250");
    ASSERT_REFUSED("--chunk-time takes a time with its unit (250ms, 2s, 5m, 1h, 1d), not '-1s'",
                   "--chunk-time", "-1s");
    ASSERT_REFUSED("--chunk-time takes a time with its unit (250ms, 2s, 5m, 1h, 1d), not "
                   "'99999999999999999999s'",
                   "--chunk-time=99999999999999999999s");
    ASSERT_REFUSED("--chunk-time takes a time with its unit (250ms, 2s, 5m, 1h, 1d), not "
                   "'999999999999999d'",
                   "--chunk-time=999999999999999d");
}

static void a_value_out_of_range_names_the_range(void **state)
{
    struct fixture *f = *state;

    ASSERT_REFUSED("--chunk-time takes 10ms to 10s, not '1m'", "--chunk-time=1m");
    ASSERT_REFUSED("--threads takes auto or 1 to 64, not '65'", "--threads=65");
    ASSERT_REFUSED("--threads takes auto or 1 to 64, not '0'", "--threads=0");
    ASSERT_REFUSED("--threads takes auto or a whole number, not '2x'", "--threads=2x");
    ASSERT_REFUSED("--verify takes full|none, not 'maybe'", "--verify=maybe");
    assert_true(PARSE("--threads=auto"));
    assert_int_equal(f->options.threads, 0);
}

static void an_unknown_option_suggests_the_nearest(void **state)
{
    struct fixture *f = *state;

    ASSERT_REFUSED("there is no option --thread", "--thread=4");
    assert_string_equal(f->err.hint, "did you mean --threads?");
    ASSERT_REFUSED("there is no option --chunktime", "--chunktime=4");
    assert_string_equal(f->err.hint, "did you mean --chunk-time?");
    ASSERT_REFUSED("there is no option --frobnicate", "--frobnicate");
    assert_string_equal(f->err.hint, "osc COMMAND --help lists the options");
    ASSERT_REFUSED("there is no option -x", "-qx");
}

static void a_missing_value_is_refused(void **state)
{
    struct fixture *f = *state;

    ASSERT_REFUSED("--dsn needs a value: --dsn URL", "alter", "--dsn");
    ASSERT_REFUSED("--dsn is empty", "alter", "--dsn=");
}

static void a_flag_may_be_switched_off(void **state)
{
    struct fixture *f = *state;

    assert_true(PARSE("--json=no", "--repair=yes"));
    assert_false(f->options.json);
    assert_true(f->options.repair);
    ASSERT_REFUSED("--json takes yes or no, not '2'", "--json=2");
}

static void the_password_is_blanked_in_argv(void **state)
{
    struct fixture *f = *state;

    assert_true(PARSE("alter", "--dsn", "postgres://u:secret@h/db"));
    assert_string_equal(f->options.dsn, "postgres://u:secret@h/db");
    assert_null(strstr(f->argv[3], "secret"));
    assert_true(PARSE("--dsn=mysql://u:secret@h/db"));
    assert_string_equal(f->options.dsn, "mysql://u:secret@h/db");
    assert_null(strstr(f->argv[1], "secret"));
}

static void a_mistyped_dsn_option_does_not_print_its_value(void **state)
{
    struct fixture *f = *state;

    ASSERT_REFUSED("there is no option --dns", "--dns=mysql://u:secret@h/db");
    assert_string_equal(f->err.hint, "did you mean --dsn?");
}

static void quiet_and_verbose_exclude_each_other(void **state)
{
    struct fixture *f = *state;

    ASSERT_REFUSED("--quiet and --verbose exclude each other", "-qv");
}

static void the_environment_fills_what_was_not_given(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(setenv("OSC_CHUNK_TIME", "1s", 1), 0);
    assert_int_equal(setenv("OSC_THREADS", "5", 1), 0);
    assert_true(PARSE("--threads", "3"));
    assert_true(options_settle(&f->options, FOR_ALTER, "alter", f->arena, &f->err));
    assert_int_equal(f->options.chunk_time_ms, 1000);
    assert_int_equal(f->options.threads, 3);

    /* A command that does not take the option is not disturbed. */
    assert_true(PARSE("status"));
    assert_true(options_settle(&f->options, FOR_STATUS, "status", f->arena, &f->err));
    assert_int_equal(f->options.chunk_time_ms, 250);

    assert_int_equal(setenv("OSC_CHUNK_TIME", "soon", 1), 0);
    assert_true(PARSE("alter"));
    assert_false(options_settle(&f->options, FOR_ALTER, "alter", f->arena, &f->err));
    assert_string_equal(f->err.text, "OSC_CHUNK_TIME takes a time with its unit (250ms, 2s, 5m, "
                                     "1h, 1d), not 'soon'");
    assert_int_equal(unsetenv("OSC_CHUNK_TIME"), 0);
    assert_int_equal(unsetenv("OSC_THREADS"), 0);
}

static void a_list_in_the_environment_stands_between_blanks(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(setenv("OSC_REPLICA", "mysql://a/d\n mysql://b/d", 1), 0);
    assert_true(PARSE("alter"));
    assert_true(options_settle(&f->options, FOR_ALTER, "alter", f->arena, &f->err));
    assert_int_equal(f->options.replicas.count, 2);
    assert_string_equal(f->options.replicas.list[0], "mysql://a/d");
    assert_string_equal(f->options.replicas.list[1], "mysql://b/d");

    assert_int_equal(setenv("OSC_REPLICA", "mysql://a/d nonsense", 1), 0);
    assert_true(PARSE("alter"));
    assert_false(options_settle(&f->options, FOR_ALTER, "alter", f->arena, &f->err));
    assert_int_equal(f->err.kind, ERROR_USAGE);
    assert_ptr_equal(strstr(f->err.text, "OSC_REPLICA: "), f->err.text);
    assert_int_equal(unsetenv("OSC_REPLICA"), 0);
}

static void what_a_run_is_told_to_change_is_an_assignment(void **state)
{
    struct fixture *f = *state;

    assert_true(PARSE("alter"));
    assert_true(options_set(&f->options, "threads=3", f->arena, &f->err));
    assert_int_equal(f->options.threads, 3);
    assert_false(options_set(&f->options, "threads", f->arena, &f->err));
    assert_int_equal(f->err.kind, ERROR_USAGE);
    assert_string_equal(f->err.text, "threads needs a value: threads=auto");
    assert_false(options_set(&f->options, "dsn=mysql://h/d", f->arena, &f->err));
    assert_string_equal(f->err.text, "dsn cannot be changed while a migration runs");
}

static void an_address_to_ask_is_one_of_http(void **state)
{
    struct fixture *f = *state;

    assert_true(PARSE("--throttle-http=https://db1/ready"));
    ASSERT_REFUSED("--throttle-http: it begins with http:// or https://",
                   "--throttle-http=ftp://db1/ready");
}

static void a_command_refuses_options_of_others(void **state)
{
    struct fixture *f = *state;

    assert_true(PARSE("status", "--threads=4"));
    assert_false(options_settle(&f->options, FOR_STATUS, "status", f->arena, &f->err));
    assert_string_equal(f->err.text, "osc status has no option --threads");
}

static void saved_options_come_back_unless_given_again(void **state)
{
    struct fixture *f = *state;
    AUTO(text) json = TEXT_INIT;

    assert_true(PARSE("--threads=7", "--after=drop", "--chunk-time=100ms", "--dsn=mysql://x:y@z/d",
                      "--json"));
    options_save(&f->options, &json);
    assert_null(strstr(json.bytes, "x:y"));
    assert_true(PARSE("--threads=2"));
    assert_true(options_recall(&f->options, json.bytes, f->arena, &f->err));
    assert_int_equal(f->options.threads, 2);
    assert_int_equal(f->options.after, AFTER_DROP);
    assert_int_equal(f->options.chunk_time_ms, 100);
    assert_false(f->options.json);
    assert_false(options_recall(&f->options, "nonsense", f->arena, &f->err));
    assert_true(options_recall(&f->options, "{\"from-the-future\":\"1\"}", f->arena, &f->err));
}

/* The types of value, beside the options there are. */
struct typed {
    struct options options;
    uint64_t bytes;
    unsigned percent;
    const char *text;
    struct words words;
};

static bool no_x(const char *value, struct error *err)
{
    return !strchr(value, 'x') || error_set(err, ERROR_USAGE, "no x here");
}

static const struct option size = {
    .name = "size",
    .type = OPT_SIZE,
    .at = offsetof(struct typed, bytes),
    .least = 1024,
    .most = UINT64_C(1) << 40,
    .zero = "never",
};
static const struct option percent = {
    .name = "percent",
    .type = OPT_PERCENT,
    .at = offsetof(struct typed, percent),
    .most = 100,
};
static const struct option path = {
    .name = "path",
    .type = OPT_PATH,
    .at = offsetof(struct typed, text),
    .zero = "none",
};
static const struct option list = {
    .name = "list",
    .type = OPT_LIST,
    .at = offsetof(struct typed, words),
    .zero = "none",
    .is_secret = true,
    .check = no_x,
};

static bool assign(struct fixture *f, struct typed *typed, const struct option *option,
                   const char *value)
{
    error_clear(&f->err);
    return option_assign(&typed->options, option, value, option->name, f->arena, &f->err);
}

static void assert_prints(const struct typed *typed, const struct option *option, const char *words)
{
    AUTO(text) out = TEXT_INIT;

    option_print(&typed->options, option, &out);
    assert_string_equal(out.bytes, words);
}

static void sizes_and_percentages_have_units(void **state)
{
    struct fixture *f = *state;
    struct typed typed = {.bytes = 0};

    assert_true(assign(f, &typed, &size, "512k"));
    assert_int_equal(typed.bytes, 512 * 1024);
    assert_prints(&typed, &size, "512KiB");
    assert_true(assign(f, &typed, &size, "3gib"));
    assert_prints(&typed, &size, "3GiB");
    assert_true(assign(f, &typed, &size, "never"));
    assert_prints(&typed, &size, "never");
    assert_false(assign(f, &typed, &size, "1000"));
    assert_string_equal(f->err.text, "size takes never or a size with its unit (512KiB, 100MiB, "
                                     "2GiB), not '1000'");
    assert_false(assign(f, &typed, &size, "2TiB"));
    assert_string_equal(f->err.text, "size takes never or 1KiB to 1TiB, not '2TiB'");
    assert_true(assign(f, &typed, &percent, "40%"));
    assert_true(assign(f, &typed, &percent, "50"));
    assert_prints(&typed, &percent, "50%");
    assert_false(assign(f, &typed, &percent, "101%"));
    assert_string_equal(f->err.text, "percent takes 0% to 100%, not '101%'");
}

static void paths_become_absolute(void **state)
{
    struct fixture *f = *state;
    struct typed typed = {.text = NULL};
    char here[1000];

    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(setenv("HOME", "/home/ann", 1), 0);
    assert_true(assign(f, &typed, &path, "~/hooks"));
    assert_string_equal(typed.text, "/home/ann/hooks");
    assert_true(assign(f, &typed, &path, "/etc/hooks"));
    assert_string_equal(typed.text, "/etc/hooks");
    assert_true(assign(f, &typed, &path, "hooks"));
    assert_string_equal(typed.text, arena_printf(f->arena, "%s/hooks", here));
    assert_true(assign(f, &typed, &path, "none"));
    assert_null(typed.text);
    assert_false(assign(f, &typed, &path, ""));
    assert_string_equal(f->err.text, "path is empty");
}

static void a_list_grows_and_keeps_its_secrets(void **state)
{
    struct fixture *f = *state;
    struct typed typed = {.text = NULL};

    assert_true(assign(f, &typed, &list, "one"));
    const struct typed before = typed;
    assert_true(assign(f, &typed, &list, "two"));
    assert_int_equal(before.words.count, 1);
    assert_int_equal(typed.words.count, 2);
    assert_string_equal(typed.words.list[1], "two");
    assert_prints(&typed, &list, "(secret) (secret)");
    assert_false(assign(f, &typed, &list, "box"));
    assert_string_equal(f->err.text, "list: no x here");
    assert_true(assign(f, &typed, &list, "none"));
    assert_prints(&typed, &list, "none");
}

static void rows_make_sense(void **state)
{
    (void)state;
    for (size_t i = 0; i < options_count; i++) {
        const struct option *option = options_table[i];
        assert_true(!option->letter || option->type == OPT_FLAG);
        assert_true((option->type == OPT_CHOICE) == (option->choices != NULL));
        /* The state table is no place for passwords. */
        assert_false(option->is_secret && option->is_durable);
        assert_false(option->type == OPT_LIST && option->is_durable); /* saved is one word */
        assert_true(option->commands != 0);
    }
}

static void the_table_is_in_order_and_names_are_its_own(void **state)
{
    (void)state;
    for (size_t i = 1; i < options_count; i++)
        assert_true(strcmp(options_table[i - 1]->name, options_table[i]->name) < 0);
}

static bool writes_golden(void)
{
    const char *mode = getenv("OSC_GOLDEN");

    return mode && strcmp(mode, "write") == 0;
}

/* Compares with tests/golden/help/<name>.txt; OSC_GOLDEN=write writes it instead. */
static void assert_golden(const char *name, const char *text)
{
    char file_name[500];
    char golden[20000];
    const bool writes = writes_golden();

    (void)snprintf(file_name, sizeof file_name, "%s/help/%s.txt", GOLDEN_DIR, name);
    FILE *file = fopen(file_name, writes ? "w" : "r");
    if (!file)
        fail_msg("%s cannot be opened", file_name);
    if (writes) {
        assert_true(fputs(text, file) >= 0);
    } else {
        const size_t length = fread(golden, 1, sizeof golden - 1, file);
        golden[length] = '\0';
        assert_string_equal(text, golden);
    }
    assert_int_equal(fclose(file), 0);
}

static void help_is_as_reviewed(void **state)
{
    AUTO(text) all = TEXT_INIT;

    (void)state;
    command_describe(&all, NULL);
    assert_golden("osc", all.bytes);
    for (const struct command *const *at = commands; *at; at++) {
        AUTO(text) out = TEXT_INIT;
        command_describe(&out, *at);
        assert_golden((*at)->name, out.bytes);
    }
}

/* A pipe ends a cell of a Markdown table, even in code; "<" would begin a tag. */
static void add_cell(struct text *out, const char *words)
{
    for (; *words; words++)
        text_printf(out, "%s%c", strchr("|<", *words) ? "\\" : "", *words);
}

static void add_markdown_row(struct text *out, const struct option *option)
{
    AUTO(text) choices = TEXT_INIT;

    if (option->choices)
        option_choices(&choices, option);
    text_printf(out, "| `--%s%s", option->name, option->choices ? "=" : "");
    add_cell(out, choices.bytes);
    text_printf(out, "%s%s` | %s | ", option->value ? " " : "", option->value ? option->value : "",
                option->standard ? option->standard : "");
    add_cell(out, option->help);
    text_add(out, " |\n");
}

static void the_readme_lists_every_option(void **state)
{
    static const char head[] = "| option | default | what it does |\n|---|---|---|\n";
    static const char *const page = GOLDEN_DIR "/../../README.md";
    static char readme[200000];
    AUTO(text) table = TEXT_INIT;

    (void)state;
    FILE *file = fopen(page, "r+");
    assert_non_null(file);
    readme[fread(readme, 1, sizeof readme - 1, file)] = '\0';
    text_add(&table, head);
    for (size_t i = 0; i < options_count; i++)
        add_markdown_row(&table, options_table[i]);
    text_add(&table, "\n");
    char *found = strstr(readme, head);
    assert_non_null(found);
    if (writes_golden()) {
        const char *behind = strstr(found, "\n\n") + 2;
        assert_int_equal(fseek(file, found - readme, SEEK_SET), 0);
        assert_true(fprintf(file, "%s%s", table.bytes, behind) > 0);
        assert_int_equal(fflush(file), 0);
        assert_int_equal(ftruncate(fileno(file), ftell(file)), 0);
    } else if (strncmp(found, table.bytes, table.length) != 0) {
        (void)fputs(table.bytes, stdout); /* longer than a message may be */
        fail_msg("README.md lacks the table above; OSC_GOLDEN=write writes it");
    }
    assert_int_equal(fclose(file), 0);
}

static void help_fits_a_terminal(void **state)
{
    (void)state;
    for (const struct command *const *at = commands; *at; at++) {
        AUTO(text) out = TEXT_INIT;
        command_describe(&out, *at);
        for (const char *line = out.bytes; *line; line += strcspn(line, "\n") + 1)
            assert_true(strcspn(line, "\n") <= 100);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(defaults_come_from_the_table),
        TEST(options_stand_anywhere),
        TEST(two_dashes_end_the_options),
        TEST(a_lone_dash_is_a_word),
        TEST(durations_need_a_unit),
        TEST(a_value_out_of_range_names_the_range),
        TEST(an_unknown_option_suggests_the_nearest),
        TEST(a_missing_value_is_refused),
        TEST(a_flag_may_be_switched_off),
        TEST(the_password_is_blanked_in_argv),
        TEST(a_mistyped_dsn_option_does_not_print_its_value),
        TEST(quiet_and_verbose_exclude_each_other),
        TEST(the_environment_fills_what_was_not_given),
        TEST(a_list_in_the_environment_stands_between_blanks),
        TEST(what_a_run_is_told_to_change_is_an_assignment),
        TEST(an_address_to_ask_is_one_of_http),
        TEST(a_command_refuses_options_of_others),
        TEST(saved_options_come_back_unless_given_again),
        TEST(sizes_and_percentages_have_units),
        TEST(paths_become_absolute),
        TEST(a_list_grows_and_keeps_its_secrets),
        TEST(rows_make_sense),
        TEST(the_table_is_in_order_and_names_are_its_own),
        TEST(help_is_as_reviewed),
        TEST(help_fits_a_terminal),
        TEST(the_readme_lists_every_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
