#include "tests/unit/unit.h"

#include "osc/plan/alter.h"

static const struct alter_rules mysql = {.has_backquotes = true};
static const struct alter_rules postgres = {.has_backquotes = false};

static const char *shown_renames(const char *alter, const struct alter_rules *rules)
{
    static char shown[400];
    struct arena *arena = arena_new();

    shown[0] = '\0';
    for (struct name_pair *p = alter_renames(alter, rules, arena); p; p = p->next) {
        const size_t used = strlen(shown);
        (void)snprintf(shown + used, sizeof shown - used, "%s>%s;", p->from, p->to);
    }
    arena_free(arena);
    return shown;
}

static void renames_are_found(void **state)
{
    (void)state;
    assert_string_equal(shown_renames("CHANGE a b INT", &mysql), "a>b;");
    assert_string_equal(shown_renames("change column `a` `b c` int, ADD d int", &mysql), "a>b c;");
    assert_string_equal(shown_renames("RENAME COLUMN a TO b, RENAME COLUMN b TO a", &mysql),
                        "a>b;b>a;");
    assert_string_equal(shown_renames("RENAME \"Odd \"\"Name\" TO Plain", &postgres),
                        "Odd \"Name>plain;");
    assert_string_equal(shown_renames("CHANGE `a``b` `c` int", &mysql), "a`b>c;");
}

static void words_in_strings_and_comments_are_no_renames(void **state)
{
    (void)state;
    assert_string_equal(
        shown_renames("ADD c int COMMENT 'RENAME COLUMN x TO y, CHANGE a b int'", &mysql), "");
    assert_string_equal(
        shown_renames("/* CHANGE a b int, */ ADD c int -- , CHANGE x y int\n", &mysql), "");
    assert_string_equal(shown_renames("ADD c text DEFAULT $x$, RENAME a TO b$x$", &postgres), "");
    assert_string_equal(shown_renames("RENAME INDEX a TO b, RENAME KEY c TO d", &mysql), "");
    assert_string_equal(shown_renames("RENAME CONSTRAINT a TO b", &postgres), "");
    assert_string_equal(shown_renames("ADD CHECK (c IN ('a', 'it''s, CHANGE a b'))", &mysql), "");
    assert_string_equal(shown_renames("ADD c int COMMENT 'it\\'s', CHANGE a b int", &mysql),
                        "a>b;");
}

static void dropped_columns_are_known(void **state)
{
    (void)state;
    assert_true(alter_drops("DROP COLUMN a, ADD COLUMN a int", &mysql, "A"));
    assert_true(alter_drops("ADD b int, DROP `a b`", &mysql, "a b"));
    assert_true(alter_drops("DROP COLUMN IF EXISTS period", &mysql, "period"));
    assert_true(alter_drops("DROP system", &mysql, "system"));
    assert_false(alter_drops("DROP INDEX a, DROP PRIMARY KEY, DROP FOREIGN KEY a", &mysql, "a"));
    assert_false(alter_drops("ALTER a DROP DEFAULT, ADD b int COMMENT ', DROP a'", &mysql, "a"));
    assert_false(alter_drops("DROP COLUMN a", &postgres, "A"));
}

static enum error_kind checked(const char *alter, const struct alter_rules *rules)
{
    struct error err = ERROR_INIT;

    (void)!alter_check(alter, rules, &err);
    return err.kind;
}

