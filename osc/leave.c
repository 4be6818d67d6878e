#include "osc/leave.h"

#include <inttypes.h>
#include <string.h>

#include "osc/bare.h"
#include "osc/base/clock.h"
#include "osc/base/fail.h"
#include "osc/base/log.h"
#include "osc/control/orders.h"

enum { LOOK_MS = 250, MOST_TRIES = 20 };

static const char *const reasons[] = {
    "",
    "osc pause",
    "outside --window",
    "osc cutover has not been said",
    "--cutover=at",
    "the flag file exists",
    "outside --cutover-window",
    "the hook before-cutover says not now",
};

static enum errand errand_of(enum step_id step)
{
    return step == STEP_CUTOVER ? ERRAND_SWAP : ERRAND_WORK;
}

static bool can_wait(enum step_id step)
{
    return step == STEP_CAPTURE || step == STEP_COPY || step == STEP_INDEXES ||
           step == STEP_VERIFY || step == STEP_CUTOVER;
}

/*
 * What workers do piece by piece rests between two pieces.  Not while a bare shadow's journal
 * gets long: then the workers are to end, so that the journal can be replayed.
 */
static void hold_work(struct migration *m, enum step_id step, enum rest_reason why)
{
    const bool is_piecework =
        (step == STEP_COPY || step == STEP_VERIFY) && !atomic_load(&m->is_journal_long);
    static const struct {
        enum hold who;
        enum rest_reason why;
        const char *words;
    } holds[] = {
        {HOLD_OPERATOR, REST_PAUSED, "paused by an operator"    },
        {HOLD_WINDOW,   REST_WINDOW, "outside the hours allowed"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(holds); i++)
        if (is_piecework && why == holds[i].why)
            throttle_hold(m->throttle, holds[i].who, holds[i].words);
        else
            throttle_release(m->throttle, holds[i].who);
}

/* A pause concerns every step up to the swap, also those that cannot rest themselves. */
static struct rest publish(struct migration *m, enum step_id step)
{
    struct progress *progress = m->request->progress;
    struct rest rest = standing_orders_rest(m->standing, errand_of(step));

    if (step >= STEP_FINISH || (!can_wait(step) && rest.why != REST_PAUSED))
        rest = (struct rest){REST_NONE, 0};
    const bool waits_for_hook = rest.why == REST_NONE && atomic_load(&m->waits_for_hook);
    atomic_store(&progress->rests, (unsigned)(waits_for_hook ? REST_HOOK : rest.why));
    atomic_store(&progress->rests_until, rest.until);
    hold_work(m, step, rest.why);
    return rest;
}

void leave_take(struct migration *m, const struct orders *orders)
{
    struct error trouble = ERROR_INIT;
    const unsigned number = atomic_load(&m->request->progress->step_number);
    const enum step_id step = number ? (enum step_id)(number - 1) : STEP_PLAN;

    if (!standing_orders_take(m->standing, orders, &trouble))
        LOG(LOG_WARN, "orders not understood", F("error", trouble.text));
    const struct options options = standing_orders_options(m->standing);

    const struct limits limits = options_limits(&options);

    throttle_set_threads(m->throttle, options_threads(&options));
    throttle_set_limits(m->throttle, &limits);
    throttle_set_piece_us(m->throttle, options.chunk_time_ms * 1000);
    (void)publish(m, step);
    atomic_store(&m->request->progress->heeded, orders->number);
}

bool leave_heed(struct migration *m, struct error *err)
{
    struct arena *arena = arena_new();
    struct orders orders;

    const bool good = state_orders(m->db, m->state.schema, m->state.id, arena, &orders, err);
    if (good)
        leave_take(m, &orders);
    if (good && strcmp(orders.wish, "abort") == 0) {
        atomic_store(&m->abort_wished, true);
        cancel_set(m->cancel);
    }
    m->options = standing_orders_options(m->standing);
    arena_free(arena);
    return good && cancel_check(m->cancel, err);
}

/* ---- waiting ---- */

static bool wait_for_leave(struct migration *m, struct cancel *cancel, struct error *err)
{
    while (leave_heed(m, err)) {
        if (publish(m, m->step).why == REST_NONE)
            return true;
        if (m->step > STEP_CAPTURE && !bare_look_at_journal(m, err))
            return false;
        if (atomic_load(&m->is_journal_long))
            return true;
        if (!cancel_sleep_ms(cancel, LOOK_MS))
            return cancel_check(cancel, err);
    }
    return false;
}

/* As long as the shadow is bare nothing can be replayed; a journal that gets long ends that. */
static bool rest_in(struct migration *m, enum step_id step, struct error *err)
{
    if (step <= STEP_CAPTURE)
        return wait_for_leave(m, m->cancel, err);
    if (m->plan.is_bare) {
        if (!wait_for_leave(m, m->cancel, err))
            return false;
        if (!atomic_load(&m->is_journal_long))
            return true;
        if (!bare_end_early(m, err))
            return false; /* uncovered: a second failure beside a long journal */
    }
    struct replay_job replay = migration_replay_job(m);
    return migration_with_replay(m, &replay, wait_for_leave, err);
}

bool leave_await(struct migration *m, enum step_id step, struct error *err)
{
    struct progress *progress = m->request->progress;
    struct rest rest = {REST_NONE, 0};

    if (!can_wait(step))
        return true;
    if (!leave_heed(m, err))
        return false;
    rest = publish(m, step);
    if (rest.why == REST_NONE)
        return true;
    struct arena *arena = arena_new();
    LOG(LOG_INFO, "rests", F("table", m->plan.source->name), F("because", reasons[rest.why]),
        F("until", rest.until ? rules_moment(standing_orders_zone(m->standing), rest.until, arena)
                              : "told"));
    arena_free(arena);
    atomic_store(&progress->is_at_rest, true);
    FAILPOINT("at-rest");
    const bool good = rest_in(m, step, err);
    atomic_store(&progress->is_at_rest, false);
    if (good)
        LOG(LOG_INFO, "goes on", F("table", m->plan.source->name));
    return good;
}

bool leave_to_swap(void *migration, struct error *err)
{
    struct migration *m = migration;

    return leave_heed(m, err) && publish(m, STEP_CUTOVER).why == REST_NONE;
}

/* ---- options ---- */

bool leave_save_options(struct migration *m, struct error *err)
{
    for (unsigned n = 0; n < MOST_TRIES; n++) {
        AUTO(text) text = TEXT_INIT;
        struct orders orders;
        bool done = false;

        if (!state_orders(m->db, m->state.schema, m->state.id, m->arena, &orders, err) ||
            !options_recall(&m->options, orders.options, m->arena, err) ||
            !rules_settle(&m->options, clock_calendar(), m->arena, err))
            return false;
        options_save(&m->options, &text);
        if (strcmp(text.bytes, orders.options) == 0)
            return true;
        if (!state_order_options(m->db, m->state.schema, m->state.id, orders.number, text.bytes,
                                 false, &done, err))
            return false; /* uncovered: the row was read a moment ago */
        if (done)
            return true;
    }
    /* uncovered: another order would have to come between each time */
    return error_set(err, ERROR_TRANSIENT, "others give orders faster than ours can be written");
}
