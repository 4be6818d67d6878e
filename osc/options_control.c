/*
 * Options: when a migration may work, and when it may swap.
 */
#include "osc/control/rules.h"
#include "osc/options_rows.h"

#define AT(field) offsetof(struct options, field)

const struct option option_cutover = {
    .name = "cutover",
    .type = OPT_TEXT,
    .is_durable = true,
    .is_settable = true,
    .at = AT(cutover),
    .value = "WHEN",
    .standard = "auto",
    .check = rules_check_cutover,
    .commands = FOR_CHANGE,
    .help = "When to swap once everything is copied and verified: auto at once, manual when "
            "somebody says osc cutover, at=02:00 or at=2025-11-23T02:00 not before that time. "
            "Writes are replayed meanwhile.",
};

const struct option option_cutover_window = {
    .name = "cutover-window",
    .type = OPT_TEXT,
    .is_durable = true,
    .is_settable = true,
    .at = AT(cutover_window),
    .value = "HOURS",
    .standard = "always",
    .zero = "always",
    .check = rules_check_window,
    .commands = FOR_CHANGE,
    .help = "Swap only in these hours of the week, written as for --window; osc cutover swaps "
            "at any time.",
};

const struct option option_postpone_flag_file = {
    .name = "postpone-flag-file",
    .type = OPT_PATH,
    .is_durable = true,
    .is_settable = true,
    .at = AT(postpone_flag_file),
    .value = "FILE",
    .standard = "none",
    .zero = "none",
    .commands = FOR_CHANGE,
    .help = "Do not swap while this file exists on the host where osc runs.",
};

const struct option option_time_zone = {
    .name = "time-zone",
    .type = OPT_TEXT,
    .is_durable = true,
    .is_settable = true,
    .at = AT(time_zone),
    .value = "ZONE",
    .standard = "host",
    .zero = "host",
    .check = rules_check_zone,
    .commands = FOR_CHANGE | FOR_ADVISE,
    .help = "The zone of the hours given, as in Europe/Berlin; host is that of the host where "
            "osc runs. Summer time is heeded: the clock on the wall counts.",
};

const struct option option_watch = {
    .name = "watch",
    .type = OPT_FLAG,
    .at = AT(watch),
    .commands = FOR_STATUS,
    .help = "Draw the migrations anew every second, a bar for each step, until none runs; where "
            "no terminal is, a line every ten seconds, or with --json an object.",
};

const struct option option_window = {
    .name = "window",
    .type = OPT_TEXT,
    .is_durable = true,
    .is_settable = true,
    .at = AT(window),
    .value = "HOURS",
    .standard = "always",
    .zero = "always",
    .check = rules_check_window,
    .commands = FOR_CHANGE,
    .help = "Copy and verify only in these hours of the week, as in \"Mon-Fri 22:00-06:00, "
            "Sat-Sun\"; outside them only the writes are captured and replayed. Index builds "
            "begin inside and cannot be interrupted.",
};
