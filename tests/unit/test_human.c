/* Quantities as people read them. */
#include "tests/unit/unit.h"

#include "osc/base/human.h"
#include "osc/base/nearest.h"

static void counts_have_three_digits(void **state)
{
    (void)state;
    assert_string_equal(human_count(0).text, "0");
    assert_string_equal(human_count(812).text, "812");
    assert_string_equal(human_count(999).text, "999");
    assert_string_equal(human_count(1000).text, "1.00k");
    assert_string_equal(human_count(9994).text, "9.99k");
    assert_string_equal(human_count(9996).text, "10.0k");
    assert_string_equal(human_count(45600).text, "45.6k");
    assert_string_equal(human_count(182300).text, "182k");
    assert_string_equal(human_count(999700).text, "1.00M");
    assert_string_equal(human_count(2314000).text, "2.31M");
    assert_string_equal(human_count(UINT64_MAX).text, "18446744T");
}

static void bytes_have_binary_units(void **state)
{
    (void)state;
    assert_string_equal(human_bytes(0).text, "0 B");
    assert_string_equal(human_bytes(1023).text, "1023 B");
    assert_string_equal(human_bytes(1024).text, "1.00 KiB");
    assert_string_equal(human_bytes(UINT64_C(2) << 40).text, "2.00 TiB");
}

static void durations_have_two_units_at_most(void **state)
{
    (void)state;
    assert_string_equal(human_duration(0).text, "0 ms");
    assert_string_equal(human_duration(999).text, "999 ms");
    assert_string_equal(human_duration(1500).text, "1.5 s");
    assert_string_equal(human_duration(12000).text, "12 s");
    assert_string_equal(human_duration(250000).text, "4 m 10 s");
    assert_string_equal(human_duration(3600000).text, "1 h");
    assert_string_equal(human_duration(86400000ULL * 3 + 3600000ULL * 4 + 5000).text, "3 d 4 h");
}

static void an_eta_is_no_more_precise_than_it_can_be(void **state)
{
    (void)state;
    assert_string_equal(human_eta(0).text, "0 s");
    assert_string_equal(human_eta(12).text, "12 s");
    assert_string_equal(human_eta(43).text, "45 s");
    assert_string_equal(human_eta(254).text, "4 m 10 s");
    assert_string_equal(human_eta(3671).text, "1 h 1 m");
    assert_string_equal(human_eta(40000).text, "11 h 10 m");
}

static void settings_are_written_as_they_are_read(void **state)
{
    (void)state;
    assert_string_equal(human_setting(0).text, "0ms");
    assert_string_equal(human_setting(250).text, "250ms");
    assert_string_equal(human_setting(1500).text, "1500ms");
    assert_string_equal(human_setting(60000).text, "1m");
    assert_string_equal(human_setting(86400000).text, "1d");
}

static void words_are_wrapped_and_indented(void **state)
{
    AUTO(text) out = TEXT_INIT;

    (void)state;
    human_wrap(&out, "one two three four\nfive", 2, 9);
    assert_string_equal(out.bytes, "one two\n  three\n  four\n  five");
}

static void a_word_far_away_is_not_suggested(void **state)
{
    struct nearest nearest = {NULL, 0};

    (void)state;
    nearest_consider(&nearest, "alter", "zebra");
    assert_null(nearest.word);
    nearest_consider(&nearest, "status", "statsu");
    assert_string_equal(nearest.word, "status");
    nearest = (struct nearest){NULL, 0};
    nearest_consider(&nearest, "history", "hist");
    assert_string_equal(nearest.word, "history");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_have_three_digits),
        cmocka_unit_test(bytes_have_binary_units),
        cmocka_unit_test(durations_have_two_units_at_most),
        cmocka_unit_test(an_eta_is_no_more_precise_than_it_can_be),
        cmocka_unit_test(settings_are_written_as_they_are_read),
        cmocka_unit_test(words_are_wrapped_and_indented),
        cmocka_unit_test(a_word_far_away_is_not_suggested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
