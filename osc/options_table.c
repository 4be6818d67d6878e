#include "osc/options_table.h"

#include <string.h>

#include "osc/options_rows.h"

#define SECOND UINT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

#define AT(field) offsetof(struct options, field)

static const char *const strategies[] = {"auto", "copy", NULL};
static const char *const verifications[] = {"full", "none", NULL};
static const char *const afters[] = {"keep", "drop", NULL};

static const struct option option_after = {
    .name = "after",
    .type = OPT_CHOICE,
    .is_durable = true,
    .is_settable = true,
    .at = AT(after),
    .choices = afters,
    .standard = "keep",
    .commands = FOR_CHANGE,
    .help = "What becomes of the retired table after the swap: keep leaves it as "
            "<table>_osc_old until osc finish, drop removes it at once.",
};

static const struct option option_chunk_time = {
    .name = "chunk-time",
    .type = OPT_DURATION,
    .is_durable = true,
    .is_settable = true,
    .at = AT(chunk_time_ms),
    .value = "TIME",
    .standard = "250ms",
    .least = 10,
    .most = 10 * SECOND,
    .commands = FOR_CHANGE | FOR_VERIFY,
    .help = "How long one chunk should take; its size in rows follows from what is measured.",
};

static const struct option option_cutover_timeout = {
    .name = "cutover-timeout",
    .type = OPT_DURATION,
    .is_durable = true,
    .is_settable = true,
    .at = AT(cutover_timeout_ms),
    .value = "TIME",
    .standard = "10m",
    .least = SECOND,
    .most = 7 * DAY,
    .commands = FOR_CHANGE | FOR_FINISH | FOR_ABORT,
    .help = "How long to go on trying to swap, or to remove what others hold. Each try waits "
            "--lock-timeout at most and gives the lock back; afterwards the migration stops and "
            "can be resumed.",
};

static const struct option option_dry_run = {
    .name = "dry-run",
    .type = OPT_FLAG,
    .at = AT(dry_run),
    .commands = FOR_ALTER,
    .help = "The same as osc plan: say what would be done and change nothing.",
};

static const struct option option_dsn = {
    .name = "dsn",
    .type = OPT_TEXT,
    .is_secret = true,
    .at = AT(dsn),
    .value = "URL",
    .commands = FOR_SERVER,
    .help = "The server: mysql://user@host:port/db, mariadb://… or postgres://… (libpq's own "
            "URI). Without a password in it the native files are read (~/.my.cnf, ~/.pgpass). "
            "Better kept in OSC_DSN than on the command line.",
};

static const struct option option_help = {
    .name = "help",
    .letter = 'h',
    .type = OPT_FLAG,
    .at = AT(help),
    .commands = FOR_ALL,
    .help = "Explain the command.",
};

static const struct option option_json = {
    .name = "json",
    .type = OPT_FLAG,
    .at = AT(json),
    .commands = FOR_ALL,
    .help = "Answer with JSON on standard output; alter and resume write one event per line.",
};

static const struct option option_kill_blockers_after = {
    .name = "kill-blockers-after",
    .type = OPT_DURATION,
    .is_durable = true,
    .is_settable = true,
    .at = AT(kill_blockers_after_ms),
    .value = "TIME",
    .standard = "never",
    .zero = "never",
    .least = 1,
    .most = 7 * DAY,
    .commands = FOR_CHANGE | FOR_FINISH | FOR_ABORT,
    .help = "End the connection of a transaction that keeps us from locking the table and is "
            "older than this. Never ended are replication, backups, maintenance and DDL, prepared "
            "transactions, and osc itself.",
};

static const struct option option_lock_timeout = {
    .name = "lock-timeout",
    .type = OPT_DURATION,
    .is_durable = true,
    .is_settable = true,
    .at = AT(lock_timeout_ms),
    .value = "TIME",
    .standard = "500ms",
    .least = 50,
    .most = 60 * SECOND,
    .commands = FOR_CHANGE | FOR_FINISH | FOR_ABORT,
    .help = "Longest wait for a table lock, because the application queues behind us while we "
            "wait. MySQL and MariaDB count in whole seconds: rounded up.",
};

static const struct option option_quiet = {
    .name = "quiet",
    .letter = 'q',
    .type = OPT_FLAG,
    .at = AT(quiet),
    .commands = FOR_SERVER,
    .help = "Only warnings and errors; no progress.",
};

