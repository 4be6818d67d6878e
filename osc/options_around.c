/*
 * Options of what stands around a migration: config files, hooks, its log.
 */
#include "osc/options_rows.h"

#define AT(field) offsetof(struct options, field)

static const char *const formats[] = {"auto", "text", "json", NULL};
static const char *const levels[] = {"auto", "error", "warn", "info", "debug", NULL};
static_assert(sizeof(enum log_format) == sizeof(unsigned), "choices are stored as unsigned");

const struct option option_config = {
    .name = "config",
    .type = OPT_PATH,
    .at = AT(config),
    .value = "FILE",
    .commands = FOR_SERVER | FOR_CONFIG,
    .help = "Read options from this file, instead of /etc/osc/osc.conf and "
            "~/.config/osc/osc.conf; osc config --help shows one.",
};

const struct option option_target = {
    .name = "target",
    .type = OPT_TEXT,
    .at = AT(target),
    .value = "NAME",
    .commands = FOR_SERVER | FOR_CONFIG,
    .help = "Let the group of this name in the config file hold: usually a server, with its dsn, "
            "hours and limits.",
};

const struct option option_hook_timeout = {
    .name = "hook-timeout",
    .type = OPT_DURATION,
    .is_durable = true,
    .at = AT(hook_timeout_ms),
    .value = "TIME",
    .standard = "30s",
    .least = 100,
    .most = 3600000,
    .commands = FOR_CHANGE,
    .help = "A hook that takes longer is ended, with all that it has begun.",
};

const struct option option_hooks = {
    .name = "hooks",
    .type = OPT_PATH,
    .is_durable = true,
    .at = AT(hooks),
    .value = "DIR",
    .zero = "none",
    .commands = FOR_CHANGE,
    .help = "Run the executables in this directory whose names are before-step, after-step, "
            "throttled, unthrottled, before-cutover, after-cutover, failed or done, with the facts "
            "in OSC_HOOK_…. No swap without before-cutover's consent: exit code 0 is yes, 75 not "
            "now, all else no.",
};

const struct option option_log_file = {
    .name = "log-file",
    .type = OPT_PATH,
    .at = AT(log_file),
    .value = "FILE",
    .commands = FOR_SERVER,
    .help = "Append the log to this file instead of standard error. SIGHUP opens it anew, for "
            "logrotate, and then stops nothing.",
};

const struct option option_log_format = {
    .name = "log-format",
    .type = OPT_CHOICE,
    .at = AT(log_format),
    .choices = formats,
    .standard = "auto",
    .commands = FOR_SERVER,
    .help = "One event on one line, as text or as a JSON object; auto is JSON with --json, else "
            "text. The events are listed in EVENTS.md.",
};

const struct option option_log_level = {
    .name = "log-level",
    .type = OPT_CHOICE,
    .at = AT(log_level),
    .choices = levels,
    .standard = "auto",
    .commands = FOR_SERVER,
    .help = "The least that is worth a line; auto is info, warn with --quiet, debug with "
            "--verbose.",
};
