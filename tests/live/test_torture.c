/*
 * Torture: the k-th database call of osc fails, for many k, in four ways: its
 * connection breaks before it runs, or after it ran but before the reply; the
 * process is killed before or after.  Then, from another directory, the migration
 * is resumed, and in a second run of the same case aborted.  The application
 * writes all the while and must not see an error.  In the end the table is, in
 * data and definition, the one that the server alone would have made.
 *
 * OSC_TORTURE_STRIDE=1 tries every call (by hand: it takes long); the default
 * takes a sample, OSC_TORTURE_OFFSET another.  OSC_TORTURE_MODES=b keeps to the first way.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "tests/support/bystander.h"
#include "tests/support/picture.h"
#include "tests/support/scene.h"

enum { ROWS = 60, STRIDE = 83 };

#define ALTER "ADD COLUMN c int"

/* What the server itself makes of the table: without the ALTER, and with it. */
struct torture {
    struct scene *s;
    struct picture source, altered;
    unsigned cases;
};

static void make_table(struct scene *s)
{
    AUTO(text) rows = TEXT_INIT;

    scene_sql(s, "CREATE TABLE t (id bigint PRIMARY KEY, u bigint NOT NULL, v int NOT NULL, "
                 "CONSTRAINT t_u UNIQUE (u))");
    for (int i = 1; i <= ROWS; i++)
        text_printf(&rows, "%s(%d, %d, %d)", i > 1 ? ", " : "", i, i, i * 2);
    scene_sql(s, "INSERT INTO t VALUES %s", rows.bytes);
}

/* Once, between the failure and what is done about it; beside the bystander's rows. */
static void write_on(struct scene *s)
{
    scene_sql(s, "UPDATE t SET v = v + 5 WHERE id BETWEEN 7 AND 20");
    scene_sql(s, "DELETE FROM t WHERE id = 9");
    scene_sql(s, "INSERT INTO t (id, u, v) VALUES (1009, 1009, 1)");
    scene_sql(s, "UPDATE t SET id = 2010 WHERE id = 10");
}

/* Here chunks are handed out by counting rows. */
static void make_sparse_table(struct scene *s)
{
    make_table(s);
    scene_sql(s, "INSERT INTO t VALUES (1000000, 1000000, 1)");
}

static void take_pictures(struct torture *t, void (*make)(struct scene *s))
{
    make(t->s);
    write_on(t->s);
    t->source = picture_take(t->s->db, "t", t->s->arena);
    scene_sql(t->s, "ALTER TABLE t " ALTER);
    t->altered = picture_take(t->s->db, "t", t->s->arena);
    scene_sql(t->s, "DROP TABLE t");
}

static int open_torture(void **state)
{
    struct torture *t = must_alloc(sizeof *t);

    t->s = scene_open("torture");
    take_pictures(t, make_table);
    *state = t;
    return 0;
}

static int close_torture(void **state)
{
    struct torture *t = *state;

    print_message("%u cases\n", t->cases);
    scene_close(t->s);
    free(t);
    return 0;
}

static struct outcome run_with(struct scene *s, const char *fault, const char *command)
{
    const bool is_alter = strcmp(command, "alter") == 0;

    /* Nothing is kept where osc ran. */
    assert_int_equal(chdir(is_alter ? "/" : s->directory), 0);
    s->fault = fault;
    struct outcome outcome =
        is_alter ? scene_osc(s, "alter", "t", ALTER, "--after=drop", "--threads=1", NULL)
                 : scene_osc(s, command, "t", NULL);
    s->fault = NULL;
    return outcome;
}

static bool is_altered(struct scene *s)
{
    return scene_number(s,
                        "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = "
                        "'%s' AND table_name = 't' AND column_name = 'c'",
                        s->schema);
}

static bool is_on_record(struct scene *s)
{
    return scene_number(s,
                        "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = "
                        "'%s' AND table_name = 'osc_state'",
                        s->schema) == 1 &&
           scene_number(s, "SELECT COUNT(*) FROM osc_state WHERE status <> 'done' OR retired <> "
                           "''") > 0;
}

/* Whoever is told of a failure is told what to type next, where there is something to go on with.
 */
