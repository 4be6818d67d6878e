#include "osc/throttle_view.h"

#include <inttypes.h>
#include <string.h>

#include "osc/base/human.h"

void throttle_view_read(struct throttle_view *view, const struct progress *progress)
{
    *view = (struct throttle_view){
        .is_known = atomic_load(&progress->is_throttled),
        .duty_percent = atomic_load(&progress->duty_percent),
        .threads = atomic_load(&progress->threads_allowed),
        .reason = atomic_load(&progress->throttle_reason),
    };
    for (size_t i = 0; i < MOST_SIGNALS; i++) {
        const struct progress_signal *signal = &progress->signals[i];
        const char *name = atomic_load(&signal->name);
        if (name) /* not all exist on every server */
            view->signals[view->n_signals++] = (struct signal_view){
                .name = name,
                .unit = atomic_load(&signal->unit),
                .value = atomic_load(&signal->value),
                .limit = atomic_load(&signal->limit),
                .is_unknown = atomic_load(&signal->is_unknown),
            };
    }
}

/* ---- for machines ---- */

json_t *throttle_view_json(const struct throttle_view *view)
{
    json_t *signals = json_array();

    for (size_t i = 0; i < view->n_signals; i++) {
        const struct signal_view *signal = &view->signals[i];
        json_array_append_new(
            signals,
            json_pack("{s:s, s:s, s:o, s:I}", "name", signal->name, "unit", signal->unit, "value",
                      signal->is_unknown ? json_null() : json_integer((json_int_t)signal->value),
                      "limit", (json_int_t)signal->limit));
    }
    return json_pack("{s:i, s:i, s:s?, s:o}", "duty_percent", (int)view->duty_percent, "threads",
                     (int)view->threads, "reason", view->reason, "signals", signals);
}

static const char *string_of(const json_t *object, const char *name, struct arena *arena)
{
    const char *string = json_string_value(json_object_get(object, name));

    return string ? arena_string(arena, string) : NULL;
}

static uint64_t number_of(const json_t *object, const char *name)
{
    const json_int_t number = json_integer_value(json_object_get(object, name));

    return number > 0 ? (uint64_t)number : 0;
}

void throttle_view_restore(const json_t *object, struct progress *progress, struct arena *arena)
{
    const json_t *signals = json_object_get(object, "signals");
    size_t i;
    json_t *signal;

    if (!json_is_object(object))
        return;
    atomic_store(&progress->is_throttled, true);
    atomic_store(&progress->duty_percent, (unsigned)number_of(object, "duty_percent"));
    atomic_store(&progress->threads_allowed, (unsigned)number_of(object, "threads"));
    atomic_store(&progress->throttle_reason, string_of(object, "reason", arena));
    json_array_foreach(signals, i, signal)
    {
        const char *name = string_of(signal, "name", arena),
                   *unit = string_of(signal, "unit", arena);
        if (i >= MOST_SIGNALS || !name || !unit)
            return;
        struct progress_signal *kept = &progress->signals[i];
        atomic_store(&kept->unit, unit);
        atomic_store(&kept->value, number_of(signal, "value"));
        atomic_store(&kept->limit, number_of(signal, "limit"));
        atomic_store(&kept->is_unknown, json_is_null(json_object_get(signal, "value")));
        atomic_store(&kept->name, name);
    }
}

/* ---- for people ---- */

void throttle_view_words(struct text *out, const struct throttle_view *view)
{
    if (!view->is_known || !view->reason)
        return;
    if (view->duty_percent)
        text_printf(out, "at %u%%: %s", view->duty_percent, view->reason);
    else
        text_printf(out, "rests: %s", view->reason);
}

static void add_amount(struct text *out, const char *unit, uint64_t amount)
{
    if (strcmp(unit, "bytes") == 0)
        text_add(out, human_bytes(amount).text);
    else if (strcmp(unit, "ms") == 0 && amount >= 1000)
        text_printf(out, "%.1f s", (double)amount / 1000);
    else if (strcmp(unit, "ms") == 0)
        text_printf(out, "%" PRIu64 " ms", amount);
    else
        text_printf(out, "%s%s", human_count(amount).text, unit);
}

void throttle_view_signals(struct text *out, const struct throttle_view *view)
{
    for (size_t i = 0; i < view->n_signals; i++) {
        const struct signal_view *signal = &view->signals[i];
        text_printf(out, "%s%s ", i ? ", " : "", signal->name);
        if (signal->is_unknown)
            text_add(out, "?");
        else
            add_amount(out, signal->unit, signal->value);
        text_add(out, " of ");
        add_amount(out, signal->unit, signal->limit);
    }
    if (view->n_signals)
        text_add(out, "\n");
}
