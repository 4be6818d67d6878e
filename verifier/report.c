#include "verifier/verdict.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {"missing", "extra", "changed"};
static_assert(ARRAY_SIZE(kinds) == DIFFERENCE_CHANGED + 1, "every kind has its name");

static void add_difference(const struct plan *plan, const struct difference *difference,
                           struct text *out)
{
    text_printf(out, "  %s: ", difference->key);
    switch (difference->kind) {
    case DIFFERENCE_MISSING: text_printf(out, "missing in %s\n", plan->shadow->name); return;
    case DIFFERENCE_EXTRA: text_printf(out, "only in %s\n", plan->shadow->name); return;
    case DIFFERENCE_CHANGED: break;
    }
    if (*difference->columns)
        text_printf(out, "differs in %s\n", difference->columns);
    else
        text_add(out, "differed\n");
}

void verdict_text(const struct plan *plan, const struct verdict *verdict, uint64_t most,
                  struct text *out)
{
    uint64_t shown = 0;

    if (verdict->is_equal) {
        text_printf(out, "%s and %s are equal: %" PRIu64 " rows compared\n", plan->source->name,
                    plan->shadow->name, verdict->rows);
        return;
    }
    text_printf(out, "%s and %s differ in %" PRIu64 " row%s of %" PRIu64 ":\n", plan->source->name,
                plan->shadow->name, verdict->differing, verdict->differing == 1 ? "" : "s",
                verdict->rows);
    for (const struct difference *d = verdict->differences; d && shown < most; d = d->next, shown++)
        add_difference(plan, d, out);
    if (verdict->differing > shown)
        text_printf(out, "  and %" PRIu64 " more\n", verdict->differing - shown);
}

/* Keys are shown as the server tells them; what is not UTF-8 cannot be in JSON. */
static json_t *text_json(const char *text)
{
    json_t *json = json_string(text);

    if (json)
        return json;
    AUTO(text) masked = TEXT_INIT;
    for (; *text; text++)
        text_add_bytes(&masked, (*text & 0x80) ? "?" : text, 1);
    return json_string(masked.bytes);
}

void verdict_json(const struct plan *plan, const struct verdict *verdict, struct text *out)
{
    json_t *list = json_array();

    for (const struct difference *d = verdict->differences; d; d = d->next)
        json_array_append_new(list, json_pack("{s:o, s:s, s:o}", "key", text_json(d->key), "kind",
                                              kinds[d->kind], "columns", text_json(d->columns)));
    json_t *json = json_pack(
        "{s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:o}", "source", plan->source->name, "shadow",
        plan->shadow->name, "equal", verdict->is_equal, "rows", (json_int_t)verdict->rows, "ranges",
        (json_int_t)verdict->chunks, "rechecked", (json_int_t)verdict->rechecked, "differing",
        (json_int_t)verdict->differing, "differences", list);
    char *line = json_dumps(json, JSON_COMPACT);
    if (line)
        text_add(out, line);
    free(line);
    json_decref(json);
}
