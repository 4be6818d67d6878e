/*
 * The server is switched to read-only under running migrations: they end before
 * anything is swapped, also where osc's user might write all the same, and go on, or are
 * aborted, when it may be written again.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "tests/support/fleet.h"
#include "tests/support/own_server.h"

static int open_scene(void **state)
{
    own_server_start();
    *state = scene_open("readonly");
    return 0;
}

static int close_scene(void **state)
{
    scene_close(*state);
    own_server_stop();
    return 0;
}

/* Nobody holds a table lock: the switch would wait for it. */
static const char *const moments[] = {
    "chunk-registered", "before-indexes", "verify", "cutover", "before-lock", NULL,
};

static void switch_it(struct scene *s, bool on)
{
    if (s->is_postgres) {
        scene_sql(s, "ALTER SYSTEM SET default_transaction_read_only = %s", on ? "on" : "off");
        scene_sql(s, "SELECT pg_reload_conf()");
        while (scene_number(s,
                            "SELECT COUNT(*) FROM pg_settings WHERE name = "
                            "'default_transaction_read_only' AND reset_val = '%s'",
                            on ? "on" : "off") == 0)
            ;
        return;
    }
    scene_sql(s, "SET GLOBAL read_only = %d", on);
    if (on)
        (void)scene_try_sql(s, "SET GLOBAL super_read_only = 1");
}

static void a_switch_stops_before_the_swap(void **state)
{
    struct scene *s = *state;

    scene_sql(s, "CREATE TABLE t (id int PRIMARY KEY)");
    struct fleet *fleet =
        fleet_start(s, &(struct fleet_wish){.steps = moments, .writes_are_refused = true});
    switch_it(s, true);
    fleet_release(fleet);
    fleet_wait(fleet, 1, "read");
    fleet_is_refused(fleet, "read_only");
    assert_says(scene_osc(s, "alter", "t", "ADD COLUMN c int", NULL), 3, "read_only");
    switch_it(s, false);
    fleet_settle(fleet);
}

/* Only a switch of the server counts: a default of the role's is one of many that are set aside. */
static void a_default_of_the_role_does_not_matter(void **state)
{
    struct scene *s = *state;

    if (!s->is_postgres)
        skip();
    scene_sql(s, "CREATE TABLE t (id int PRIMARY KEY)");
    scene_sql(s, "ALTER ROLE postgres SET default_transaction_read_only = on");
    struct outcome o = scene_wait(s, scene_start(s, "alter", "t", "ADD COLUMN c int", NULL));
    scene_sql(s, "SET default_transaction_read_only = off");
    scene_sql(s, "ALTER ROLE postgres RESET default_transaction_read_only");
    assert_exit(o, 0);
}

/* A primary that is started as a standby; promoted, it is what it was. */
static void a_demotion_stops_it(void **state)
{
    struct scene *s = *state;

    if (!s->is_postgres)
        skip();
    struct fleet *fleet = fleet_start(
        s, &(struct fleet_wish){.steps = moments, .servers_die = true, .writes_are_refused = true});
    own_server_crash();
    own_server_demote();
    own_server_restart(s);
    fleet_release(fleet);
    fleet_wait(fleet, 1, "");
    fleet_is_refused(fleet, "standby");
    scene_sql(s, "SELECT pg_promote()");
    fleet_settle(fleet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_switch_stops_before_the_swap, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(a_default_of_the_role_does_not_matter, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(a_demotion_stops_it, open_scene, close_scene),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
