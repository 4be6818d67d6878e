/* Log lines, and the file they go to. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "osc/base/log_line.h"

#define ENTRY(where, ...)                                                                          \
    ((struct log_entry){                                                                           \
        .level = LOG_WARN,                                                                         \
        .event = "swapped",                                                                        \
        .fields = (struct log_field[]){__VA_ARGS__, {.name = NULL}},                               \
        .thread = "main",                                                                          \
        .at = 1767225600, /* 2026-01-01 00:00:00 UTC */                                            \
        .place = (where),                                                                          \
    })

static void assert_text(const struct log_entry *entry, const char *expected)
{
    AUTO(text) line = TEXT_INIT;

    log_line_text(&line, entry);
    assert_string_equal(line.bytes, expected);
}

static void assert_json(const struct log_entry *entry, const char *expected)
{
    AUTO(text) line = TEXT_INIT;

    log_line_json(&line, entry);
    assert_string_equal(line.bytes, expected);
}

static void a_line_says_when_what_and_of_which_weight(void **state)
{
    const struct log_entry screen = ENTRY(LOG_ON_SCREEN, F("table", "users"), FU("rows", 7));
    const struct log_entry file = ENTRY(LOG_IN_FILE, F("table", "users"), FR("ms", 1.5));

    (void)state;
    assert_text(&screen, "00:00:00 warn: swapped table=users rows=7");
    assert_text(&file, "2026-01-01T00:00:00+0000 warn: swapped table=users ms=1.500");
    assert_json(&file,
                "{\"time\":\"2026-01-01T00:00:00Z\",\"level\":\"warn\",\"event\":\"swapped\","
                "\"thread\":\"main\",\"table\":\"users\",\"ms\":1.5}");
}

static void a_journal_gets_the_priority_and_keeps_its_own_clock(void **state)
{
    struct log_entry entry = ENTRY(LOG_IN_JOURNAL, F("table", "users"));

    (void)state;
    assert_text(&entry, "<4>warn: swapped table=users");
    entry.level = LOG_INFO;
    assert_text(&entry, "<6>swapped table=users");
    assert_json(&entry,
                "<6>{\"time\":\"2026-01-01T00:00:00Z\",\"level\":\"info\",\"event\":\"swapped\","
                "\"thread\":\"main\",\"table\":\"users\"}");
}

static void no_value_makes_a_second_line_or_moves_the_cursor(void **state)
{
    const struct log_entry lines = ENTRY(LOG_IN_JOURNAL, F("error", "one\ntwo\r\tthree"));
    const struct log_entry escapes = ENTRY(LOG_IN_JOURNAL, F("a", "\x1b[2J"),
                                           F("b", "\xc2\x9b"
                                                  "2J"),
                                           F("c", "\x7f"));
    const struct log_entry quotes = ENTRY(LOG_IN_JOURNAL, F("a", "say \"x\\y\""), F("b", ""));
    const struct log_entry said = ENTRY(LOG_IN_JOURNAL, FS("one\ntwo"), F("check", "x"));

    (void)state;
    assert_text(&lines, "<4>warn: swapped error=\"one\\ntwo\\r\\tthree\"");
    assert_text(&escapes, "<4>warn: swapped a=\"\\x1b[2J\" b=\"\\xc2\\x9b2J\" c=\"\\x7f\"");
    assert_text(&quotes, "<4>warn: swapped a=\"say \\\"x\\\\y\\\"\" b=\"\"");
    assert_text(&said, "<4>warn: one\\ntwo check=x");
}

static void json_says_the_event_and_what_people_read(void **state)
{
    const struct log_entry said = ENTRY(LOG_ON_SCREEN, FS("one\ntwo\x1b"), F("odd", "caf\xe9"));

    (void)state;
    assert_json(&said,
                "{\"time\":\"2026-01-01T00:00:00Z\",\"level\":\"warn\",\"event\":\"swapped\","
                "\"thread\":\"main\",\"text\":\"one\\ntwo\\u001B\",\"odd\":\"caf?\"}");
}

