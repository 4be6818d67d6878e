#include "tests/unit/unit.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "osc/base/grace.h"
#include "osc/base/group.h"
#include "osc/base/log.h"

struct scene {
    struct grace *grace;
    atomic_bool waited;
};

static bool wait_for_grace(void *argument, struct cancel *cancel, struct error *err)
{
    struct scene *s = argument;
    const bool good = grace_wait(s->grace, cancel, err);

    atomic_store(&s->waited, good);
    return good;
}

static void those_inside_are_waited_for_and_later_ones_are_not(void **state)
{
    (void)state;
    struct scene s = {.grace = grace_new()};
    struct error err = ERROR_INIT;
    struct group *group = group_new(NULL);

    const uint64_t early = grace_enter(s.grace);
    assert_true(group_start(group, "waiter", wait_for_grace, &s, &err));
    (void)cancel_sleep_ms(group_token(group), 60);
    assert_false(atomic_load(&s.waited));
    const uint64_t late = grace_enter(s.grace);
    grace_leave(s.grace, early);
    assert_true(group_join(group, &err)); /* `late` is still inside */
    assert_true(atomic_load(&s.waited));
    grace_leave(s.grace, late);
    grace_free(s.grace);
}

static atomic_uint said;

static void hear(enum log_level level UNUSED, const char *event, const struct log_field *fields)
{
    if (strcmp(event, "replay waits for chunks that had started before") == 0 && fields)
        atomic_fetch_add(&said, 1);
}

static void a_long_wait_is_told(void **state)
{
    (void)state;
    struct scene s = {.grace = grace_new()};
    struct error err = ERROR_INIT;
    struct group *group = group_new(NULL);

    (void)setenv("OSC_TUNE_TELL", "60", 1);
    log_observe(hear);
    const uint64_t early = grace_enter(s.grace);
    assert_true(group_start(group, "waiter", wait_for_grace, &s, &err));
    while (!atomic_load(&said))
        (void)cancel_sleep_ms(group_token(group), 10);
    grace_leave(s.grace, early);
    assert_true(group_join(group, &err));
    log_observe(NULL);
    (void)unsetenv("OSC_TUNE_TELL");
    grace_free(s.grace);
}

static void a_cancelled_wait_ends(void **state)
{
    (void)state;
    struct scene s = {.grace = grace_new()};
    struct error err = ERROR_INIT;
    struct group *group = group_new(NULL);

    (void)grace_enter(s.grace);
    assert_true(group_start(group, "waiter", wait_for_grace, &s, &err));
    group_cancel(group);
    assert_false(group_join(group, &err));
    assert_int_equal(err.kind, ERROR_CANCELLED);
    grace_free(s.grace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_inside_are_waited_for_and_later_ones_are_not),
        cmocka_unit_test(a_cancelled_wait_ends),
        cmocka_unit_test(a_long_wait_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
