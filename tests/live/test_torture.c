/*
 * Torture: the k-th database call of a migration fails, for many k, in four
 * ways: its connection breaks before it runs, or after it ran but before the
 * reply; the process is killed before or after.  Then the migration is resumed or
 * aborted, and the table must be whole, with nothing of osc left.
 *
 * OSC_TORTURE_STRIDE=1 tries every call (by hand: it takes long); the default
 * takes a sample, OSC_TORTURE_OFFSET another.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "tests/support/scene.h"

enum { ROWS = 60, STRIDE = 23 };

static int open_scene(void **state)
{
    *state = scene_open("torture");
    return 0;
}

static int close_scene(void **state)
{
    scene_close(*state);
    return 0;
}

static void make_table(struct scene *s, const char *table)
{
    AUTO(text) rows = TEXT_INIT;

    scene_sql(s,
              "CREATE TABLE %s (id bigint PRIMARY KEY, u bigint NOT NULL, v int NOT NULL, "
              "CONSTRAINT %s_u UNIQUE (u))",
              table, table);
    for (int i = 1; i <= ROWS; i++)
        text_printf(&rows, "%s(%d, %d, %d)", i > 1 ? ", " : "", i, i, i * 2);
    scene_sql(s, "INSERT INTO %s VALUES %s", table, rows.bytes);
}

static uint64_t sum_of(struct scene *s, const char *table)
{
    return scene_number(s, "SELECT SUM(id * 31 + u * 7 + v) + COUNT(*) FROM %s", table);
}

static bool has_column(struct scene *s, const char *table)
{
    return scene_number(s,
                        "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = "
                        "'%s' AND table_name = '%s' AND column_name = 'c'",
                        s->schema, table);
}

/* The application writes on, whatever became of osc. */
static void write_on(struct scene *s, const char *table)
{
    scene_sql(s, "UPDATE %s SET v = v + 5 WHERE id BETWEEN 7 AND 20", table);
    scene_sql(s, "DELETE FROM %s WHERE id = 9", table);
    scene_sql(s, "INSERT INTO %s (id, u, v) VALUES (1009, 1009, 1)", table);
    scene_sql(s, "UPDATE %s SET id = 2010 WHERE id = 10", table);
}

static struct outcome run_with(struct scene *s, const char *fault, const char *command,
                               const char *table)
{
    s->fault = fault;
    struct outcome outcome = table ? scene_osc(s, command, table, "ADD COLUMN c int",
                                               "--after=drop", "--threads=1", NULL)
                                   : scene_osc(s, command, NULL);
    s->fault = NULL;
    return outcome;
}

/* Resumes or aborts what a failed run left; a run that began nothing has cleaned up by itself. */
static void settle(struct scene *s, const char *fault, const char *table, bool abort)
{
    struct outcome outcome = run_with(s, NULL, abort ? "abort" : "resume", NULL);

    if (abort && outcome.status == 2 && has_column(s, table)) {
        outcome_free(&outcome); /* swapped already: the way on is to finish */
        outcome = run_with(s, NULL, "resume", NULL);
    }
    const bool was_nothing =
        outcome.status == 2 && strstr(outcome.err, "no migration is under way");
    if (outcome.status != 0 && !was_nothing)
        fail_msg("after %s, %s ended with %d:\n%s", fault, abort ? "abort" : "resume",
                 outcome.status, outcome.err);
    if (!abort && outcome.status == 0 && !has_column(s, table))
        fail_msg("after %s, resume did not do the ALTER", fault);
    outcome_free(&outcome);
}

static unsigned count_calls(struct scene *s)
{
    char path[300];
    unsigned calls = 0;

    make_table(s, "counted");
    struct outcome outcome = run_with(s, "c:0", "alter", "counted");
    assert_exit(outcome, 0);
    (void)snprintf(path, sizeof path, "%s/calls", s->directory);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%u", &calls), 1);
    (void)fclose(file);
    return calls;
}

static unsigned number_from(const char *variable, unsigned standard)
{
    const char *text = getenv(variable);

    return text ? (unsigned)strtoul(text, NULL, 10) : standard;
}

static void every_call_may_fail(void **state)
{
    static const char modes[] = "bakK";
    struct scene *s = *state;
    const unsigned calls = count_calls(s), stride = number_from("OSC_TORTURE_STRIDE", STRIDE);
    unsigned k = 1 + number_from("OSC_TORTURE_OFFSET", 3) % stride;

    print_message("%u calls, every %u from %u\n", calls, stride, k);
    for (unsigned n = 0; k <= calls; k += stride)
        for (size_t mode = 0; modes[mode]; mode++, n++) {
            char table[40], fault[40];
            (void)snprintf(table, sizeof table, "t%u_%zu", k, mode);
            (void)snprintf(fault, sizeof fault, "%c:%u", modes[mode], k);
            make_table(s, table);
            struct outcome outcome = run_with(s, fault, "alter", table);
            write_on(s, table);
            const uint64_t wanted = sum_of(s, table);
            if (outcome.status != 0)
                settle(s, fault, table, n % 2);
            outcome_free(&outcome);
            if (sum_of(s, table) != wanted)
                fail_msg("after %s the table is not what the application made it", fault);
            assert_nothing_left(s, false);
            scene_sql(s, "DROP TABLE %s", table);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_call_may_fail, open_scene, close_scene),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
