#include "tests/unit/unit.h"

#include "osc/db/dialect.h"
#include "osc/plan/catalog_dialect.h"
#include "verifier/checksum_dialect.h"
#include "verifier/digest.h"

static void count_and_sum_must_both_agree(void **state)
{
    (void)state;
    const struct digest a = {3, "123"};

    assert_true(digest_is_equal(&a, &(struct digest){3, "123"}));
    assert_false(digest_is_equal(&a, &(struct digest){4, "123"}));
    assert_false(digest_is_equal(&a, &(struct digest){3, "124"}));
    assert_false(digest_is_equal(&a, &(struct digest){3, "-123"}));
}

static void row_that_could_not_be_hashed_is_noticed(void **state)
{
    (void)state;

    assert_true(digest_is_sound(&(struct digest){1, "18446744073709551615"}));
    assert_true(digest_is_sound(&(struct digest){1, "-9999999999999999999999999999999"}));
    assert_false(digest_is_sound(&(struct digest){1, DIGEST_POISON}));
    assert_false(digest_is_sound(&(struct digest){2, "100000000000018446744073709551615"}));
}

/* ---- what one row's hash is made of ---- */

static const char *hash_of(const struct checksum_dialect *checksum, const struct column *column,
                           const char *ref, struct arena *arena)
{
    return checksum->row_hash(&column, &ref, 1, arena);
}

static void assert_hashes(const struct checksum_dialect *checksum, const char *type_name,
                          const char *ref, const char *image)
{
    const struct column column = {.name = "a",
                                  .quoted = "a",
                                  .type = type_name,
                                  .type_name = type_name,
                                  .charset = "utf8mb4",
                                  .collation = "utf8mb4_bin",
                                  .is_nullable = true};
    struct arena *arena = arena_new();
    const char *hash = hash_of(checksum, &column, ref, arena);

    if (!strstr(hash, image))
        fail_msg("%s is not in %s", image, hash);
    arena_free(arena);
}

static void mysql_tells_every_value_from_every_other(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"int",      "t.a",                      ", IFNULL(t.a, 'N'))"                                    },
        {"varchar",  "t.a",                      ", IFNULL(LENGTH(t.a), 'N'), t.a)"                       },
        {"char",     "t.a",                      ", IFNULL(LENGTH(t.a), 'N'), t.a)"                       },
        {"char",     "CAST(t.a AS CHAR)",        "CAST(RTRIM(CONVERT(CAST(t.a AS CHAR) USING utf8mb4)) AS"},
        {"double",   "t.a",                      ", IFNULL(Point(t.a, 0), 'N'))"                          },
        {"bit",      "t.a",                      ", IFNULL(t.a + 0, 'N'))"                                },
        {"longtext", "t.a",                      ", IFNULL(SHA2(t.a, 256), 'N'))"                         },
        {"geometry", "t.a",                      ", IFNULL(SHA2(t.a, 256), 'N'))"                         },
        {"varchar",  "(t.a COLLATE latin1_bin)", "CAST(CONVERT((t.a COLLATE latin1_bin) USING utf"        },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_hashes(&mysql_checksum, cases[i][0], cases[i][1], cases[i][2]);
}

static void columns_without_null_are_spared_the_question(void **state)
{
    (void)state;
    const struct column column = {.type_name = "varchar"};
    struct arena *arena = arena_new();
    const char *hash = hash_of(&mysql_checksum, &column, "t.a", arena);

    assert_non_null(strstr(hash, ", LENGTH(t.a), t.a)"));
    arena_free(arena);
}

static void postgres_tells_every_value_from_every_other(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"int8",          "ROW(t.a)"                                      },
        {"numeric",       "ROW(t.a)"                                      },
        {"text",          "hashtextextended((t.a)::text COLLATE \"C\", 0)"},
        {"jsonb",         "hashtextextended((t.a)::text COLLATE \"C\", 0)"},
        {"bytea",         "hash_record_extended(ROW(t.a), 0)"             },
        {"_int4",         "hashtextextended(ROW(t.a)::text COLLATE \"C\","},
        {"public.hstore", "hashtextextended(ROW(t.a)::text COLLATE \"C\","},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_hashes(&postgres_checksum, cases[i][0], "t.a", cases[i][1]);
}

/* ---- the source's side ---- */

static const char *show_convert(const struct column *from, const struct column *to, const char *ref,
                                struct arena *arena)
{
    return arena_printf(arena, "%s>%s(%s)", from->type, to->type, ref);
}

static void source_values_are_compared_in_the_shadows_type(void **state)
{
    (void)state;
    static const struct catalog_dialect catalog = {.convert = show_convert};
    static const struct dialect dialect = {.catalog = &catalog};
    const struct column from = {.name = "a", .quoted = "a", .type = "int"};
    const struct column to = {.name = "b", .quoted = "b", .type = "text"};
    const struct mapping same = {.from = &from, .to = &from, .value = "t.a"};
    const struct mapping cast = {.from = &from, .to = &to, .value = "t.a", .is_converted = true};
    struct mapping map[] = {same, cast, cast, cast};

    map[2].value = "CAST(t.a …)";
    map[3].value = "(a * 2)";
    map[3].is_users_expression = true;
    const struct plan plan = {.dialect = &dialect, .map = map, .n_map = ARRAY_SIZE(map)};
    struct arena *arena = arena_new();

    assert_string_equal(digest_source_value(&plan, 0, arena), "t.a");
    assert_string_equal(digest_source_value(&plan, 1, arena), "int>text(t.a)");
    assert_string_equal(digest_source_value(&plan, 2, arena), "CAST(t.a …)");
    assert_string_equal(digest_source_value(&plan, 3, arena), ">text((a * 2))");
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(count_and_sum_must_both_agree),
        cmocka_unit_test(row_that_could_not_be_hashed_is_noticed),
        cmocka_unit_test(mysql_tells_every_value_from_every_other),
        cmocka_unit_test(columns_without_null_are_spared_the_question),
        cmocka_unit_test(postgres_tells_every_value_from_every_other),
        cmocka_unit_test(source_values_are_compared_in_the_shadows_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
