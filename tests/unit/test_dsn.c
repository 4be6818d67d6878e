#include "tests/unit/unit.h"

#include "osc/db/dialect.h"
#include "osc/db/dsn.h"

#define SECRET "s3cr3t"

/* Stand-ins: only their addresses matter here. */
const struct dialect mysql_dialect = {.name = "mysql"};
const struct dialect postgres_dialect = {.name = "postgres"};

static struct arena *arena;
static struct error err;

static int set_up(void **state)
{
    (void)state;
    arena = arena_new();
    error_clear(&err);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static struct dsn parse(const char *url)
{
    struct dsn dsn = {.url = NULL};

    if (!dsn_parse(&dsn, url, arena, &err))
        fail_msg("%s: %s", url, err.text);
    return dsn;
}

static void refuses(const char *url)
{
    struct dsn dsn = {.url = "untouched"};

    error_clear(&err);
    assert_false(dsn_parse(&dsn, url, arena, &err));
    assert_int_equal(err.kind, ERROR_USAGE);
    assert_string_equal(dsn.url, "untouched");
    assert_null(strstr(err.text, SECRET));
    assert_null(strstr(err.hint, SECRET));
    assert_non_null(strstr(err.hint, "mysql://user@host:3306/database"));
}

static void the_parts_are_found(void **state)
{
    (void)state;
    const struct dsn dsn = parse("mysql://me:" SECRET "@db.example:3307/shop?ssl-mode=REQUIRED");

    assert_ptr_equal(dsn.dialect, &mysql_dialect);
    assert_string_equal(dsn.user, "me");
    assert_string_equal(dsn.password, SECRET);
    assert_string_equal(dsn.host, "db.example");
    assert_int_equal(dsn.port, 3307);
    assert_string_equal(dsn.database, "shop");
    assert_string_equal(dsn_option(&dsn, "ssl-mode"), "REQUIRED");
    assert_null(dsn_option(&dsn, "ssl-ca"));
    assert_null(dsn.socket);
}

static void every_part_may_be_absent(void **state)
{
    (void)state;
    static const char *const urls[] = {"mysql://", "mysql:///", "mariadb://?", "mysql:///?"};

    for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
        const struct dsn dsn = parse(urls[i]);
        assert_null(dsn.user);
        assert_null(dsn.password);
        assert_null(dsn.host);
        assert_null(dsn.database);
        assert_int_equal(dsn.port, 0);
        assert_null(dsn.options);
    }
    assert_string_equal(parse("mysql://:@h").password, "");
    assert_string_equal(parse("mysql://u@h:/d").host, "h");
    assert_null(parse("mysql://u@h").password);
}

static void the_scheme_chooses_the_dialect(void **state)
{
    (void)state;
    assert_ptr_equal(parse("mariadb://h").dialect, &mysql_dialect);
    assert_ptr_equal(parse("MySQL://h").dialect, &mysql_dialect);
    assert_ptr_equal(parse("postgres://h").dialect, &postgres_dialect);
    assert_ptr_equal(parse("postgresql:///x?service=prod").dialect, &postgres_dialect);
    refuses("oracle://me:" SECRET "@h");
    refuses("mysqlx://me:" SECRET "@h");
    refuses("mysql:" SECRET "@h");
    refuses("host=h password=" SECRET);
    refuses("");
}

static void escapes_are_decoded(void **state)
{
    (void)state;
    const struct dsn dsn = parse("mysql://u%40x:a%2Fb%3a%25%3F%23@h/d%20b?socket=/run%2Fmy.sock");

    assert_string_equal(dsn.user, "u@x");
    assert_string_equal(dsn.password, "a/b:%?#");
    assert_string_equal(dsn.database, "d b");
    assert_string_equal(dsn.socket, "/run/my.sock");
    refuses("mysql://u:" SECRET "%@h");
    refuses("mysql://u:" SECRET "%4@h");
    refuses("mysql://u:" SECRET "%zz@h");
    refuses("mysql://u:" SECRET "%00@h");
    refuses("mysql://u:" SECRET "@h/d%f");
}

static void addresses_may_be_bracketed_or_listed(void **state)
{
    (void)state;
    const struct dsn v6 = parse("mysql://u@[2001:db8::1]:3308/d");
    const struct dsn list = parse("postgres://u@one:5433,two:5434/d");

    assert_string_equal(v6.host, "2001:db8::1");
    assert_int_equal(v6.port, 3308);
    assert_string_equal(list.host, "one");
    assert_int_equal(list.port, 5433);
    assert_string_equal(list.database, "d");
    refuses("mysql://u@[2001:db8::1/d");
}

static void ports_are_numbers(void **state)
{
    (void)state;
    assert_int_equal(parse("mysql://h:65535").port, 65535);
    refuses("mysql://h:65536");
    refuses("mysql://h:0");
    refuses("mysql://h:99999999999");
    refuses("postgres://u:" SECRET "/x@h:5432/d");
    refuses("postgres://u:" SECRET "/x");
}

static void a_password_that_is_not_escaped_is_refused_unseen(void **state)
{
    (void)state;
    refuses("mysql://u:p@" SECRET "@h/d");
    refuses("mysql://u:p/" SECRET "@h/d");
    refuses("postgres://u:12/" SECRET "@h/d");
    refuses("postgres://u:p?" SECRET "@h/d");
    refuses("postgres://u:1?" SECRET "@h=/d");
    refuses("mysql://u@h/d?" SECRET);
    refuses("mysql://u@h/d?=" SECRET);
}

static void the_password_is_never_shown(void **state)
{
    (void)state;
    assert_string_equal(parse("mysql://u:" SECRET "@h:1/d").shown, "mysql://u@h:1/d");
    assert_string_equal(parse("postgres://u:" SECRET "@h?sslmode=require&password=" SECRET).shown,
                        "postgres://u@h?sslmode=require");
    assert_string_equal(parse("postgres://h/d?sslpassword=" SECRET "&connect_timeout=3").shown,
                        "postgres://h/d?connect_timeout=3");
    assert_string_equal(parse("mysql://h/d?passwrd=" SECRET).shown, "mysql://h/d");
    assert_string_equal(parse("postgres:///d?user=u&password=" SECRET).password, SECRET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_parts_are_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_part_may_be_absent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_scheme_chooses_the_dialect, set_up, tear_down),
        cmocka_unit_test_setup_teardown(escapes_are_decoded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(addresses_may_be_bracketed_or_listed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ports_are_numbers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_password_that_is_not_escaped_is_refused_unseen, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_password_is_never_shown, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
