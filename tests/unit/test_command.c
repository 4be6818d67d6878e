/* Commands: found, checked, and their words understood. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "osc/base/log.h"
#include "osc/command_bodies.h"

static int set_up(void **state)
{
    struct run *run = test_calloc(1, sizeof *run);

    (void)unsetenv("OSC_DSN");
    run->arena = arena_new();
    *state = run;
    return 0;
}

static int tear_down(void **state)
{
    struct run *run = *state;

    arena_free(run->arena);
    test_free(run);
    return 0;
}

static void assert_name(struct run *run, const char *word, const char *schema, const char *table)
{
    struct error err = ERROR_INIT;
    const char *got_schema = NULL, *got_table = NULL;

    assert_true(command_table(run, word, &got_schema, &got_table, &err));
    if (schema)
        assert_string_equal(got_schema, schema);
    else
        assert_null(got_schema);
    assert_string_equal(got_table, table);
}

static void names_may_be_qualified_and_quoted(void **state)
{
    struct run *run = *state;

    assert_name(run, "users", NULL, "users");
    assert_name(run, "shop.users", "shop", "users");
    assert_name(run, "\"odd.name\"", NULL, "odd.name");
    assert_name(run, "shop.\"odd.\"\"name\"", "shop", "odd.\"name");
    assert_name(run, "`a.b`.`c``d`", "a.b", "c`d");
    assert_name(run, "a b", NULL, "a b");
}

static void what_is_no_name_is_refused(void **state)
{
    static const char *const words[] = {"", ".", "a.", ".b", "a.b.c", "\"a", "\"a\"b", "\"\"", "`"};

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        struct error err = ERROR_INIT;
        const char *schema, *table;
        assert_false(command_table(*state, words[i], &schema, &table, &err));
        assert_int_equal(err.kind, ERROR_USAGE);
    }
}

static bool id_of(struct run *run, const char *word, const char **schema, const char **table)
{
    struct error err = ERROR_INIT;

    run->id = 0;
    run->words = (struct words){(const char *[]){word}, 1};
    return command_id(run, schema, table, &err);
}

static void an_id_may_name_its_schema(void **state)
{
    struct run *run = *state;
    struct error err = ERROR_INIT;
    const char *schema, *table;

    assert_true(command_id(run, &schema, &table, &err));
    assert_int_equal(run->id, 0);
    assert_true(id_of(run, "7", &schema, &table));
    assert_int_equal(run->id, 7);
    assert_null(schema);
    assert_true(id_of(run, "shop.12", &schema, &table));
    assert_int_equal(run->id, 12);
    assert_string_equal(schema, "shop");
    assert_null(table);
}

static void instead_of_an_id_a_table_may_be_named(void **state)
{
    struct run *run = *state;
    const char *schema, *table;

    assert_true(id_of(run, "shop.users", &schema, &table));
    assert_int_equal(run->id, 0);
    assert_string_equal(schema, "shop");
    assert_string_equal(table, "users");
    assert_true(id_of(run, "7x", &schema, &table));
    assert_null(schema);
    assert_string_equal(table, "7x");
    assert_false(id_of(run, "shop.", &schema, &table));
}

/* Parses these words and expects this complaint; NULL: none. */
static void assert_parse(struct run *run, const char *complaint, char *const *words)
{
    struct error err = ERROR_INIT;
    char *argv[8] = {(char[]){"osc"}};
    int argc = 1;

    for (; words[argc - 1]; argc++)
        argv[argc] = arena_string(run->arena, words[argc - 1]);
    const bool good = command_parse(run, argc, argv, &err);
    assert_string_equal(err.text, complaint ? complaint : "");
    assert_int_equal(err.kind, complaint ? ERROR_USAGE : ERROR_NONE);
    assert_int_equal(good, complaint == NULL);
}

#define ASSERT_PARSE(complaint, ...) assert_parse(run, (complaint), (char *[]){__VA_ARGS__, NULL})

