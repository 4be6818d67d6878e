/*
 * Plan report: what osc plan shows, before it becomes text or JSON.
 *
 * Filled as far as planning came: after a refusal `plan` still holds the
 * findings, and `steps` is empty.
 */
#ifndef OSC_REPORT_H
#define OSC_REPORT_H

#include "osc/estimate.h"
#include "osc/plan/plan.h"

/* What one step of the migration would do. */
struct step_script {
    const char *step;  /* its name, as in steps[] */
    const char *locks; /* which locks it takes and for how long, in words; "" for none */
    const char *sql;   /* statements, one per line; "" for none */
};

struct plan_report {
    const struct plan *plan; /* NULL: the table was not even found */
    const char *strategy;    /* "copy" */
    uint64_t disk_bytes;     /* needed while it runs, beyond what the table takes now */
    struct step_script *steps;
    size_t n_steps;
    struct estimate duration;
};

/* The report for people, and for programs (one JSON object, no newline). */
void plan_report_text(const struct plan_report *report, struct text *out);
void plan_report_json(const struct plan_report *report, struct text *out);

#endif
