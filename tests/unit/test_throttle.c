#include "tests/unit/unit.h"

#include <string.h>

#include "osc/base/clock.h"
#include "osc/base/group.h"
#include "osc/db/dialect.h"
#include "osc/db/server.h"
#include "osc/db/throttle.h"
#include "osc/db/throttle_signals.h"
#include "tests/support/db_fake.h"

enum { PATIENCE_MS = 10000, A_WHILE_MS = 100 };

/* Two workers that do nothing for a millisecond at a time. */
struct scene {
    struct progress progress;
    struct throttle *throttle;
    struct group *workers;
    atomic_uint pieces;
};

static bool work(void *argument, struct cancel *cancel, struct error *err)
{
    struct scene *scene = argument;

    while (throttle_enter(scene->throttle, cancel, err)) {
        atomic_fetch_add(&scene->pieces, 1);
        (void)cancel_sleep_ms(NULL, 1);
        throttle_leave(scene->throttle, 1000);
    }
    return false;
}

static int begin(void **state)
{
    static struct scene scene;
    struct error err = ERROR_INIT;

    scene = (struct scene){.workers = group_new(NULL)};
    const struct throttle_job job = {.progress = &scene.progress, .threads = 2};
    scene.throttle = throttle_start(&job, &err);
    for (int i = 0; i < 2; i++)
        if (!group_start(scene.workers, "worker", work, &scene, &err))
            return -1;
    *state = &scene;
    return 0;
}

static int end(void **state)
{
    struct scene *scene = *state;
    struct error err = ERROR_INIT;

    group_cancel(scene->workers);
    (void)!group_join(scene->workers, &err);
    throttle_stop(scene->throttle);
    return 0;
}

static bool works(struct scene *scene)
{
    const unsigned before = atomic_load(&scene->pieces);
    const struct deadline until = deadline_in_ms(PATIENCE_MS);

    while (atomic_load(&scene->pieces) < before + 5)
        if (deadline_passed(&until) || !cancel_sleep_ms(NULL, 1))
            return false;
    return true;
}

/* After the pieces that had begun. */
static void assert_rests(struct scene *scene)
{
    (void)cancel_sleep_ms(NULL, A_WHILE_MS);
    const unsigned before = atomic_load(&scene->pieces);
    (void)cancel_sleep_ms(NULL, A_WHILE_MS);
    assert_int_equal(atomic_load(&scene->pieces), before);
}

static void works_at_full_speed_where_nothing_is_in_the_way(void **state)
{
    struct scene *scene = *state;

    assert_true(works(scene));
    assert_int_equal(atomic_load(&scene->progress.duty_percent), 100);
    assert_int_equal(atomic_load(&scene->progress.threads_allowed), 2);
    assert_null(atomic_load(&scene->progress.throttle_reason));
    assert_int_equal(throttle_piece_us(scene->throttle, 250000), 250000);
}

static void rests_until_everybody_who_held_it_lets_go(void **state)
{
    struct scene *scene = *state;

    throttle_hold(scene->throttle, HOLD_WINDOW, "outside the window");
    throttle_hold(scene->throttle, HOLD_OPERATOR, "paused");
    assert_rests(scene);
    assert_int_equal(atomic_load(&scene->progress.duty_percent), 0);
    assert_string_equal(atomic_load(&scene->progress.throttle_reason), "paused");

    throttle_release(scene->throttle, HOLD_OPERATOR);
    assert_rests(scene);
    assert_string_equal(atomic_load(&scene->progress.throttle_reason), "outside the window");

    throttle_release(scene->throttle, HOLD_WINDOW);
    assert_true(works(scene));
    assert_null(atomic_load(&scene->progress.throttle_reason));
}

static void a_held_worker_hears_that_the_run_is_over(void **state)
{
    struct scene *scene = *state;
    struct error err = ERROR_INIT;

    throttle_hold(scene->throttle, HOLD_OPERATOR, "paused");
    group_cancel(scene->workers);
    assert_false(group_join(scene->workers, &err));
    assert_int_equal(err.kind, ERROR_CANCELLED);
    scene->workers = group_new(NULL);
}

