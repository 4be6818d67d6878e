/*
 * Option rows that stand in files of their own, beside those of options_table.c.
 */
#ifndef OSC_OPTIONS_ROWS_H
#define OSC_OPTIONS_ROWS_H

#include "osc/options_table.h"

extern const struct option option_config, option_hook_timeout, option_hooks, option_target;
extern const struct option option_log_file, option_log_format, option_log_level;
extern const struct option option_metrics_file, option_metrics_listen;
/* options_advise.c */
extern const struct option option_record, option_sample;
/* options_control.c: when it may work and swap */
extern const struct option option_cutover;
extern const struct option option_cutover_window;
extern const struct option option_postpone_flag_file;
extern const struct option option_time_zone;
extern const struct option option_watch;
extern const struct option option_window;
/* options_throttle.c */
extern const struct option option_max_checkpoint_age, option_max_commit, option_max_flow_control,
    option_max_history, option_max_lag, option_max_load, option_max_lock_waits, option_max_running,
    option_max_slot, option_max_wal, option_min_free_disk, option_replica,
    option_throttle_flag_file, option_throttle_http, option_throttle_query;

#endif
