/* Samples that are kept in a file: whose they are, and what is passed over. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "osc/samples.h"

enum { NOW = 1800000000, DAY = 86400 };

struct fixture {
    struct arena *arena;
    char directory[40];
    const char *path;
    struct error err;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    (void)snprintf(f->directory, sizeof f->directory, "/tmp/osc-samples-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    f->arena = arena_new();
    f->path = arena_printf(f->arena, "%s/osc/activity/a.jsonl", f->directory);
    assert_int_equal(setenv("XDG_STATE_HOME", f->directory, 1), 0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(system(arena_printf(f->arena, "rm -rf '%s'", f->directory)), 0);
    arena_free(f->arena);
    free(f);
    return 0;
}

static void add_at(struct fixture *f, int64_t at)
{
    const struct sample sample = {.at = at, .seconds = 60, .work = 12.5, .rows = 3};

    if (!samples_add(f->path, &sample, &f->err))
        fail_msg("%s", f->err.text);
}

static struct samples load(struct fixture *f)
{
    struct samples samples;

    if (!samples_load(f->path, NOW, f->arena, &samples, &f->err))
        fail_msg("%s", f->err.text);
    return samples;
}

static void write_raw(struct fixture *f, const char *name, const char *bytes)
{
    FILE *file = fopen(name, "a");

    assert_non_null(file);
    assert_true(fputs(bytes, file) >= 0);
    assert_int_equal(fclose(file), 0);
    (void)f;
}

static void what_is_added_is_read_in_the_order_of_time(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(load(f).n, 0);
    add_at(f, NOW - 60);
    add_at(f, NOW - 120);
    const struct samples samples = load(f);
    assert_int_equal(samples.n, 2);
    assert_int_equal(samples.list[0].at, NOW - 120);
    assert_true(samples.list[1].work > 12.4 && samples.list[1].work < 12.6);
    assert_true(samples.list[1].seconds > 59.9 && samples.list[1].rows > 2.9);
}

static void what_is_old_or_from_the_future_does_not_count(void **state)
{
    struct fixture *f = *state;

    add_at(f, NOW - 57 * DAY);
    add_at(f, NOW - 55 * DAY);
    add_at(f, NOW + DAY);
    assert_int_equal(load(f).n, 1);
    assert_int_equal(load(f).senseless, 0);
}

static void half_a_line_spoils_only_itself(void **state)
{
    struct fixture *f = *state;

    add_at(f, NOW - 300);
    write_raw(f, f->path, "{\"at\": 1799999");
    add_at(f, NOW - 200);
    write_raw(f, f->path, "\n[]\n{\"at\":-1,\"seconds\":1,\"work\":1,\"rows\":1}\n");
    const struct samples samples = load(f);
    assert_int_equal(samples.n, 2);
    assert_int_equal(samples.senseless, 3);
}

static void a_long_file_gives_way_and_is_read_all_the_same(void **state)
{
    struct fixture *f = *state;

    add_at(f, NOW - 300);
    const char *blanks = arena_printf(f->arena, "%*s\n", 9 << 20, "");
    write_raw(f, f->path, blanks);
    add_at(f, NOW - 200);
    assert_int_equal(access(arena_printf(f->arena, "%s.1", f->path), R_OK), 0);
    assert_int_equal(load(f).n, 2);
}

static void a_server_is_known_by_its_address(void **state)
{
    static const struct {
        const char *url, *name;
    } servers[] = {
        {"postgres://me:pw@db1:5433/shop",       "postgres-db1-5433.jsonl"         },
        {"postgres://you@db1:5433/other",        "postgres-db1-5433.jsonl"         },
        {"mysql://root@10.0.0.1/shop?ssl-ca=/x", "mysql-10.0.0.1.jsonl"            },
        {"postgres:///shop?host=/run/p",         "postgres--shop-host--run-p.jsonl"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_SIZE(servers); i++) {
        struct dsn dsn;
        if (!dsn_parse(&dsn, servers[i].url, f->arena, &f->err))
            fail_msg("%s", f->err.text);
        const char *path = samples_file(&dsn, f->arena);
        assert_string_equal(strrchr(path, '/') + 1, servers[i].name);
        assert_ptr_equal(strstr(path, f->directory), path);
    }
    struct dsn dsn;
    assert_true(dsn_parse(&dsn, servers[0].url, f->arena, &f->err));
    assert_int_equal(unsetenv("XDG_STATE_HOME"), 0);
    assert_int_equal(setenv("HOME", f->directory, 1), 0);
    assert_string_equal(
        samples_file(&dsn, f->arena),
        arena_printf(f->arena, "%s/.local/state/osc/activity/%s", f->directory, servers[0].name));
    assert_int_equal(unsetenv("HOME"), 0);
    assert_null(samples_file(&dsn, f->arena));
}

static void what_cannot_be_written_is_said(void **state)
{
    struct fixture *f = *state;
    const struct sample sample = {.at = NOW, .seconds = 1};

    write_raw(f, arena_printf(f->arena, "%s/osc", f->directory), "a file");
    assert_false(samples_add(f->path, &sample, &f->err));
    assert_int_equal(f->err.kind, ERROR_SYSTEM);
    assert_non_null(strstr(f->err.text, "/osc"));
    error_clear(&f->err);
    assert_false(samples_load(f->path, NOW, f->arena, &(struct samples){.n = 0}, &f->err));
    assert_int_equal(f->err.kind, ERROR_SYSTEM);
    assert_non_null(strstr(f->err.text, "cannot be read: Not a directory"));
}

static void a_full_disk_is_said(void **state)
{
    struct fixture *f = *state;
    const struct sample sample = {.at = NOW, .seconds = 1};

    add_at(f, NOW);
    assert_int_equal(unlink(f->path), 0);
    assert_int_equal(symlink("/dev/full", f->path), 0);
    assert_false(samples_add(f->path, &sample, &f->err));
    assert_int_equal(f->err.kind, ERROR_SYSTEM);
    assert_string_equal(
        f->err.text,
        arena_printf(f->arena, "%s cannot be written: No space left on device", f->path));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_added_is_read_in_the_order_of_time),
        TEST(what_is_old_or_from_the_future_does_not_count),
        TEST(half_a_line_spoils_only_itself),
        TEST(a_long_file_gives_way_and_is_read_all_the_same),
        TEST(a_server_is_known_by_its_address),
        TEST(what_cannot_be_written_is_said),
        TEST(a_full_disk_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