static void commands_check_their_words(void **state)
{
    struct run *run = *state;

    ASSERT_PARSE(NULL, "alter", "users", "ADD c int");
    assert_string_equal(run->command->name, "alter");
    assert_int_equal(run->words.count, 2);
    ASSERT_PARSE(NULL, "--json", "status");
    ASSERT_PARSE(NULL, "alter", "--help");
    ASSERT_PARSE("there is no command 'atler'", "atler", "users");
    ASSERT_PARSE("osc alter needs [SCHEMA.]TABLE \"CLAUSES\"", "alter", "users");
    ASSERT_PARSE("osc history takes no arguments", "history", "1");
    ASSERT_PARSE("osc status takes only [ID | TABLE]", "status", "1", "2");
    ASSERT_PARSE("osc history has no option --threads", "history", "--threads=2");
    ASSERT_PARSE("which command?", "--json");
    ASSERT_PARSE("a DSN stands where none is expected", "status", "postgres://me:secret@db/shop");
}

static void a_request_needs_a_server(void **state)
{
    struct run *run = *state;
    struct request request;
    struct error err = ERROR_INIT;

    assert_false(command_request(run, &request, &err));
    assert_string_equal(err.text, "which server? There is neither --dsn nor OSC_DSN");
    run->options.dsn = "postgres://u:secret@h/db";
    assert_true(command_request(run, &request, &err));
    assert_null(strstr(request.dsn->shown, "secret"));
}

static void what_a_command_cannot_use_is_told(void **state)
{
    struct run *run = *state;
    struct error err = ERROR_INIT;

    ASSERT_PARSE(NULL, "completion", "fish");
    assert_false(command_run(run, &err));
    assert_int_equal(err.kind, ERROR_USAGE);
    assert_string_equal(err.text, "there is completion for bash and zsh, not for 'fish'");
    ASSERT_PARSE(NULL, "set", "7");
    assert_false(command_run(run, &err));
    assert_int_equal(err.kind, ERROR_USAGE);
    assert_string_equal(err.text, "osc set needs NAME=VALUE");
    assert_string_equal(err.hint, "osc set --help shows an example");
}

static void every_command_asks_for_its_server(void **state)
{
    static const char *const lines[][3] = {
        {"alter",   "t",  "ADD c int"},
        {"plan",    "t",  "ADD c int"},
        {"resume",  "7",  NULL       },
        {"abort",   "t",  NULL       },
        {"finish",  "7",  NULL       },
        {"verify",  "t",  NULL       },
        {"status",  "7",  NULL       },
        {"history", NULL, NULL       },
        {"pause",   "7",  NULL       },
        {"set",     "7",  "threads=2"},
        {"advise",  NULL, NULL       },
    };
    struct run *run = *state;

    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        struct error err = ERROR_INIT;
        ASSERT_PARSE(NULL, (char *)lines[i][0], (char *)lines[i][1], (char *)lines[i][2]);
        assert_false(command_run(run, &err));
        assert_int_equal(err.kind, ERROR_USAGE);
        assert_string_equal(err.text, "which server? There is neither --dsn nor OSC_DSN");
    }
}

static bool is_concern_heard;

static void hear(enum log_level level, const char *event, const struct log_field *fields)
{
    is_concern_heard |= level == LOG_WARN && strcmp(event, "config file") == 0 &&
                        strcmp(fields->text, "anybody may read it") == 0;
}

static void a_concern_does_not_keep_a_command_from_running(void **state)
{
    struct run *run = *state;
    struct error err = ERROR_INIT;

    ASSERT_PARSE(NULL, "completion", "fish");
    run->settings.concern = "anybody may read it";
    log_observe(hear);
    assert_false(command_run(run, &err));
    log_observe(NULL);
    assert_true(is_concern_heard);
    assert_non_null(strstr(err.text, "completion"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(names_may_be_qualified_and_quoted),
        TEST(what_is_no_name_is_refused),
        TEST(an_id_may_name_its_schema),
        TEST(instead_of_an_id_a_table_may_be_named),
        TEST(commands_check_their_words),
        TEST(a_request_needs_a_server),
        TEST(every_command_asks_for_its_server),
        TEST(what_a_command_cannot_use_is_told),
        TEST(a_concern_does_not_keep_a_command_from_running),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
