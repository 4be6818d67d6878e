#include "osc/db/interruptible.h"

#include <stdatomic.h>
#include <time.h>

#include "osc/base/group.h"

enum { IDLE_MS = 1000, AGAIN_NS = 200 * 1000 * 1000 };

struct statement {
    struct db *db;
    atomic_bool has_ended;
};

/* The group's token is set by the operator, or by us when the work has ended. */
static bool interrupt_when_cancelled(void *argument, struct cancel *cancel,
                                     struct error *err UNUSED)
{
    const struct timespec moment = {.tv_nsec = AGAIN_NS};
    struct statement *statement = argument;

    while (cancel_sleep_ms(cancel, IDLE_MS))
        ;
    while (!atomic_load(&statement->has_ended)) { /* it may have been between two statements */
        db_interrupt(statement->db);
        (void)nanosleep(&moment, NULL);
    }
    return true;
}

bool interruptible(struct db *db, struct cancel *cancel, interruptible_work *work, void *argument,
                   struct error *err)
{
    struct statement statement = {.db = db};
    struct group *group = group_new(cancel);
    struct error ignored = ERROR_INIT;

    bool good = group_start(group, "interrupt", interrupt_when_cancelled, &statement, err) &&
                work(db, argument, err);
    atomic_store(&statement.has_ended, true);
    group_cancel(group);
    (void)!group_join(group, &ignored);
    if (!good && cancel_is_set(cancel)) {
        error_clear(err);
        good = cancel_check(cancel, err);
    }
    return good;
}
