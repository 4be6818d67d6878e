/* Where the listener listens, whom it answers, and what it remembers of a long run. */
#include "tests/unit/unit.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "osc/base/clock.h"
#include "osc/serve/address.h"
#include "osc/serve/history.h"
#include "osc/serve/listener.h"
#include "osc/serve/serve.h"
#include "osc/serve/textfile.h"

static char heard[4000];

static void hear(enum log_level level, const char *event, const struct log_field *fields)
{
    (void)level, (void)fields;
    (void)strncat(heard, event, sizeof heard - strlen(heard) - 1);
}

static void assert_listens(const char *words, const char *shown)
{
    struct error err = ERROR_INIT;
    struct address address;

    if (!address_listen(words, &address, &err))
        fail_msg("%s: %s", words, err.text);
    assert_true(address.is_local);
    assert_memory_equal(address.shown.bytes, shown, strlen(shown));
    (void)close(address.socket);
    text_release(&address.shown);
}

static void a_port_alone_is_this_host_only(void **state)
{
    (void)state;
    assert_listens("0", "http://127.0.0.1:");
    assert_listens(":0", "http://127.0.0.1:");
    assert_listens("localhost:0", "http://");
    assert_listens("127.0.0.1:0", "http://127.0.0.1:");
    assert_listens("127.1.2.3:0", "http://127.1.2.3:");
    assert_listens("[::1]:0", "http://[::1]:");
}

static void want_of_files_is_told(void **state)
{
    struct error err = ERROR_INIT;
    struct address address;
    struct rlimit usual;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
    const struct rlimit few = {.rlim_cur = 0, .rlim_max = usual.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    const bool listens = address_listen("127.0.0.1:0", &address, &err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
    assert_false(listens);
    assert_string_equal(err.text, "cannot listen on 127.0.0.1:0: Too many open files");
}

static void what_is_no_address_is_a_wrong_usage(void **state)
{
    static const char *const wrong[] = {"",       "x",       "host:", "host:9x",        "1:2:3",
                                        "::1:80", ":123456", "unix:", "no.such host:1", "-1",
                                        ":99999", "[::1]80"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct error err = ERROR_INIT;
        struct address address;
        if (address_listen(wrong[i], &address, &err))
            fail_msg("'%s' was taken for %s", wrong[i], address.shown.bytes);
        if (err.kind != ERROR_USAGE)
            fail_msg("'%s': %s", wrong[i], err.text);
    }
}

static void an_address_that_is_taken_is_told(void **state)
{
    struct error err = ERROR_INIT;
    struct address first, second;
    AUTO(text) words = TEXT_INIT;

    (void)state;
    assert_true(address_listen("127.0.0.1:0", &first, &err));
    text_add_bytes(&words, first.shown.bytes + strlen("http://"),
                   strlen(first.shown.bytes) - strlen("http:///"));
    assert_false(address_listen(words.bytes, &second, &err));
    assert_int_equal(err.kind, ERROR_SYSTEM);
    assert_non_null(strstr(err.text, "in use"));
    (void)close(first.socket);
    text_release(&first.shown);
}

static void a_socket_left_by_a_killed_run_is_replaced_and_one_in_use_is_not(void **state)
{
    char directory[] = "/tmp/osc-address.XXXXXX", words[64];
    struct error err = ERROR_INIT;
    struct address first, second;

    (void)state;
    assert_non_null(mkdtemp(directory));
    (void)snprintf(words, sizeof words, "unix:%s/s", directory);
    assert_true(address_listen(words, &first, &err));
    assert_false(address_listen(words, &second, &err));
    assert_int_equal(err.kind, ERROR_SYSTEM);
    (void)close(first.socket);
    assert_true(address_listen(words, &second, &err));
    (void)close(second.socket);
    (void)unlink(second.path);
    text_release(&first.shown);
    text_release(&second.shown);
    assert_int_equal(rmdir(directory), 0);
}

static void names_that_a_stranger_may_own_are_not_plain(void **state)
{
    (void)state;
    assert_true(address_is_plain("localhost"));
    assert_true(address_is_plain("localhost:9187"));
    assert_true(address_is_plain("127.0.0.1:9187"));
    assert_true(address_is_plain("[::1]:9187"));
    assert_false(address_is_plain("evil.example"));
    assert_false(address_is_plain("evil.example:9187"));
    assert_false(address_is_plain("127.0.0.1.evil.example"));
    assert_false(address_is_plain("localhost.evil.example:80"));
    assert_false(address_is_plain(""));
    assert_false(
        address_is_plain("127.0.0.1.of.a.host.whose.name.is.far.longer.than.any.address.is"));
}

/* Only this host gets to it, but we cannot tell, and say so rather once too often. */
static void an_address_that_others_may_reach_is_warned_of(void **state)
{
    struct error err = ERROR_INIT;
    const struct watched watched = {.outcome = "running"};

    (void)state;
    log_observe(hear);
    struct listener *listener = listener_open("[::ffff:127.0.0.1]:0", &watched, &err);
    log_observe(NULL);
    if (!listener)
        fail_msg("%s", err.text);
    listener_close(listener);
    assert_non_null(strstr(heard, "progress can be read from other hosts"));
}

/* ---- the file ---- */

static void a_file_that_cannot_be_written_whole_leaves_the_former(void **state)
{
    char directory[] = "/tmp/osc-textfile.XXXXXX", path[64], found[64] = "";
    AUTO(text) words = TEXT_INIT;
    struct error err = ERROR_INIT;
    struct rlimit usual;

    (void)state;
    assert_non_null(mkdtemp(directory));
    (void)snprintf(path, sizeof path, "%s/osc.prom", directory);
    text_add(&words, "former");
    assert_true(textfile_write(path, &words, &err));
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &usual), 0);
    const struct rlimit tiny = {.rlim_cur = 4, .rlim_max = usual.rlim_max};
    void (*const before)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tiny), 0);
    const bool is_written = textfile_write(path, &words, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &usual), 0);
    (void)signal(SIGXFSZ, before);
    assert_false(is_written);
    assert_non_null(strstr(err.text, "File too large"));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fread(found, 1, sizeof found - 1, file), strlen("former"));
    assert_int_equal(fclose(file), 0);
    assert_string_equal(found, "former");
    /* Nothing else is left there. */
    error_clear(&err);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(directory), 0);
    assert_false(textfile_write(path, &words, &err));
    assert_non_null(strstr(err.text, "No such file or directory"));
}