static void assert_holds(const char *path, const char *words)
{
    char found[2000] = "";
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    found[fread(found, 1, sizeof found - 1, file)] = '\0';
    assert_int_equal(fclose(file), 0);
    if (!strstr(found, words))
        fail_msg("%s holds no '%s' but: %s", path, words, found);
}

static void a_file_that_was_moved_away_is_begun_anew(void **state)
{
    char name[] = "/tmp/osc_log_XXXXXX", moved[40];
    struct error err = ERROR_INIT;
    const int file = mkstemp(name);

    (void)state;
    assert_true(file >= 0);
    assert_int_equal(close(file), 0);
    (void)snprintf(moved, sizeof moved, "%s.1", name);
    assert_false(log_reopen()); /* nothing to reopen yet */
    const struct log_setup to_file = {.level = LOG_INFO, .file = name};
    assert_true(log_open(&to_file, &err));
    LOG(LOG_INFO, "before");
    LOG(LOG_DEBUG, "of no interest");
    assert_int_equal(rename(name, moved), 0);
    LOG(LOG_INFO, "between");
    assert_true(log_reopen());
    LOG(LOG_INFO, "after");
    assert_holds(moved, "before\n");
    assert_holds(moved, "between\n");
    assert_holds(name, "after\n");

    const struct log_setup nowhere = {.level = LOG_INFO, .file = "/nowhere/osc.log"};
    assert_false(log_open(&nowhere, &err));
    assert_string_equal(err.text, "log file /nowhere/osc.log: No such file or directory");
    assert_int_equal(unlink(name), 0);
    assert_int_equal(unlink(moved), 0);
}

static void a_file_whose_directory_is_gone_is_kept_and_a_full_disk_is_borne(void **state)
{
    char directory[] = "/tmp/osc_log_XXXXXX", name[40], moved[40], file[60];
    struct error err = ERROR_INIT;

    (void)state;
    assert_non_null(mkdtemp(directory));
    (void)snprintf(name, sizeof name, "%s/log", directory);
    (void)snprintf(moved, sizeof moved, "%s.1", directory);
    (void)snprintf(file, sizeof file, "%s/log", moved);
    const struct log_setup to_file = {.level = LOG_INFO, .file = name};
    assert_true(log_open(&to_file, &err));
    assert_int_equal(rename(directory, moved), 0);
    assert_true(log_reopen());
    LOG(LOG_INFO, "after");
    assert_holds(file, "log not reopened");
    assert_holds(file, "after\n");
    assert_int_equal(unlink(file), 0);
    assert_int_equal(rmdir(moved), 0);

    const struct log_setup full = {.level = LOG_INFO, .file = "/dev/full"};
    assert_true(log_open(&full, &err));
    LOG(LOG_INFO, "nobody reads this");
}

static void standard_error_is_the_journal_only_if_the_system_says_that_very_file(void **state)
{
    const struct log_setup usual = {.level = LOG_INFO};
    struct error err = ERROR_INIT;
    struct stat is;
    char stream[60];

    (void)state;
    assert_int_equal(fstat(STDERR_FILENO, &is), 0);
    (void)snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)is.st_dev,
                   (unsigned long long)is.st_ino);
    assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
    assert_true(log_open(&usual, &err));
    assert_true(log_is_all_there_is());
    static const char *const others[] = {"1:1", "x", ""};
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        assert_int_equal(setenv("JOURNAL_STREAM", others[i], 1), 0);
        assert_true(log_open(&usual, &err));
        assert_false(log_is_all_there_is());
    }
    assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_says_when_what_and_of_which_weight),
        cmocka_unit_test(a_journal_gets_the_priority_and_keeps_its_own_clock),
        cmocka_unit_test(no_value_makes_a_second_line_or_moves_the_cursor),
        cmocka_unit_test(json_says_the_event_and_what_people_read),
        cmocka_unit_test(a_file_that_was_moved_away_is_begun_anew),
        cmocka_unit_test(a_file_whose_directory_is_gone_is_kept_and_a_full_disk_is_borne),
        cmocka_unit_test(standard_error_is_the_journal_only_if_the_system_says_that_very_file),
    };
    (void)setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
