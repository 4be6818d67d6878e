/*
 * Signals of the MySQL family.  Where its two lines have other words for one
 * thing, the first question that is understood counts.
 */
#include "osc/db/throttle_signals.h"

const struct signal mysql_signals[] = {
    {.name = "running threads",
     .unit = "",
     .reason = "many threads are running",
     LIMITED_BY(running),
     .is_soft = true,
     /* Ourselves included: nobody else can tell which of them are ours. */
     .questions = {"SHOW GLOBAL STATUS WHERE Variable_name = 'Threads_running'"}},
    {.name = "lock waits",
     .unit = "",
     .reason = "sessions wait for locks",
     LIMITED_BY(lock_waits),
     .is_soft = true,
     .questions = {"SHOW GLOBAL STATUS WHERE Variable_name = 'Innodb_row_lock_current_waits'"}},
    {.name = "history list",
     .unit = "",
     .reason = "old versions of rows pile up",
     LIMITED_BY(history),
     .is_soft = true,
     .questions = {"SHOW GLOBAL STATUS WHERE Variable_name = 'Innodb_history_list_length'",
                   "SELECT COUNT FROM information_schema.innodb_metrics WHERE NAME = "
                   "'trx_rseg_history_len'"}},
    {.name = "checkpoint age",
     .unit = "%",
     .reason = "the redo log fills up",
     LIMITED_BY(checkpoint),
     .is_soft = true,
     .questions =
         {"SELECT FLOOR(100 * a.VARIABLE_VALUE / m.VARIABLE_VALUE)\n"
          "FROM information_schema.GLOBAL_STATUS a JOIN information_schema.GLOBAL_STATUS m\n"
          "WHERE a.VARIABLE_NAME = 'INNODB_CHECKPOINT_AGE'\n"
          "AND m.VARIABLE_NAME = 'INNODB_CHECKPOINT_MAX_AGE'",
          "SELECT FLOOR(100 * (l.VARIABLE_VALUE - c.VARIABLE_VALUE) / m.VARIABLE_VALUE)\n"
          "FROM performance_schema.global_status l JOIN performance_schema.global_status c\n"
          "JOIN performance_schema.global_status m\n"
          "WHERE l.VARIABLE_NAME = 'Innodb_redo_log_current_lsn'\n"
          "AND c.VARIABLE_NAME = 'Innodb_redo_log_checkpoint_lsn'\n"
          "AND m.VARIABLE_NAME = 'Innodb_redo_log_capacity_resized'"}},
    {.name = "flow control",
     .unit = "%",
     .reason = "Galera keeps writers waiting",
     LIMITED_BY(flow_control),
     .is_rate = true,
     /* Nanoseconds since the server's start: a rate of 10,000,000 is one percent of the time. */
     .questions = {"SELECT p.VARIABLE_VALUE DIV 10000000 FROM information_schema.GLOBAL_STATUS p\n"
                   "WHERE p.VARIABLE_NAME = 'WSREP_FLOW_CONTROL_PAUSED_NS' AND @@wsrep_on"}},
    {.name = NULL              },
};