static void a_directory_is_no_file(void **state)
{
    char directory[] = "/tmp/osc-textfile.XXXXXX";
    AUTO(text) words = TEXT_INIT;
    struct error err = ERROR_INIT;

    (void)state;
    assert_non_null(mkdtemp(directory));
    assert_false(textfile_write(directory, &words, &err));
    assert_non_null(strstr(err.text, "Is a directory"));
    assert_int_equal(rmdir(directory), 0);
}

static void a_run_bears_that_its_file_cannot_be_written_and_says_so_once(void **state)
{
    char directory[] = "/tmp/osc-textfile.XXXXXX", path[64];
    struct error err = ERROR_INIT;
    struct progress progress = {.steps = 9};
    const struct dsn dsn = {.shown = "mysql://h/d?x"};
    struct arena *arena = arena_new();
    const struct deadline until = deadline_in_ms(10000);

    (void)state;
    assert_non_null(mkdtemp(directory));
    (void)snprintf(path, sizeof path, "%s/osc.prom", directory);
    const struct options options = {.metrics_file = path};
    const struct request request = {
        .options = &options, .dsn = &dsn, .progress = &progress, .arena = arena};
    assert_int_equal(setenv("OSC_TUNE_WRITE_MS", "1", 1), 0);
    heard[0] = '\0';
    struct serve *serve = serve_start(&request, &err);
    assert_non_null(serve);
    log_observe(hear);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(directory), 0);
    while (!strstr(heard, "metrics not written") && !deadline_passed(&until))
        (void)cancel_sleep_ms(NULL, 10);
    serve_stop(serve, true);
    assert_string_equal(heard, "metrics not written");
    assert_int_equal(unsetenv("OSC_TUNE_WRITE_MS"), 0);
    error_clear(&err);
    assert_null(serve_start(&request, &err)); /* before anything is changed it is a failure */
    assert_int_equal(err.kind, ERROR_SYSTEM);
    arena_free(arena);
}

static void a_run_of_days_keeps_its_whole_history_in_little_room(void **state)
{
    struct history *history = history_new();
    struct progress progress = {.steps = 9};

    (void)state;
    atomic_store(&progress.step, "copy");
    for (uint64_t ms = 0; ms < UINT64_C(5) * 86400000; ms += 500) {
        atomic_store(&progress.backlog, ms / 1000);
        history_look(history, &progress, ms + 1);
    }
    json_t *samples = history_samples(history);
    const size_t n = json_array_size(samples);
    assert_in_range(n, 180, 360);
    const json_t *first = json_array_get(samples, 0), *last = json_array_get(samples, n - 1);
    assert_true(json_integer_value(json_object_get(first, "backlog")) < 86400 / 12);
    assert_true(json_integer_value(json_object_get(last, "backlog")) > 5 * 86400 - 86400 / 12);
    json_decref(samples);
    history_free(history);
}

static void events_are_cut_between_characters(void **state)
{
    struct history *history = history_new();
    char words[2000];

    (void)state;
    for (size_t shift = 0; shift < 2; shift++) {
        memset(words, 'x', sizeof words);
        for (size_t i = shift; i + 2 < sizeof words; i += 2)
            memcpy(words + i, "é", 2);
        words[sizeof words - 1] = '\0';
        words[sizeof words - 2] = '\0';
        history_event(history, LOG_WARN, words, (struct log_field[]){{.name = NULL}});
    }
    for (unsigned i = 0; i < 100; i++)
        history_event(history, LOG_INFO, "<script>",
                      (struct log_field[]){F("error", "\xff\x01"), {.name = NULL}});
    json_t *events = history_events(history);
    assert_int_equal(json_array_size(events), 60);
    json_decref(events);
    history_free(history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_port_alone_is_this_host_only),
        cmocka_unit_test(want_of_files_is_told),
        cmocka_unit_test(what_is_no_address_is_a_wrong_usage),
        cmocka_unit_test(an_address_that_is_taken_is_told),
        cmocka_unit_test(a_socket_left_by_a_killed_run_is_replaced_and_one_in_use_is_not),
        cmocka_unit_test(names_that_a_stranger_may_own_are_not_plain),
        cmocka_unit_test(an_address_that_others_may_reach_is_warned_of),
        cmocka_unit_test(a_file_that_cannot_be_written_whole_leaves_the_former),
        cmocka_unit_test(a_directory_is_no_file),
        cmocka_unit_test(a_run_bears_that_its_file_cannot_be_written_and_says_so_once),
        cmocka_unit_test(a_run_of_days_keeps_its_whole_history_in_little_room),
        cmocka_unit_test(events_are_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