static void what_is_no_list_of_clauses_is_refused(void **state)
{
    (void)state;
    const char *const bad[] = {
        "/*!50000 DROP COLUMN a */",
        "ADD b int /*M! , DROP a */",
        "",
        " \n",
        "/* nothing */",
        "-- nothing",
        "ADD c int; DROP TABLE x",
        "ADD c (1",
        "ADD c 1)",
        "ADD c 'open",
        "ALTER TABLE t ADD c int",
        "RENAME TO x",
        "add c int, rename to x",
        "/* open",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(checked(bad[i], &mysql), ERROR_USAGE);
    assert_int_equal(checked(",", &mysql), ERROR_USAGE);
    assert_int_equal(checked("ADD a int,, DROP b", &postgres), ERROR_USAGE);
    assert_int_equal(checked("RENAME x", &mysql), ERROR_USAGE);
    assert_int_equal(checked("/*!50000 CHANGE a b int */", &mysql), ERROR_USAGE);
    assert_int_equal(checked("SET SCHEMA other", &postgres), ERROR_USAGE);
    assert_int_equal(checked("ADD c text DEFAULT $$;$$", &postgres), ERROR_NONE);
    assert_int_equal(checked("ADD c varchar(3) DEFAULT ';'", &mysql), ERROR_NONE);
    assert_int_equal(checked("RENAME COLUMN a TO b", &mysql), ERROR_NONE);
}

static void using_expressions_are_found(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    const struct alter_using *u =
        alter_usings("ALTER COLUMN \"C\" SET DATA TYPE int USING (\"C\"::int, 1), ALTER d TYPE "
                     "numeric(3,1) USING round(d, 1), ALTER e TYPE text",
                     &postgres, arena);
    assert_string_equal(u->column, "C");
    assert_string_equal(u->expression, "(\"C\"::int, 1)");
    assert_string_equal(u->next->column, "d");
    assert_string_equal(u->next->expression, "round(d, 1)");
    assert_null(u->next->next);
    arena_free(arena);
}

static void constraint_names_are_replaced_where_they_name_one(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    const struct name_pair names = {.from = "users_email_key", .to = "\"new_key\""};
    assert_string_equal(alter_with_names("DROP CONSTRAINT users_email_key, ADD users_email_key int",
                                         &postgres, &names, arena),
                        "DROP CONSTRAINT \"new_key\", ADD users_email_key int");
    assert_string_equal(alter_with_names("drop constraint if exists Users_Email_Key cascade",
                                         &postgres, &names, arena),
                        "drop constraint if exists \"new_key\" cascade");
    assert_string_equal(alter_with_names("ADD c text DEFAULT 'DROP CONSTRAINT users_email_key'",
                                         &postgres, &names, arena),
                        "ADD c text DEFAULT 'DROP CONSTRAINT users_email_key'");
    assert_string_equal(
        alter_with_names("DROP CONSTRAINT users_email_key, ADD CONSTRAINT users_email_key "
                         "PRIMARY KEY USING INDEX users_email_key USING INDEX TABLESPACE x",
                         &postgres, &names, arena),
        "DROP CONSTRAINT \"new_key\", ADD CONSTRAINT \"new_key\" "
        "PRIMARY KEY USING INDEX \"new_key\" USING INDEX TABLESPACE x");
    assert_string_equal(
        alter_with_names("RENAME CONSTRAINT x TO users_email_key", &postgres, &names, arena),
        "RENAME CONSTRAINT x TO \"new_key\"");
    assert_string_equal(alter_with_names("ADD COLUMN c int CONSTRAINT users_email_key UNIQUE",
                                         &postgres, &names, arena),
                        "ADD COLUMN c int CONSTRAINT \"new_key\" UNIQUE");
    assert_string_equal(alter_with_names("RENAME a TO users_email_key", &postgres, &names, arena),
                        "RENAME a TO users_email_key");
    arena_free(arena);
}

static void the_tables_own_name_is_replaced_before_a_dot(void **state)
{
    (void)state;
    struct arena *arena = arena_new();

    assert_string_equal(
        alter_with_table("ADD CHECK (Users.a > 0 AND app.users.b < 1), ADD users int, "
                         "ADD c text DEFAULT 'users.a', ALTER d TYPE int USING \"users\" . d",
                         &postgres, "users", "\"new\"", arena),
        "ADD CHECK (\"new\".a > 0 AND app.\"new\".b < 1), ADD users int, "
        "ADD c text DEFAULT 'users.a', ALTER d TYPE int USING \"new\" . d");
    arena_free(arena);
}

static void renames_stand_alone(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    const char *const expected[] = {"ADD a int DEFAULT f(1, 2), DROP b", "RENAME COLUMN c TO d",
                                    "RENAME d TO \"e, f\"", "ADD g text DEFAULT ','"};
    size_t n = 0;

    for (const struct alter_part *part = alter_parts(
             "ADD a int DEFAULT f(1, 2),\n -- no\n DROP b, RENAME COLUMN c TO d, RENAME d TO "
             "\"e, f\", ADD g text DEFAULT ','",
             &postgres, arena);
         part; part = part->next)
        assert_string_equal(part->clauses, expected[n++]);
    assert_int_equal(n, ARRAY_SIZE(expected));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(renames_are_found),
        cmocka_unit_test(words_in_strings_and_comments_are_no_renames),
        cmocka_unit_test(dropped_columns_are_known),
        cmocka_unit_test(what_is_no_list_of_clauses_is_refused),
        cmocka_unit_test(using_expressions_are_found),
        cmocka_unit_test(constraint_names_are_replaced_where_they_name_one),
        cmocka_unit_test(the_tables_own_name_is_replaced_before_a_dot),
        cmocka_unit_test(renames_stand_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
