#include "tests/unit/unit.h"

#include "osc/plan/names.h"

static void names_begin_with_the_table_and_fit(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    const struct facts bytes = {.max_name_bytes = 63};
    struct names names;

    names_derive(&names, "users", &bytes, arena);
    assert_string_equal(names.shadow, "users_osc_new");
    assert_string_equal(names.retired, "users_osc_old");
    assert_string_equal(names.journal, "users_osc_journal");
    char long_name[64], other[64];
    memset(long_name, 'z', 63);
    long_name[63] = '\0';
    memcpy(other, long_name, sizeof other);
    other[62] = 'y';
    const char *a = names_with_suffix(long_name, "_osc_journal", &bytes, arena);
    const char *b = names_with_suffix(other, "_osc_journal", &bytes, arena);
    assert_int_equal(strlen(a), 63);
    assert_string_not_equal(a, b);
    assert_true(strcmp(a, long_name) > 0); /* RENAME must wait on the source first */
    arena_free(arena);
}

static void names_are_cut_between_characters(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    const struct facts characters = {.max_name_bytes = 64, .names_in_characters = true};
    const struct facts bytes = {.max_name_bytes = 63};
    char name[130] = "";

    for (int i = 0; i < 64; i++)
        memcpy(name + 2 * i, "é", 3);
    const char *cut = names_with_suffix(name, "_osc_new", &characters, arena);
    size_t count = 0;
    for (const char *c = cut; *c; c++)
        count += ((unsigned char)*c & 0xc0) != 0x80;
    assert_int_equal(count, 64);
    name[62] = '\0';
    cut = names_with_suffix(name, "_osc_new", &bytes, arena);
    assert_true(strlen(cut) <= 63);
    assert_int_equal((strstr(cut, "~") - cut) % 2, 0);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_begin_with_the_table_and_fit),
        cmocka_unit_test(names_are_cut_between_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
