#include "osc/command_bodies.h"
#include "osc/output.h"

static bool show(const struct run *run, const struct plan_report *report, struct error *err)
{
    AUTO(text) out = TEXT_INIT;

    if (run->options.json)
        plan_report_json(report, &out);
    else
        plan_report_text(report, &out);
    return output_text(&out, err);
}

bool command_plan(struct run *run, struct error *err)
{
    struct request request;
    struct plan_report report = {.plan = NULL};
    struct error trouble = ERROR_INIT;

    if (!command_request(run, &request, err) ||
        !command_table(run, run->words.list[0], &request.schema, &request.table, err))
        return false;
    request.alter = run->words.list[1];
    const bool good = migrate_plan(&request, &report, err);
    /* A refusal leaves a report behind: what was found is worth seeing as a whole. */
    if (report.plan && !show(run, &report, &trouble) && good) {
        *err = trouble;
        return false;
    }
    return good;
}