static void assert_names_next(struct scene *s, const char *fault, const struct outcome *outcome)
{
    static const char *const commands[] = {"osc resume", "osc abort", "osc finish", "osc status"};

    if (outcome->status == 0 || outcome->status == 128 + 9 || !is_on_record(s))
        return;
    const char *next = strstr(outcome->err, "\nnext: ");
    for (size_t i = 0; next && i < ARRAY_SIZE(commands); i++)
        if (strstr(next, commands[i]))
            return;
    fail_msg("after %s no next command is named:\n%s", fault, outcome->err);
}

/* Until `command` has done its work; a run that began nothing has cleaned up by itself. */
static void settle(struct scene *s, const char *fault, const char *command)
{
    struct outcome outcome = run_with(s, NULL, command);

    if (outcome.status == 2 && is_altered(s) && strcmp(command, "abort") == 0) {
        outcome_free(&outcome); /* swapped already: the way on is to finish */
        outcome = run_with(s, NULL, "resume");
    }
    const bool was_nothing = outcome.status == 2 && (strstr(outcome.err, "no migration") ||
                                                     strstr(outcome.err, "no retired table") ||
                                                     strstr(outcome.err, "nothing"));
    if (outcome.status != 0 && !was_nothing)
        fail_msg("after %s, %s ended with %d:\n%s", fault, command, outcome.status, outcome.err);
    if (strcmp(command, "resume") == 0 && outcome.status == 0 && !is_altered(s))
        fail_msg("after %s, resume did not do the ALTER", fault);
    outcome_free(&outcome);
}

/* The table as it must be now, nothing of ours beside it; then the place is cleared. */
static void judge(struct torture *t, const char *fault, const char *command)
{
    struct scene *s = t->s;
    AUTO(text) differences = TEXT_INIT;
    struct arena *arena = arena_new();
    const bool altered = is_altered(s);
    const struct picture got = picture_take(s->db, "t", arena);

    picture_compare(altered ? &t->altered : &t->source, &got, &differences);
    if (differences.length)
        fail_msg("after %s and %s:\n%s", fault, command, differences.bytes);
    arena_free(arena);
    assert_nothing_left(s, false);
    /* The history of a migration that was done stays, nothing of one that was aborted. */
    if (!scene_try_sql(s, "DROP TABLE osc_state"))
        assert_false(altered);
    else if (!altered && strcmp(command, "abort") == 0)
        fail_msg("after %s the state table is left", fault);
    scene_sql(s, "DROP TABLE t");
    t->cases++;
}

/* The calls of `command`, which succeeds. */
static unsigned count_calls(struct scene *s, const char *command)
{
    assert_exit(run_with(s, "c:0", command), 0);
    return scene_calls(s);
}

static unsigned number_from(const char *variable, unsigned standard)
{
    const char *text = getenv(variable);

    return text ? (unsigned)strtoul(text, NULL, 10) : standard;
}

/* Calls of `command` fail after `prepare`; then it is, or `next` is, run without a fault. */
static void torture(struct torture *t, const char *command, const char *next,
                    void (*prepare)(struct scene *s))
{
    const char *modes = getenv("OSC_TORTURE_MODES") ? getenv("OSC_TORTURE_MODES") : "bakK";
    struct scene *s = t->s;
    const unsigned stride = number_from("OSC_TORTURE_STRIDE", STRIDE);
    const unsigned to = number_from("OSC_TORTURE_TO", UINT32_MAX);
    unsigned k = number_from("OSC_TORTURE_FROM", 1 + number_from("OSC_TORTURE_OFFSET", 3) % stride);

    prepare(s);
    const unsigned calls = count_calls(s, command);
    scene_sql(s, "DROP TABLE t");
    (void)scene_try_sql(s, "DROP TABLE osc_state");
    print_message("%s: %u calls, every %u from %u\n", command, calls, stride, k);
    for (; k <= calls && k <= to; k += stride)
        for (size_t mode = 0; modes[mode]; mode++) {
            char fault[40];
            prepare(s);
            struct bystander *bystander = bystander_start(s);
            (void)snprintf(fault, sizeof fault, "%c:%u of %s", modes[mode], k, command);
            struct outcome outcome = run_with(s, fault, command);
            write_on(s);
            assert_names_next(s, fault, &outcome);
            if (outcome.status != 0)
                settle(s, fault, next);
            outcome_free(&outcome);
            bystander_stop(bystander);
            judge(t, fault, next);
        }
}

static void killed_before_verification(struct scene *s)
{
    make_table(s);
    scene_kill_at(s, "verify");
    struct outcome outcome = run_with(s, NULL, "alter");
    scene_release(s, "verify");
    assert_int_equal(outcome.status, 128 + 9);
    outcome_free(&outcome);
}