static void fewer_threads_work_side_by_side_from_now_on(void **state)
{
    struct scene *scene = *state;

    throttle_set_threads(scene->throttle, 1);
    assert_true(works(scene));
    assert_int_equal(throttle_threads(scene->throttle), 1);
    assert_int_equal(atomic_load(&scene->progress.threads_allowed), 1);
}

/* ---- Galera, whose one node in the live tests waits for nobody ---- */

static struct fake_answer galera_says[] = {
    {.words = "WSREP_FLOW_CONTROL_PAUSED_NS", .rows = "100"},
    {.words = "beat"                                      },
    {.words = NULL},
};

/* At its second heartbeat writers have waited for a whole second more; then enough was seen. */
static void moves_on(void *owner, uint64_t took_us UNUSED)
{
    static unsigned beats;

    beats++;
    if (beats == 2)
        galera_says[0].rows = "200";
    if (beats == 7)
        cancel_set(owner);
}

static void has_looked(void *owner, bool some_are_late)
{
    (void)owner, (void)some_are_late;
}

static bool set_up(struct db *db, const char *purpose, struct error *err)
{
    (void)db, (void)purpose, (void)err;
    return true;
}

static bool find_no_files(struct db *db, struct disk *disk, struct error *err)
{
    (void)db, (void)disk, (void)err;
    return true;
}

static void writers_that_galera_keeps_waiting_hold_it_back(void **state UNUSED)
{
    const struct server_dialect server = {
        .setup = set_up, .find_files = find_no_files, .signals = mysql_signals};
    const struct dialect galera = {.driver = &fake_driver, .server = &server};
    const struct dsn dsn = {.host = "live", .dialect = &galera};
    const struct limits limits = {.flow_control = 10};
    const struct heartbeat heartbeat = {.beat = "beat"};
    struct progress progress = {.replicas_sought = true};
    const struct signals_job job = {&dsn, &limits, &progress, &heartbeat};
    struct cancel *cancel = cancel_new(NULL);
    const struct signals_listener listener = {cancel, moves_on, has_looked};
    struct signals *signals = signals_new(&job);
    const char *reason = "";
    struct db db;

    fake_open(&db, &galera, galera_says);
    signals_watch(signals, cancel, &listener);
    assert_true(signals_strain(signals, false, &reason) >= 100);
    assert_string_equal(reason, "Galera keeps writers waiting");
    fake_close(&db);
    signals_free(signals);
    cancel_free(cancel);
}

/* A small table would be copied before the others are looked at. */
static void what_is_beyond_its_limit_at_the_beginning_is_never_worked_beside(void **state UNUSED)
{
    const struct server_dialect server = {.signals = mysql_signals};
    const struct dialect dialect = {.driver = &fake_driver, .server = &server};
    const struct dsn dsn = {.host = "dead", .dialect = &dialect};
    const struct limits limits = {.flag_file = "/"};
    struct scene scene = {.progress.replicas_sought = true, .workers = group_new(NULL)};
    const struct throttle_job job = {
        .dsn = &dsn, .limits = &limits, .progress = &scene.progress, .threads = 1};
    const struct deadline until = deadline_in_ms(PATIENCE_MS);
    struct error err = ERROR_INIT;
    void *running = &scene;

    scene.throttle = throttle_start(&job, &err);
    assert_true(group_start(scene.workers, "worker", work, &scene, &err));
    while (!atomic_load(&scene.progress.throttle_reason) && !deadline_passed(&until))
        (void)cancel_sleep_ms(NULL, 1);
    assert_rests(&scene);
    assert_int_equal(atomic_load(&scene.pieces), 0);
    assert_string_equal(atomic_load(&scene.progress.throttle_reason), "the flag file is there");
    (void)end(&running);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writers_that_galera_keeps_waiting_hold_it_back),
        cmocka_unit_test(what_is_beyond_its_limit_at_the_beginning_is_never_worked_beside),
        cmocka_unit_test_setup_teardown(works_at_full_speed_where_nothing_is_in_the_way, begin,
                                        end),
        cmocka_unit_test_setup_teardown(rests_until_everybody_who_held_it_lets_go, begin, end),
        cmocka_unit_test_setup_teardown(a_held_worker_hears_that_the_run_is_over, begin, end),
        cmocka_unit_test_setup_teardown(fewer_threads_work_side_by_side_from_now_on, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
