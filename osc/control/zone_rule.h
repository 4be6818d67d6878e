/*
 * The POSIX rule at the end of a TZif file (CET-1CEST,M3.5.0,M10.5.0/3): what
 * holds after the last change that the file lists.
 */
#ifndef OSC_CONTROL_ZONE_RULE_H
#define OSC_CONTROL_ZONE_RULE_H

#include <stdbool.h>
#include <stdint.h>

/* A day of each year, and the wall's time on it. */
struct zone_change {
    enum { DAY_OF_MONTH, DAY_WITHOUT_LEAP, DAY_OF_YEAR } kind;
    int month, week, day; /* Mm.w.d; else day only */
    int64_t second;
};

struct zone_rule {
    int64_t standard, summer; /* seconds east of UTC */
    bool has_summer;
    struct zone_change begins, ends; /* of the summer */
};

bool zone_rule_parse(const char *text, struct zone_rule *rule);
int64_t zone_rule_offset(const struct zone_rule *rule, int64_t at);

#endif
