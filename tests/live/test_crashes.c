/*
 * The server crashes while osc stands at each moment of a migration, with writers on
 * every table: each run ends by itself, is resumed, in a second case of the same aborted, and
 * nothing is lost.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "tests/support/fleet.h"
#include "tests/support/own_server.h"

static int open_scene(void **state)
{
    const char *server = getenv("OSC_TEST_SERVER");

    (void)setenv("LAB_OPTIONS",
                 server && strncmp(server, "postgres", 8) == 0 ? "-c max_connections=400"
                                                               : "--max-connections=400",
                 1);
    own_server_start();
    *state = scene_open("crashes");
    return 0;
}

static int close_scene(void **state)
{
    scene_close(*state);
    own_server_stop();
    return 0;
}

/* InnoDB may give out a key again whose transaction died in the crash: the witness minds. */
static struct fleet *start(struct scene *s, const char *const *moments)
{
    return fleet_start(s, &(struct fleet_wish){
                              .steps = moments,
                              .servers_die = true,
                              .writes_are_refused = !s->is_postgres,
                              .both_ways = true,
                          });
}

/* The server is away when they want something of it. */
static void each_step_survives_a_crash(void **state)
{
    static const char *const steps[] = {"shadow", "capture", "copy",   "indexes", "catch-up",
                                        "verify", "cutover", "finish", NULL};
    struct scene *s = *state;

    struct fleet *fleet = start(s, steps);
    own_server_crash();
    fleet_release(fleet);
    fleet_wait(fleet, 1, "connect");
    own_server_restart(s);
    fleet_settle(fleet);
}

/*
 * It is back when they do: they may connect again, but their lease is gone.  Whoever has the lock
 * of the swap asks what became of it, for a minute.
 */
static void moments_within_them_survive_a_restart(void **state)
{
    static const char *const moments[] = {
        "before-journal", "chunk-registered", "locked",  "chunk-before-commit",
        "drained",        "before-indexes",   "swapped", NULL};
    struct scene *s = *state;

    struct fleet *fleet = start(s, moments);
    own_server_crash();
    own_server_restart(s);
    fleet_release(fleet);
    fleet_wait(fleet, 1, "connect");
    fleet_settle(fleet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_step_survives_a_crash, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(moments_within_them_survive_a_restart, open_scene,
                                        close_scene),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