static const struct option option_repair = {
    .name = "repair",
    .type = OPT_FLAG,
    .is_durable = true,
    .is_settable = true,
    .at = AT(repair),
    .commands = FOR_CHANGE,
    .help = "When verification finds rows that differ: bring them up to date and verify "
            "again, instead of stopping.",
};

static const struct option option_strategy = {
    .name = "strategy",
    .type = OPT_CHOICE,
    .is_durable = true,
    .at = AT(strategy),
    .choices = strategies,
    .standard = "auto",
    .commands = FOR_CHANGE,
    .help = "How to get there: copy builds a second table beside the first and swaps the two; "
            "auto takes the best way this version knows, which is copy.",
};

static const struct option option_threads = {
    .name = "threads",
    .type = OPT_COUNT,
    .is_durable = true,
    .is_settable = true,
    .at = AT(threads),
    .value = "N",
    .standard = "auto",
    .zero = "auto",
    .least = 1,
    .most = MOST_THREADS,
    .commands = FOR_CHANGE | FOR_VERIFY,
    .help =
        "Connections that copy, replay and verify side by side; auto is 2, and while others are at "
        "work on the server 1 at a time, in short pieces with rests.",
};

static const struct option option_verbose = {
    .name = "verbose",
    .letter = 'v',
    .type = OPT_FLAG,
    .at = AT(verbose),
    .commands = FOR_SERVER,
    .help = "Say more: statements with their time, never values.",
};

static const struct option option_verify = {
    .name = "verify",
    .type = OPT_CHOICE,
    .is_durable = true,
    .at = AT(verify),
    .choices = verifications,
    .standard = "full",
    .commands = FOR_CHANGE,
    .help = "Before the swap prove that both tables hold the same rows: full compares every "
            "row, none trusts the copy.",
};

static const struct option option_version = {
    .name = "version",
    .type = OPT_FLAG,
    .at = AT(version),
    .commands = FOR_ALL,
    .help = "Print the versions of osc and of its client libraries.",
};

/* Alphabetical. */
const struct option *const options_table[] = {
    &option_after,
    &option_chunk_time,
    &option_config,
    &option_cutover,
    &option_cutover_timeout,
    &option_cutover_window,
    &option_dry_run,
    &option_dsn,
    &option_help,
    &option_hook_timeout,
    &option_hooks,
    &option_json,
    &option_kill_blockers_after,
    &option_lock_timeout,
    &option_log_file,
    &option_log_format,
    &option_log_level,
    &option_max_checkpoint_age,
    &option_max_commit,
    &option_max_flow_control,
    &option_max_history,
    &option_max_lag,
    &option_max_load,
    &option_max_lock_waits,
    &option_max_running,
    &option_max_slot,
    &option_max_wal,
    &option_metrics_file,
    &option_metrics_listen,
    &option_min_free_disk,
    &option_postpone_flag_file,
    &option_quiet,
    &option_record,
    &option_repair,
    &option_replica,
    &option_sample,
    &option_strategy,
    &option_target,
    &option_threads,
    &option_throttle_flag_file,
    &option_throttle_http,
    &option_throttle_query,
    &option_time_zone,
    &option_verbose,
    &option_verify,
    &option_version,
    &option_watch,
    &option_window,
};
const size_t options_count = ARRAY_SIZE(options_table);
static_assert(ARRAY_SIZE(options_table) <= OPTIONS_MOST, "struct options knows of each row");
static_assert(sizeof(enum after) == sizeof(unsigned), "choices are stored as unsigned");

size_t option_row(const struct option *option)
{
    size_t at = 0;

    while (options_table[at] != option)
        at++;
    return at;
}

const struct option *option_named(const char *name, size_t length)
{
    for (size_t i = 0; i < options_count; i++)
        if (strlen(options_table[i]->name) == length &&
            memcmp(options_table[i]->name, name, length) == 0)
            return options_table[i];
    return NULL;
}

bool option_is_taken(const struct option *option, unsigned command)
{
    return (option->commands & command) || command == FOR_CONFIG;
}

void *option_place(struct options *options, const struct option *option)
{
    return (char *)options + option->at;
}

const void *option_value(const struct options *options, const struct option *option)
{
    return (const char *)options + option->at;
}
