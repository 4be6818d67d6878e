/*
 * Option rows that stand in files of their own, beside those of options_table.c.
 */
#ifndef OSC_OPTIONS_ROWS_H
#define OSC_OPTIONS_ROWS_H

#include "osc/options_table.h"

extern const struct option option_config, option_hook_timeout, option_hooks, option_target;
extern const struct option option_log_file, option_log_format, option_log_level;
extern const struct option option_metrics_file, option_metrics_listen;
/* options_control.c: when it may work and swap */
extern const struct option option_cutover;
extern const struct option option_cutover_window;
extern const struct option option_postpone_flag_file;
extern const struct option option_time_zone;
extern const struct option option_window;

#endif
