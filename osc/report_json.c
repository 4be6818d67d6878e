#include <stdlib.h>

#include "osc/output.h"
#include "osc/report.h"

static const char *const levels[] = {"note", "warning", "refusal"};

static json_t *findings_of(const struct plan *plan)
{
    json_t *list = json_array();

    for (const struct finding *finding = plan->findings; finding; finding = finding->next)
        json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:o}", "level",
                                              levels[finding->level], "check", finding->check,
                                              "text", output_string(finding->text), "hint",
                                              output_string(finding->hint)));
    return list;
}

static json_t *key_of(const struct plan *plan)
{
    if (!plan->key)
        return json_null();
    json_t *columns = json_array();
    for (size_t i = 0; i < plan->key->n_columns; i++)
        json_array_append_new(columns, output_string(plan->key->columns[i]->name));
    return json_pack("{s:o, s:o}", "index", output_string(plan->key->name), "columns", columns);
}

static json_t *map_of(const struct plan *plan)
{
    json_t *list = json_array();

    for (size_t i = 0; plan->shadow && i < plan->n_map; i++) {
        const struct mapping *mapping = &plan->map[i];
        json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o, s:b}", "from",
                                              output_string(mapping->from->name), "from_type",
                                              output_string(mapping->from->type), "to",
                                              output_string(mapping->to->name), "to_type",
                                              output_string(mapping->to->type), "is_converted",
                                              (int)mapping->is_converted));
    }
    return list;
}

static json_t *steps_of(const struct plan_report *report)
{
    json_t *list = json_array();

    for (size_t i = 0; i < report->n_steps; i++) {
        const struct step_script *step = &report->steps[i];
        json_array_append_new(list, json_pack("{s:s, s:o, s:o}", "step", step->step, "locks",
                                              output_string(step->locks), "sql",
                                              output_string(step->sql)));
    }
    return list;
}

static json_t *duration_of(const struct estimate *duration)
{
    if (duration->likely_s <= 0)
        return json_null();
    return json_pack("{s:f, s:f, s:f, s:f}", "low", duration->low_s, "likely", duration->likely_s,
                     "high", duration->high_s, "probe", duration->probe_s);
}

void plan_report_json(const struct plan_report *report, struct text *out)
{
    const struct plan *plan = report->plan;
    const struct table *source = plan->source;
    json_t *object = json_pack(
        "{s:s, s:o, s:o, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
        "event", "plan", "schema", output_string(source->schema), "table",
        output_string(source->name), "server", plan->facts->vendor, "server_version",
        plan->facts->version, "strategy", report->strategy, "rows_estimate",
        (json_int_t)source->rows_estimate, "data_bytes", (json_int_t)source->data_bytes,
        "index_bytes", (json_int_t)source->index_bytes, "disk_bytes",
        (json_int_t)report->disk_bytes, "seconds_estimate", duration_of(&report->duration),
        "shadow", output_string(plan->names.shadow), "retired", output_string(plan->names.retired),
        "key", key_of(plan), "findings", findings_of(plan), "columns", map_of(plan), "steps",
        steps_of(report));
    char *line = object ? json_dumps(object, JSON_COMPACT) : NULL;

    text_printf(out, "%s\n", line ? line : "{}");
    free(line);
    json_decref(object);
}
