/*
 * Giving orders to a migration, from any host: through its row, and never by
 * writing what somebody else has said in the same moment away.
 */
#include <inttypes.h>
#include <jansson.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "osc/base/clock.h"
#include "osc/base/fail.h"
#include "osc/control/rules.h"
#include "osc/migration.h"

enum { HEARING_MS = 10000, LOOK_MS = 100, SILENT_S = 15, MOST_TRIES = 20, MOST_NAME = 200 };

/* anna@db1 */
static const char *operator_name(struct arena *arena)
{
    char host[128] = "", buffer[4096];
    struct passwd entry, *found = NULL;

    (void)gethostname(host, sizeof host - 1);
    (void)getpwuid_r(geteuid(), &entry, buffer, sizeof buffer, &found);
    return found ? arena_printf(arena, "%.*s@%s", MOST_NAME - 130, entry.pw_name, host)
                 : arena_printf(arena, "user %u@%s", (unsigned)geteuid(), host);
}

static bool give(struct migration *m, const char *column, const char *value, uint64_t *number,
                 struct error *err)
{
    return state_order(m->db, m->state.schema, m->state.id, column, value, number, err);
}

/* Said of the options as they are; again where another order came between. */
static bool change_options(struct migration *m, const struct words *assignments, uint64_t *number,
                           struct error *err)
{
    for (unsigned n = 0; n < MOST_TRIES; n++) {
        AUTO(text) text = TEXT_INIT;
        struct options options = m->options;
        struct orders orders;
        bool holds_swap = false, done = false;

        options_forget_origins(&options);
        if (!state_orders(m->db, m->state.schema, m->state.id, m->arena, &orders, err) ||
            !options_recall(&options, orders.options, m->arena, err))
            return false;
        for (size_t i = 0; i < assignments->count; i++) {
            if (!options_set(&options, assignments->list[i], m->arena, err))
                return false;
            holds_swap |= strncmp(assignments->list[i], "cutover=", 8) == 0;
        }
        if (!rules_settle(&options, clock_calendar(), m->arena, err))
            return false; /* uncovered: each word was checked when it was set */
        options_save(&options, &text);
        if (!state_order_options(m->db, m->state.schema, m->state.id, orders.number, text.bytes,
                                 holds_swap, &done, err))
            return false;
        *number = orders.number + 1;
        if (done)
            return true;
    }
    /* uncovered: another order would have to come between each time */
    return error_set(err, ERROR_TRANSIENT, "others give orders faster than ours can be written");
}

static bool carry_over(struct migration *m, enum order order, const struct words *assignments,
                       uint64_t *number, struct error *err)
{
    const char *who = operator_name(m->arena);

    switch (order) {
    case ORDER_PAUSE: return give(m, "paused", who, number, err);
    case ORDER_UNPAUSE: return give(m, "paused", "", number, err);
    case ORDER_CUTOVER: return give(m, "let_go", who, number, err);
    case ORDER_SET: return change_options(m, assignments, number, err);
    }
    bug("order %d", (int)order);
}

static bool may_be_told(const struct migration *m, struct error *err)
{
    const struct state_row *row = &m->state;

    if (!migration_is_over(row) && step_named(row->step) < STEP_FINISH)
        return true;
    (void)error_set(err, ERROR_USAGE, "migration %" PRIu64 " %s", row->id,
                    strcmp(row->status, "aborted") == 0 ? "was aborted" : "has swapped already");
    return error_hint(err, "osc status %" PRIu64, row->id);
}

static uint64_t heeded(const struct state_row *row)
{
    json_t *json = json_loads(row->progress, 0, NULL);
    const json_int_t number = json_integer_value(json_object_get(json, "heeded"));

    json_decref(json);
    return number > 0 ? (uint64_t)number : 0;
}

/* Until the run says that it has heard, or there is none. */
static bool await_heeding(struct migration *m, uint64_t number, struct order_outcome *outcome,
                          struct error *err)
{
    const uint64_t began_ms = clock_ms();
    const struct deadline until = deadline_in_ms(TUNED("HEARING_MS", HEARING_MS));
    const struct state_row *row = &m->state;

    do {
        if (!migration_read_again(m, err))
            return false;
        const bool has_ended = strcmp(row->status, "done") == 0;
        outcome->is_running =
            strcmp(row->status, "running") == 0 && row->heartbeat_age_s <= SILENT_S;
        outcome->is_heeded = has_ended || (outcome->is_running && heeded(row) >= number);
        outcome->took_ms = clock_ms() - began_ms;
        outcome->step = row->step;
        outcome->paused = row->paused;
        if (outcome->is_heeded || !outcome->is_running || deadline_passed(&until))
            return true;
    } while (cancel_sleep_ms(m->cancel, LOOK_MS));
    return cancel_check(m->cancel, err);
}

bool migrate_order(const struct request *request, uint64_t *id, enum order order,
                   const struct words *assignments, struct order_outcome *outcome,
                   struct error *err)
{
    struct migration m;
    uint64_t number = 0;

    *outcome = (struct order_outcome){.step = "", .paused = ""};
    bool good = migration_open(&m, request, err) && migration_find(&m, *id, FIND_UNDER_WAY, err);
    if (good) {
        *id = m.state.id;
        good = may_be_told(&m, err) && carry_over(&m, order, assignments, &number, err) &&
               await_heeding(&m, number, outcome, err);
    }
    migration_close(&m);
    return good;
}
