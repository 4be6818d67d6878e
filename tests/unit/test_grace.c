#include "tests/unit/unit.h"

#include <stdatomic.h>

#include "osc/base/grace.h"
#include "osc/base/group.h"

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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
