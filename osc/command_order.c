#include <inttypes.h>
#include <string.h>

#include "osc/command_bodies.h"
#include "osc/output.h"

/* Each an order; what it means once the run has heard it, and what to type next. */
static const struct order_words {
    enum order order;
    const char *done, *next;
} orders[] = {
    {ORDER_PAUSE,   "paused; writes are captured and replayed meanwhile",        "unpause"},
    {ORDER_UNPAUSE, "goes on",                                                   "pause"  },
    {ORDER_CUTOVER, "swaps as soon as every row is verified, and waits no more", "status" },
    {ORDER_SET,     "the options hold from now on",                              "status" },
};

static bool print_json(const struct run *run, const struct order_outcome *outcome,
                       struct error *err)
{
    return output_json(json_pack("{s:s, s:I, s:b, s:b, s:I, s:s}", "event", run->command->name,
                                 "id", (json_int_t)run->id, "running", outcome->is_running,
                                 "heeded", outcome->is_heeded, "milliseconds",
                                 (json_int_t)outcome->took_ms, "step", outcome->step),
                       err);
}

static void add_reservations(struct text *out, const struct order_words *words,
                             const struct order_outcome *outcome, uint64_t id)
{
    if (words->order == ORDER_PAUSE && strcmp(outcome->step, "indexes") == 0)
        text_add(out, "an index build that runs cannot rest: it goes on, and the migration rests "
                      "after it\n");
    if (words->order == ORDER_CUTOVER && *outcome->paused)
        text_printf(out, "but it is paused by %s: osc unpause %" PRIu64 " first\n", outcome->paused,
                    id);
}

static void print_text(const struct run *run, const struct order_words *words,
                       const struct order_outcome *outcome, struct text *out)
{
    text_printf(out, "migration %" PRIu64 ": ", run->id);
    if (outcome->is_heeded)
        text_printf(out, "%s (heeded after %.1f s)\n", words->done,
                    (double)outcome->took_ms / 1000);
    else if (outcome->is_running)
        text_printf(out, "written down, but the run has not heeded it within %.0f s\n",
                    (double)outcome->took_ms / 1000);
    else
        text_printf(out,
                    "written down; nothing runs now, it will hold after osc resume %" PRIu64 "\n",
                    run->id);
    add_reservations(out, words, outcome, run->id);
    text_printf(out, "next: osc %s %" PRIu64 "\n", words->next, run->id);
}

static bool give(struct run *run, enum order order, const struct words *assignments,
                 struct error *err)
{
    struct request request;
    struct order_outcome outcome;
    AUTO(text) out = TEXT_INIT;

    if (!command_request(run, &request, err) ||
        !command_id(run, &request.schema, &request.table, err) ||
        !migrate_order(&request, &run->id, order, assignments, &outcome, err))
        return false;
    if (run->options.json)
        return print_json(run, &outcome, err);
    print_text(run, &orders[order], &outcome, &out);
    return output_text(&out, err);
}

bool command_pause(struct run *run, struct error *err)
{
    return give(run, ORDER_PAUSE, NULL, err);
}

bool command_unpause(struct run *run, struct error *err)
{
    return give(run, ORDER_UNPAUSE, NULL, err);
}

bool command_cutover(struct run *run, struct error *err)
{
    return give(run, ORDER_CUTOVER, NULL, err);
}

/* The first word names the migration, unless it is an assignment already. */
bool command_set(struct run *run, struct error *err)
{
    const bool is_named = !strchr(run->words.list[0], '=');
    const struct words assignments = {run->words.list + is_named, run->words.count - is_named};

    run->words.count = is_named;
    if (!assignments.count) {
        (void)error_set(err, ERROR_USAGE, "osc set needs NAME=VALUE");
        return error_hint(err, "osc set --help shows an example");
    }
    return give(run, ORDER_SET, &assignments, err);
}
