#include "osc/report.h"

#include <string.h>

#include "osc/base/columns.h"
#include "osc/base/human.h"

enum { LABEL = 11, WIDTH = 100 };

static const char *const levels[] = {"note", "warning", "refusal"};
static_assert(ARRAY_SIZE(levels) == FINDING_REFUSAL + 1, "every level has its word");

static void add_label(struct text *out, const char *label)
{
    text_printf(out, "%-*s", LABEL, label);
}

static void add_key(struct text *out, const struct plan *plan)
{
    add_label(out, "Key");
    if (!plan->key) {
        text_add(out, "none\n");
        return;
    }
    text_printf(out, "%s (", plan->key->name);
    for (size_t i = 0; i < plan->key->n_columns; i++)
        text_printf(out, "%s%s", i ? ", " : "", plan->key->columns[i]->name);
    text_add(out, ")\n");
}

static struct human duration_of(double seconds)
{
    return human_eta((uint64_t)(seconds + 0.5));
}

static void add_duration(struct text *out, const struct estimate *duration)
{
    if (duration->likely_s <= 0)
        return;
    add_label(out, "Time");
    if (duration->high_s < 2)
        text_add(out, "a second or two");
    else
        text_printf(out, "about %s (%s to %s)", duration_of(duration->likely_s).text,
                    duration_of(duration->low_s).text, duration_of(duration->high_s).text);
    text_add(out, " on an idle server with the table in memory, longer under load\n");
}

static void add_summary(struct text *out, const struct plan_report *report)
{
    const struct plan *plan = report->plan;
    const struct table *source = plan->source;

    add_label(out, "Table");
    text_printf(out, "%s.%s, about %s rows, %s of data and %s of indexes\n", source->schema,
                source->name, human_count(source->rows_estimate).text,
                human_bytes(source->data_bytes).text, human_bytes(source->index_bytes).text);
    add_label(out, "Server");
    text_printf(out, "%s %s\n", plan->facts->vendor, plan->facts->version);
    add_label(out, "Strategy");
    text_printf(out, "%s: %s is built beside it and swapped in; %s is what it was\n",
                report->strategy, plan->names.shadow, plan->names.retired);
    add_key(out, plan);
    add_label(out, "Disk");
    text_printf(out, "about %s more while it runs\n", human_bytes(report->disk_bytes).text);
    add_duration(out, &report->duration);
}

static void add_findings(struct text *out, const struct plan *plan)
{
    text_add(out, "\nFindings\n");
    if (!plan->findings)
        text_add(out, "  none\n");
    for (const struct finding *finding = plan->findings; finding; finding = finding->next) {
        text_printf(out, "  %-8s ", levels[finding->level]);
        AUTO(text) words = TEXT_INIT;
        text_printf(&words, "%s: %s%s%s", finding->check, finding->text, *finding->hint ? "\n" : "",
                    finding->hint);
        human_wrap(out, words.bytes, LABEL, WIDTH);
        text_add(out, "\n");
    }
}

/* ---- which column became which ---- */

static const struct mapping *mapping_to(const struct plan *plan, const struct column *to)
{
    for (size_t i = 0; i < plan->n_map; i++)
        if (plan->map[i].to == to)
            return &plan->map[i];
    return NULL;
}

static bool is_mapped(const struct plan *plan, const struct column *from)
{
    for (size_t i = 0; i < plan->n_map; i++)
        if (plan->map[i].from == from)
            return true;
    return false;
}

static const char *change_of(const struct mapping *mapping, const struct column *to)
{
    if (!mapping)
        return to->is_generated ? "computed by the server" : "new";
    const bool is_renamed = strcmp(mapping->from->name, to->name) != 0;
    if (mapping->is_users_expression)
        return is_renamed ? "renamed, by your expression" : "by your expression";
    if (mapping->is_converted)
        return is_renamed ? "renamed, converted" : "converted";
    return is_renamed ? "renamed" : "";
}

static void add_map(struct text *out, const struct plan *plan)
{
    static const char *const heading[] = {"  COLUMN", "TYPE", "NEW COLUMN", "NEW TYPE", ""};
    struct columns columns;

    text_add(out, "\nColumns\n");
    columns_start(&columns, plan->arena, ARRAY_SIZE(heading), heading);
    for (size_t i = 0; i < plan->shadow->n_columns; i++) {
        const struct column *to = &plan->shadow->columns[i];
        const struct mapping *mapping = mapping_to(plan, to);
        const char *from = mapping ? mapping->from->name : "";
        columns_row(&columns,
                    (const char *[]){arena_printf(plan->arena, "  %s", from),
                                     mapping ? mapping->from->type : "", to->name, to->type,
                                     change_of(mapping, to)},
                    "");
    }
    for (size_t i = 0; i < plan->source->n_columns; i++) {
        const struct column *from = &plan->source->columns[i];
        if (!from->is_generated && !is_mapped(plan, from))
            columns_row(&columns,
                        (const char *[]){arena_printf(plan->arena, "  %s", from->name), from->type,
                                         "", "", "dropped"},
                        "");
    }
    columns_print(&columns, out);
}

/* SQL that can be pasted: what is not SQL is a comment. */
static void add_steps(struct text *out, const struct plan_report *report)
{
    if (report->n_steps)
        text_add(out, "\nStatements\n");
    for (size_t i = 0; i < report->n_steps; i++) {
        const struct step_script *step = &report->steps[i];
        text_printf(out, "\n-- %s\n", step->step);
        if (*step->locks)
            text_printf(out, "-- locks: %s\n", step->locks);
        text_add(out, step->sql);
        if (*step->sql && step->sql[strlen(step->sql) - 1] != '\n')
            text_add(out, "\n");
    }
}

void plan_report_text(const struct plan_report *report, struct text *out)
{
    add_summary(out, report);
    add_findings(out, report->plan);
    if (report->plan->shadow)
        add_map(out, report->plan);
    add_steps(out, report);
}
