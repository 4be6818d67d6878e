#include "tests/support/fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/others.h"
#include "tests/support/writers.h"
#include "tests/unit/unit.h"

enum { MOST_SHIPS = 24, ROWS = 300, RATE = 15 };

struct ship {
    struct scene scene; /* the scene's, with failpoints of its own */
    const char *table, *step;
    pid_t osc;
    bool is_done, is_to_be_aborted;
    struct traffic *traffic;
};

struct fleet {
    struct scene *scene;
    struct fleet_wish wish;
    struct ship ships[MOST_SHIPS];
    size_t n;
};

static void launch(struct fleet *fleet, struct ship *ship, const char *step)
{
    const size_t i = (size_t)(ship - fleet->ships);

    ship->scene = *fleet->scene;
    ship->step = step;
    ship->table = arena_printf(fleet->scene->arena, "t%zu", i);
    ship->is_to_be_aborted = i % 2 == fleet->wish.first_aborted;
    (void)snprintf(ship->scene.directory, sizeof ship->scene.directory, "/tmp/osc-ship-XXXXXX");
    assert_non_null(mkdtemp(ship->scene.directory));
    ship->traffic = writers_start(&ship->scene, &(struct writers_wish){
                                                    .table = ship->table,
                                                    .writers = 1,
                                                    .rate = RATE,
                                                    .rows = ROWS,
                                                    .may_lose_connections = fleet->wish.servers_die,
                                                });
    scene_hold(&ship->scene, step);
    ship->osc = scene_start(&ship->scene, "alter", ship->table,
                            "ADD COLUMN phone varchar(20) NOT NULL DEFAULT ''", "--threads=1",
                            "--after=drop", "--cutover-timeout=30s", NULL);
}

struct fleet *fleet_start(struct scene *scene, const struct fleet_wish *wish)
{
    struct fleet *fleet = must_alloc(sizeof *fleet);
    const size_t times = wish->both_ways ? 2 : 1;

    *fleet = (struct fleet){.scene = scene, .wish = *wish};
    for (; wish->steps[fleet->n / times]; fleet->n++) {
        assert_true(fleet->n < MOST_SHIPS);
        launch(fleet, &fleet->ships[fleet->n], wish->steps[fleet->n / times]);
    }
    for (size_t i = 0; i < fleet->n; i++)
        scene_await(&fleet->ships[i].scene, fleet->ships[i].step);
    return fleet;
}

void fleet_release(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->n; i++)
        scene_release(&fleet->ships[i].scene, fleet->ships[i].step);
}

void fleet_await_words(struct fleet *fleet, const char *words)
{
    for (size_t i = 0; i < fleet->n; i++)
        awaits(&fleet->ships[i].scene, fleet->ships[i].osc, words);
}

void fleet_wait(struct fleet *fleet, int status, const char *words)
{
    for (size_t i = 0; i < fleet->n; i++) {
        struct ship *ship = &fleet->ships[i];
        struct outcome outcome = scene_wait(&ship->scene, ship->osc);
        ship->is_done = outcome.status == 0;
        if (!ship->is_done && (outcome.status != status || !strstr(outcome.err, words)))
            fail_msg("at %s: %d\n%s", ship->step, outcome.status, outcome.err);
        if (!ship->is_done && !strstr(outcome.err, "osc resume") &&
            !strstr(outcome.err, "osc abort"))
            fail_msg("at %s no next command is named: %s", ship->step, outcome.err);
        outcome_free(&outcome);
    }
}

void fleet_all_done(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->n; i++)
        assert_true(fleet->ships[i].is_done);
}

void fleet_is_refused(struct fleet *fleet, const char *words)
{
    for (size_t i = 0; i < fleet->n; i++)
        if (!fleet->ships[i].is_done)
            assert_says(scene_osc(&fleet->ships[i].scene, "resume", fleet->ships[i].table, NULL), 3,
                        words);
}

static bool has_phone(struct fleet *fleet, const struct ship *ship)
{
    return scene_number(fleet->scene,
                        "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = "
                        "'%s' AND table_name = '%s' AND column_name = 'phone'",
                        fleet->scene->schema, ship->table) == 1;
}

/* What was never begun needs no resuming, and what has swapped cannot be aborted. */
static bool is_fair(const struct outcome *outcome)
{
    return outcome->status == 0 || strstr(outcome->err, "no migration of") ||
           strstr(outcome->err, "has swapped already");
}

static void end_one(struct fleet *fleet, struct ship *ship, bool aborts)
{
    struct outcome outcome =
        scene_osc(&ship->scene, aborts ? "abort" : "resume", ship->table, NULL);
    const bool swapped = strstr(outcome.err, "has swapped already");

    if (!is_fair(&outcome))
        fail_msg("%s at %s: %d\n%s", aborts ? "abort" : "resume", ship->step, outcome.status,
                 outcome.err);
    if (outcome.status == 0 && has_phone(fleet, ship) == aborts)
        fail_msg("%s at %s: the table is not what it should be", aborts ? "abort" : "resume",
                 ship->step);
    outcome_free(&outcome);
    if (swapped)
        end_one(fleet, ship, false);
}

static void judge(const struct fleet *fleet, struct ship *ship)
{
    AUTO(text) remove = TEXT_INIT;

    if (fleet->wish.writes_are_refused)
        traffic_report_free(
            (writers_check(ship->traffic, ship->step), traffic_stop(ship->traffic)));
    else
        writers_stop(ship->traffic, ship->step);
    text_printf(&remove, "rm -rf '%s'", ship->scene.directory);
    (void)!system(remove.bytes);
}

void fleet_settle(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->n; i++)
        if (!fleet->ships[i].is_done)
            end_one(fleet, &fleet->ships[i], fleet->ships[i].is_to_be_aborted);
    for (size_t i = 0; i < fleet->n; i++)
        judge(fleet, &fleet->ships[i]);
    assert_nothing_left(fleet->scene, false);
    free(fleet);
}
