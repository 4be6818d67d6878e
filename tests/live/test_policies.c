/*
 * Row level security: a role that sees some of the rows must not take them for the
 * table, and a table must not lose its policies.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/scene.h"

static char owner[32], superuser[600];

static int open_scene(void **state)
{
    struct scene *s = scene_open("policies");

    *state = s;
    memcpy(superuser, s->dsn, sizeof superuser);
    if (!s->is_postgres)
        return 0;
    (void)snprintf(owner, sizeof owner, "osc_p%d", (int)getpid());
    scene_sql(s, "CREATE ROLE %s LOGIN", owner);
    scene_sql(s, "GRANT USAGE, CREATE ON SCHEMA public TO %s", owner);
    scene_sql(s, "CREATE TABLE t (id int PRIMARY KEY, v int)");
    scene_sql(s, "INSERT INTO t SELECT i, i FROM generate_series(1, 1000) i");
    scene_sql(s, "ALTER TABLE t OWNER TO %s", owner);
    return 0;
}

static int close_scene(void **state)
{
    struct scene *s = *state;

    memcpy(s->dsn, superuser, sizeof superuser);
    if (s->is_postgres) {
        scene_sql(s, "DROP OWNED BY %s CASCADE", owner);
        scene_sql(s, "DROP ROLE %s", owner);
    }
    scene_close(s);
    return 0;
}

/* osc as the table's owner, whom FORCE ROW LEVEL SECURITY binds, too. */
static void act_as_owner(struct scene *s)
{
    (void)snprintf(s->dsn, sizeof s->dsn, "postgres://%s@%s:%u/%s", owner, s->parsed.host,
                   s->parsed.port, s->parsed.database);
}

static void hide_most_rows(struct scene *s)
{
    scene_sql(s, "CREATE POLICY few ON t USING (id <= 10)");
    scene_sql(s, "ALTER TABLE t ENABLE ROW LEVEL SECURITY");
    scene_sql(s, "ALTER TABLE t FORCE ROW LEVEL SECURITY");
}

/* The table is what it was: all its rows, its policy, without the column. */
static void assert_untouched(struct scene *s, unsigned policies)
{
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t"), 1000);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM pg_attribute WHERE attrelid = "
                                     "'t'::regclass AND attname = 'w'"),
                     0);
    assert_int_equal(
        scene_number(s, "SELECT COUNT(*) FROM pg_policy WHERE polrelid = 't'::regclass"), policies);
    assert_nothing_left(s, false);
}

/* ---- before the start ---- */

static void refused(struct scene *s, const char *statement, const char *reason, unsigned policies)
{
    scene_sql(s, "%s", statement);
    assert_says(scene_osc(s, "plan", "public.t", "ADD COLUMN w int", NULL), 3, reason);
    assert_says(scene_osc(s, "alter", "public.t", "ADD COLUMN w int", NULL), 3, reason);
    assert_untouched(s, policies);
}

static void policies_are_refused(void **state)
{
    struct scene *s = *state;

    if (!s->is_postgres)
        return;
    act_as_owner(s);
    refused(s, "CREATE POLICY few ON t USING (id <= 10)", "policy few", 1);
    refused(s, "ALTER TABLE t FORCE ROW LEVEL SECURITY", "row-level security is enabled", 1);
    refused(s, "ALTER TABLE t ENABLE ROW LEVEL SECURITY", "policy few", 1);
    refused(s, "DROP POLICY few ON t", "row-level security is enabled", 0);
    memcpy(s->dsn, superuser, sizeof superuser);
    refused(s, "ALTER TABLE t NO FORCE ROW LEVEL SECURITY", "row-level security is enabled", 0);
}

/* ---- while it runs ---- */

static void noticed_at(struct scene *s, const char *step)
{
    scene_hold(s, step);
    const pid_t osc = scene_start(s, "alter", "public.t", "ADD COLUMN w int", NULL);
    scene_await(s, step);
    hide_most_rows(s);
    scene_release(s, step);
    struct outcome outcome = scene_wait(s, osc);
    print_message("%s", outcome.err);
    assert_in_range(outcome.status, 1, 4);
    outcome_free(&outcome);
    assert_exit(scene_osc(s, "abort", NULL), 0);
    assert_untouched(s, 1);
    scene_sql(s, "DROP POLICY few ON t");
    scene_sql(s, "ALTER TABLE t DISABLE ROW LEVEL SECURITY");
    scene_sql(s, "ALTER TABLE t NO FORCE ROW LEVEL SECURITY");
}

static const char *const steps[] = {"capture", "copy", "catch-up", "verify", "before-lock"};

static void no_owner_copies_a_part(void **state)
{
    struct scene *s = *state;

    if (!s->is_postgres)
        return;
    act_as_owner(s);
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
        noticed_at(s, steps[i]);
}

/* It sees all rows, and would leave the policies behind. */
static void no_superuser_loses_policies(void **state)
{
    struct scene *s = *state;

    if (!s->is_postgres)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
        noticed_at(s, steps[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(policies_are_refused, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(no_owner_copies_a_part, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(no_superuser_loses_policies, open_scene, close_scene),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
