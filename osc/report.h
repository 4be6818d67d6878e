/*
 * Report: what `osc plan` knows, ready to be shown as text or JSON.
 */
#ifndef OSC_REPORT_H
#define OSC_REPORT_H

#include "osc/plan/plan.h"

struct step_script {
    const char *step;  /* shadow, capture, copy, … */
    const char *locks; /* what is locked, on what, how long */
    const char *sql;   /* the statements, one per line */
};

struct plan_report {
    const struct plan *plan; /* findings, key, map, sizes */
    bool is_refused;
    const char *strategy;
    uint64_t disk_bytes; /* needed beside the source, about */
    struct step_script *steps;
    size_t n_steps;
};

#endif