static void done_but_for_the_retired_table(struct scene *s)
{
    make_table(s);
    assert_exit(scene_osc(s, "alter", "t", ALTER, "--after=keep", "--threads=1", NULL), 0);
}

static void every_call_may_fail_and_resume_goes_on(void **state)
{
    torture(*state, "alter", "resume", make_table);
}

static void every_call_for_sparse_keys_may_fail(void **state)
{
    struct torture *t = *state;

    if (t->s->is_postgres)
        skip(); /* it goes by pages */
    take_pictures(t, make_sparse_table);
    torture(t, "alter", "resume", make_sparse_table);
}

static void every_call_may_fail_and_abort_cleans_up(void **state)
{
    torture(*state, "alter", "abort", make_table);
}

static void every_call_of_resume_may_fail(void **state)
{
    torture(*state, "resume", "resume", killed_before_verification);
}

static void every_call_of_abort_may_fail(void **state)
{
    torture(*state, "abort", "abort", killed_before_verification);
}

static void every_call_of_finish_may_fail(void **state)
{
    torture(*state, "finish", "finish", done_but_for_the_retired_table);
}

/* Whoever only asks is told why there is no answer; the migration that waits is as it was. */
static void every_call_of_one_that_asks_may_fail(void **state)
{
    /* With parts whose names are to be looked for. */
    static const char names[] = "ADD UNIQUE (v), ADD CHECK (v > 0), ADD COLUMN n serial, "
                                "ADD CONSTRAINT late CHECK (w > 0) NOT VALID";
    static const char *const commands[][3] = {
        {"plan",   "odd", NULL           },
        {"verify", "t",   NULL           },
        {"status", "1",   NULL           },
        {"pause",  "1",   NULL           },
        {"set",    "1",   "chunk-time=1s"},
        {"advise", "t",   "--sample=2s"  },
    };
    struct torture *t = *state;
    struct scene *s = t->s;
    const unsigned stride = (number_from("OSC_TORTURE_STRIDE", STRIDE) + 9) / 10;

    (void)setenv("OSC_TUNE_HEARING_MS", "0", 1); /* nobody is there to hear the orders */
    (void)setenv("OSC_TUNE_SAMPLE_MS", "100", 1);
    scene_sql(s, "CREATE TABLE odd (id int PRIMARY KEY, v int NOT NULL, w int)");
    killed_before_verification(s);
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        const char *c[] = {commands[i][0], commands[i][1], commands[i][2]};
        if (strcmp(c[0], "plan") == 0)
            c[2] = scene_pick(s, names, ALTER);
        s->fault = "c:0";
        assert_exit(scene_osc(s, c[0], c[1], c[2], NULL), 0);
        const unsigned calls = scene_calls(s);
        print_message("%s: %u calls\n", c[0], calls);
        for (unsigned k = 1; k <= calls; k += stride, t->cases++) {
            char fault[40];
            (void)snprintf(fault, sizeof fault, "b:%u", k);
            s->fault = fault;
            struct outcome outcome = scene_osc(s, c[0], c[1], c[2], NULL);
            if (outcome.status > 127 || (outcome.status != 0 && !*outcome.err))
                fail_msg("after %s, %s ended with %d:\n%s", fault, c[0], outcome.status,
                         outcome.err);
            outcome_free(&outcome);
        }
        s->fault = NULL;
    }
    assert_exit(scene_osc(s, "unpause", "1", NULL), 0);
    (void)unsetenv("OSC_TUNE_HEARING_MS");
    (void)unsetenv("OSC_TUNE_SAMPLE_MS");
    scene_sql(s, "DROP TABLE odd");
    write_on(s);
    settle(s, "asking", "resume");
    judge(t, "asking", "resume");
}

#define TORTURE(name) cmocka_unit_test_setup_teardown(name, open_torture, close_torture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TORTURE(every_call_may_fail_and_resume_goes_on),
        TORTURE(every_call_for_sparse_keys_may_fail),
        TORTURE(every_call_may_fail_and_abort_cleans_up),
        TORTURE(every_call_of_resume_may_fail),
        TORTURE(every_call_of_abort_may_fail),
        TORTURE(every_call_of_finish_may_fail),
        TORTURE(every_call_of_one_that_asks_may_fail),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
