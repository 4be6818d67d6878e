/* What holds the work back: what cannot be asked says no, what is not there says nothing. */
#include "tests/unit/unit.h"

#include "osc/db/throttle_signals.h"

static enum reading read_signal(const char *name, struct look *look, struct error *err)
{
    const struct signal *signal = common_signals;
    uint64_t value = 0;

    while (strcmp(signal->name, name) != 0)
        signal++;
    error_clear(err);
    return signal->read(look, &value, err);
}

static void the_load_of_another_host_is_not_known(void **state)
{
    struct look look = {.db = NULL};
    struct error err = ERROR_INIT;

    (void)state;
    assert_int_equal(read_signal("load", &look, &err), READING_NONE);
    look.disk.n = 1; /* its files are ours to see: it is this one */
    assert_int_equal(read_signal("load", &look, &err), READING_KNOWN);
}

static void a_server_that_does_not_answer_says_no_to_the_query(void **state)
{
    const struct limits limits = {.query = "SELECT 1"};
    struct look look = {.limits = &limits};
    struct error err = ERROR_INIT;

    (void)state;
    assert_int_equal(read_signal("query", &look, &err), READING_UNKNOWN);
    assert_string_equal(err.text, "the server does not answer");
}

static void an_endpoint_that_does_not_answer_says_no(void **state)
{
    const struct limits limits = {.http = "http://127.0.0.1:1/"};
    struct look look = {.limits = &limits};
    struct error err = ERROR_INIT;

    (void)state;
    assert_int_equal(read_signal("http", &look, &err), READING_UNKNOWN);
    assert_int_equal(err.kind, ERROR_TRANSIENT);
    assert_non_null(strstr(err.text, "127.0.0.1"));
}

/* ---- disks ---- */

static void what_is_no_disk_is_left_out(void **state)
{
    struct disk disk = {.arena = arena_new()};

    (void)state;
    disk_add(&disk, "data", "/nowhere", DISK_TABLES);
    disk_add(&disk, "data", "/proc", DISK_TABLES); /* a file system without blocks */
    assert_int_equal(disk.n, 0);
    for (size_t i = 0; i < ARRAY_SIZE(disk.places) + 1; i++)
        disk_add(&disk, "data", "/tmp", DISK_TABLES);
    assert_int_equal(disk.n, ARRAY_SIZE(disk.places));
    arena_free(disk.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_load_of_another_host_is_not_known),
        cmocka_unit_test(a_server_that_does_not_answer_says_no_to_the_query),
        cmocka_unit_test(an_endpoint_that_does_not_answer_says_no),
        cmocka_unit_test(what_is_no_disk_is_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
