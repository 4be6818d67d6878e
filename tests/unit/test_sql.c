#include "tests/unit/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "osc/db/driver.h"
#include "osc/db/sql.h"

static struct arena *arena;
static struct db db; /* the family's quoting needs no connection */
static const struct db_driver quoting = {
    .add_literal = mysql_add_literal,
    .add_name = mysql_add_name,
};

static int set_up(void **state)
{
    (void)state;
    arena = arena_new();
    db.driver = &quoting;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static void placeholders_are_filled_in(void **state)
{
    struct sql_env env = {.arena = arena};

    (void)state;
    sql_bind_name(&env, &db, "table", "odd`name");
    sql_bind_literal(&env, &db, "note", "it's");
    sql_bind_literal(&env, &db, "nothing", NULL);
    sql_bind_u64(&env, "id", UINT64_MAX);
    sql_bind_sql(&env, "where", "a < 1");
    assert_string_equal(
        sql_renders(arena, "INSERT {table} VALUES ({id}, {note}, {nothing}) WHERE {where}", &env),
        "INSERT `odd``name` VALUES (18446744073709551615, 'it\\'s', NULL) WHERE a < 1");
    assert_string_equal(sql_renders(arena, "", &env), "");
    assert_string_equal(sql_renders(arena, "{id}{id}", &env),
                        "1844674407370955161518446744073709551615");
}

static void values_are_not_read_as_templates(void **state)
{
    struct sql_env env = {.arena = arena};

    (void)state;
    sql_bind_literal(&env, &db, "value", "{id}");
    assert_string_equal(sql_renders(arena, "SELECT {value}", &env), "SELECT '{id}'");
}

static void inner_names_hide_outer_ones(void **state)
{
    struct sql_env outer = {.arena = arena};
    struct sql_env inner = {.arena = arena, .outer = &outer};

    (void)state;
    sql_bind_sql(&outer, "a", "outer");
    sql_bind_sql(&outer, "b", "outer");
    sql_bind_sql(&inner, "a", "inner");
    assert_string_equal(sql_renders(arena, "{a} {b}", &inner), "inner outer");
    sql_bind_sql(&inner, "a", "latest");
    assert_string_equal(sql_lookup(&inner, "a"), "latest");
    assert_string_equal(sql_lookup(&outer, "a"), "outer");
    assert_null(sql_lookup(&inner, "c"));
}

/* Renders in a child; true when it aborts. */
static bool aborts(const char *template)
{
    struct sql_env env = {.arena = arena};
    int status = 0;
    const pid_t child = fork();

    if (child == 0) {
        const int silence = open("/dev/null", O_WRONLY);
        (void)dup2(silence, STDERR_FILENO);
        (void)signal(SIGABRT, SIG_DFL);
        sql_bind_sql(&env, "known", "x");
        (void)sql_renders(arena, template, &env);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void unknown_placeholders_are_bugs(void **state)
{
    (void)state;
    assert_false(aborts("SELECT {known}"));
    assert_true(aborts("SELECT {unknown}"));
    assert_true(aborts("SELECT {know}"));
    assert_true(aborts("SELECT {known2}"));
    assert_true(aborts("SELECT {}"));
    assert_true(aborts("SELECT {known"));
}

static const char *literal(const char *bytes, size_t length)
{
    AUTO(text) out = TEXT_INIT;

    mysql_add_literal(&db, &out, bytes, length);
    return arena_copy(arena, out.bytes, out.length);
}

static void literals_keep_every_byte(void **state)
{
    (void)state;
    assert_string_equal(literal("", 0), "''");
    assert_string_equal(literal("a\0b\n\r\\'\"\032c", 10), "'a\\0b\\n\\r\\\\\\'\\\"\\Zc'");
    assert_string_equal(literal("\xc3\xa9\xf0\x9f\x98\x80", 6), "'\xc3\xa9\xf0\x9f\x98\x80'");
}

static void bytes_that_are_no_text_are_written_in_hex(void **state)
{
    (void)state;
    assert_string_equal(literal("\xff", 1), "X'FF'");
    assert_string_equal(literal("a\xc3", 2), "X'61C3'");
    assert_string_equal(literal("\xc0\xaf", 2), "X'C0AF'");             /* overlong */
    assert_string_equal(literal("\xe0\x80\x80", 3), "X'E08080'");       /* overlong */
    assert_string_equal(literal("\xed\xa0\x80", 3), "X'EDA080'");       /* surrogate */
    assert_string_equal(literal("\xf4\x90\x80\x80", 4), "X'F4908080'"); /* beyond Unicode */
    assert_string_equal(literal("\xe2\x82", 2), "X'E282'");             /* cut off */
}

static void the_kinds_of_the_codes(void **state)
{
    (void)state;
    assert_int_equal(mysql_error_kind(1213), ERROR_TRANSIENT);
    assert_int_equal(mysql_error_kind(1062), ERROR_CONFLICT);
    assert_int_equal(mysql_error_kind(1406), ERROR_DATA);
    assert_int_equal(mysql_error_kind(2013), ERROR_LOST);
    assert_int_equal(mysql_error_kind(1156), ERROR_LOST);
    assert_int_equal(mysql_error_kind(1109), ERROR_MISSING);
    assert_int_equal(mysql_error_kind(1146), ERROR_MISSING);
    assert_int_equal(mysql_error_kind(1045), ERROR_DENIED);
    assert_int_equal(mysql_error_kind(1064), ERROR_SERVER);
    assert_int_equal(postgres_error_kind("40P01"), ERROR_TRANSIENT);
    assert_int_equal(postgres_error_kind("40003"), ERROR_LOST);
    assert_int_equal(postgres_error_kind("23505"), ERROR_CONFLICT);
    assert_int_equal(postgres_error_kind("42710"), ERROR_CONFLICT);
    assert_int_equal(postgres_error_kind("42P07"), ERROR_CONFLICT);
    assert_int_equal(postgres_error_kind("23502"), ERROR_DATA);
    assert_int_equal(postgres_error_kind("22P02"), ERROR_DATA);
    assert_int_equal(postgres_error_kind("08006"), ERROR_LOST);
    assert_int_equal(postgres_error_kind("42P01"), ERROR_MISSING);
    assert_int_equal(postgres_error_kind("28P01"), ERROR_DENIED);
    assert_int_equal(postgres_error_kind("42601"), ERROR_SERVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(placeholders_are_filled_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(values_are_not_read_as_templates, set_up, tear_down),
        cmocka_unit_test_setup_teardown(inner_names_hide_outer_ones, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unknown_placeholders_are_bugs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(literals_keep_every_byte, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bytes_that_are_no_text_are_written_in_hex, set_up,
                                        tear_down),
        cmocka_unit_test(the_kinds_of_the_codes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
