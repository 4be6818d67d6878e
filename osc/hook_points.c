#include "osc/hook_points.h"

#include <inttypes.h>

#include "osc/base/fail.h"
#include "osc/base/log.h"
#include "osc/hooks.h"

enum {
    LOOK_MS = 250,
    ASK_AGAIN_MS = 30000,
    LASTING_MS = 10000, /* a throttle that lasts shorter is no news */
    SLOW_PERCENT = 50,  /* of full speed */
};

bool hook_points_open(struct migration *m, struct error *err)
{
    return hooks_open(&m->hooks, m->options.hooks, m->options.hook_timeout_ms, err);
}

/* ---- facts ---- */

/* What happened, and to which table. */
static void add_story(struct hook_facts *facts, const struct migration *m, enum hook_point point)
{
    const struct table *source = m->plan.source;

    hook_fact(facts, "POINT", "%s", hook_name(point));
    hook_fact(facts, "ID", "%" PRIu64, m->plan.id);
    hook_fact(facts, "SERVER", "%s", m->dsn.shown);
    hook_fact(facts, "SCHEMA", "%s", source ? source->schema : "");
    hook_fact(facts, "TABLE", "%s", source ? source->name : "");
    hook_fact(facts, "ALTER", "%s", m->plan.alter ? m->plan.alter : "");
}

static void add_progress(struct hook_facts *facts, struct progress *progress)
{
    const struct {
        const char *name;
        uint64_t number;
    } numbers[] = {
        {"STEP_NUMBER",    atomic_load(&progress->step_number)   },
        {"STEPS",          atomic_load(&progress->steps)         },
        {"ROWS_EXPECTED",  atomic_load(&progress->rows_expected) },
        {"ROWS_COPIED",    atomic_load(&progress->rows_copied)   },
        {"ROWS_VERIFIED",  atomic_load(&progress->rows_verified) },
        {"BACKLOG",        atomic_load(&progress->backlog)       },
        {"REPLICA_LAG_MS", atomic_load(&progress->replica_lag_ms)},
        {"DUTY_PERCENT",   atomic_load(&progress->duty_percent)  },
    };
    const char *step = atomic_load(&progress->step);
    const char *reason = atomic_load(&progress->throttle_reason);

    hook_fact(facts, "STEP", "%s", step ? step : "");
    hook_fact(facts, "THROTTLE", "%s", reason ? reason : "");
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        hook_fact(facts, numbers[i].name, "%" PRIu64, numbers[i].number);
}

static enum hook_answer run(struct migration *m, enum hook_point point, struct hook_facts *more,
                            const struct cancel *cancel)
{
    if (!hooks_have(m->hooks, point))
        return HOOK_YES;
    add_story(more, m, point);
    add_progress(more, m->request->progress);
    return hooks_run(m->hooks, point, more, cancel);
}

/* A hook that gets nothing but the usual facts, and a step. */
static enum hook_answer run_at(struct migration *m, enum hook_point point, enum step_id step,
                               const struct cancel *cancel)
{
    if (!hooks_have(m->hooks, point))
        return HOOK_YES;
    struct hook_facts facts = {.arena = arena_new()};
    add_story(&facts, m, point);
    add_progress(&facts, m->request->progress);
    hook_fact(&facts, "STEP", "%s", step_name(step));
    hook_fact(&facts, "STEP_NUMBER", "%u", (unsigned)step + 1);
    const enum hook_answer answer = hooks_run(m->hooks, point, &facts, cancel);
    arena_free(facts.arena);
    return answer;
}

/* ---- points ---- */

void hook_points_before(struct migration *m, enum step_id step)
{
    (void)run_at(m, HOOK_BEFORE_STEP, step, m->cancel);
}

void hook_points_after(struct migration *m, enum step_id step)
{
    if (step == STEP_CUTOVER)
        (void)run_at(m, HOOK_AFTER_CUTOVER, step, m->cancel);
    (void)run_at(m, HOOK_AFTER_STEP, step, m->cancel);
}

/* Status says why nothing happens. */
static void show_wait(struct migration *m, bool waits)
{
    atomic_store(&m->waits_for_hook, waits);
    atomic_store(&m->request->progress->rests, (unsigned)(waits ? REST_HOOK : REST_NONE));
    atomic_store(&m->request->progress->is_at_rest, waits);
}

static bool ask(struct migration *m, struct cancel *cancel, struct error *err)
{
    for (;;) {
        const enum hook_answer answer = run_at(m, HOOK_BEFORE_CUTOVER, STEP_CUTOVER, cancel);
        if (!cancel_check(cancel, err))
            return false;
        if (answer == HOOK_YES)
            return true;
        if (answer == HOOK_NO) {
            error_set(err, ERROR_CANCELLED, "the hook before-cutover refuses the swap");
            return error_hint(err,
                              "nothing was swapped; osc resume %" PRIu64
                              " asks it again, --hooks none does not, osc abort %" PRIu64
                              " gives up",
                              m->plan.id, m->plan.id);
        }
        show_wait(m, true);
        if (!cancel_sleep_ms(cancel, TUNED("ASK_AGAIN_MS", ASK_AGAIN_MS)))
            return cancel_check(cancel, err);
    }
}

bool hook_points_consent(struct migration *m, struct error *err)
{
    struct replay_job replay = migration_replay_job(m);

    if (!hooks_have(m->hooks, HOOK_BEFORE_CUTOVER))
        return true;
    const bool good = migration_with_replay(m, &replay, ask, err);
    show_wait(m, false);
    return good;
}

void hook_points_close(struct migration *m, bool good, const struct error *err)
{
    struct hook_facts facts = {.arena = arena_new()};

    if (!good) {
        hook_fact(&facts, "ERROR", "%s", err->text);
        hook_fact(&facts, "NEXT", "%s", err->hint);
        hook_fact(&facts, "EXIT_CODE", "%d", error_exit_code(err->kind));
    }
    /* The operator's Ctrl-C is what is to be told of. */
    (void)run(m, good ? HOOK_DONE : HOOK_FAILED, &facts, NULL);
    arena_free(facts.arena);
    hooks_close(m->hooks);
    m->hooks = NULL;
}

/* ---- throttled ---- */

static bool is_slow(const struct migration *m)
{
    struct progress *progress = m->request->progress;

    return atomic_load(&progress->throttle_reason) &&
           atomic_load(&progress->duty_percent) < SLOW_PERCENT;
}

bool hook_points_watch(void *migration, struct cancel *cancel, struct error *err)
{
    struct migration *m = migration;
    bool told = false;
    struct deadline news = deadline_in_ms(TUNED("LASTING_MS", LASTING_MS));

    (void)err;
    while (cancel_sleep_ms(cancel, LOOK_MS)) {
        if (is_slow(m) == told)
            news = deadline_in_ms(TUNED("LASTING_MS", LASTING_MS));
        if (!deadline_passed(&news))
            continue;
        struct hook_facts facts = {.arena = arena_new()};
        told = !told;
        (void)run(m, told ? HOOK_THROTTLED : HOOK_UNTHROTTLED, &facts, cancel);
        arena_free(facts.arena);
    }
    return true;
}
