#include <stddef.h>

#include "osc/command_bodies.h"

static const struct command alter = {
    .name = "alter",
    .bit = FOR_ALTER,
    .least = 2,
    .most = 2,
    .arguments = "[SCHEMA.]TABLE \"CLAUSES\"",
    .summary = "change the schema of a live table, from plan to swap",
    .text = "Builds a second table with the new schema, copies all rows while "
            "triggers keep note "
            "of what the application writes, proves that both tables are equal "
            "and swaps them "
            "under a short lock. CLAUSES is what follows ALTER TABLE name in "
            "SQL. The first "
            "Ctrl-C stops cleanly and says how to go on (osc resume) or to "
            "clean up (osc abort).",
    .example = "osc alter users \"ADD COLUMN phone varchar(20)\" "
               "--dsn postgres://admin@db1/shop",
    .run = command_alter,
};

static const struct command plan = {
    .name = "plan",
    .bit = FOR_PLAN,
    .least = 2,
    .most = 2,
    .arguments = "[SCHEMA.]TABLE \"CLAUSES\"",
    .summary = "say what alter would do, and change nothing",
    .text = "Shows the strategy, the migration key, rows and disk needed, "
            "which locks are taken "
            "and for how long, what the preflight checks found, the column "
            "map, and every SQL "
            "statement that alter would run.",
    .example = "osc plan shop.users \"DROP COLUMN fax, ADD KEY (email)\" "
               "--dsn mysql://admin@db1/shop",
    .run = command_plan,
};

static const struct command advise = {
    .name = "advise",
    .bit = FOR_ADVISE,
    .least = 0,
    .most = 1,
    .arguments = "[[SCHEMA.]TABLE]",
    .summary = "look when the server is quiet, and what a table would take",
    .text = "Samples what the server does and compares it with its own mean since it began to "
            "count: one sample says only whether now is quieter than that. Samples kept with "
            "--record, from cron for a day or more, show which hours are quiet, as --window takes "
            "them; after a week also which days. Of a table it says how many writes it gets, how "
            "long a migration takes and in how many nights. Only reads.",
    .example = "osc advise users --sample 2m --dsn postgres://admin@db1/shop",
    .run = command_advise,
};

static const struct command verify = {
    .name = "verify",
    .bit = FOR_VERIFY,
    .least = 1,
    .most = 2,
    .arguments = "[SCHEMA.]TABLE [OTHER]",
    .summary = "compare a table with its shadow or another table",
    .text = "Compares the rows of the running migration's table and its "
            "shadow, or of two "
            "tables whose columns have the same names. Only reads. Rows that "
            "differ are listed "
            "by key; exit code 4 says that there are some.",
    .example = "osc verify users users_copy --dsn postgres://admin@db1/shop",
    .run = command_verify,
};

static const struct command status = {
    .name = "status",
    .bit = FOR_STATUS,
    .least = 0,
    .most = 1,
    .arguments = "[ID | TABLE]",
    .summary = "what runs, how far it is, what waits for you",
    .text = "Lists the migrations that are not finished: step, progress, the "
            "run's heartbeat, "
            "and the command to type next. Works from any host.",
    .example = "osc status --dsn postgres://admin@db1/shop",
    .run = command_status,
};

static const struct command history = {
    .name = "history",
    .bit = FOR_HISTORY,
    .least = 0,
    .most = 0,
    .arguments = "",
    .summary = "what ran before, and how it ended",
    .text = "Lists all migrations of the schema, the newest first.",
    .example = "osc history --json --dsn mysql://admin@db1/shop",
    .run = command_history,
};

static const struct command resume = {
    .name = "resume",
    .bit = FOR_RESUME,
    .least = 0,
    .most = 1,
    .arguments = "[ID | TABLE]",
    .summary = "go on after a stop, a crash or a reboot, from any host",
    .text = "Goes on where the migration stopped. What was already copied is "
            "kept; a run that "
            "still lives somewhere is not disturbed: resume refuses. Options "
            "given to alter "
            "hold unless they are given again.",
    .example = "osc resume 7 --dsn postgres://admin@db1/shop",
    .run = command_resume,
};

static const struct command finish = {
    .name = "finish",
    .bit = FOR_FINISH,
    .least = 0,
    .most = 1,
    .arguments = "[ID | TABLE]",
    .summary = "after the swap: drop the retired table",
    .text = "Ends a migration whose retired table was kept (--after=keep): drops "
            "<table>_osc_old and whatever else is left of the migration.",
    .example = "osc finish 7 --dsn postgres://admin@db1/shop",
    .run = command_finish,
};

static const struct command abort_ = {
    .name = "abort",
    .bit = FOR_ABORT,
    .least = 0,
    .most = 1,
    .arguments = "[ID | TABLE]",
    .summary = "before the swap: remove everything we made",
    .text = "Drops the triggers, the journal and the shadow. A run that still "
            "lives is told to "
            "stop first. The table itself is not touched. Given a table, it also removes what is "
            "left of a migration that nobody remembers.",
    .example = "osc abort 7 --dsn postgres://admin@db1/shop",
    .run = command_abort,
};

static const struct command config = {
    .name = "config",
    .bit = FOR_CONFIG,
    .least = 0,
    .most = 0,
    .arguments = "",
    .summary = "what the options are, and who says so",
    .text = "Prints the value of every option and where it comes from. The command line holds over "
            "the environment (OSC_THREADS), that over what a migration was begun with, that over "
            "the config files, the operator's (~/.config/osc/osc.conf) over the system's "
            "(/etc/osc/osc.conf); --config FILE is read instead of both. A file has a line for "
            "each option, without the dashes: threads = 4, chunk-time = \"100ms\", several "
            "values as [\"one\", \"two\"], and comments behind #. What stands in targets: { shop: "
            "{ dsn = "
            "\"…\" } } holds with --target shop, over the rest of the file. Passwords are never "
            "printed; a file that holds one should be readable by you alone.",
    .example = "osc config --target shop",
    .run = command_config,
};

static const struct command completion = {
    .name = "completion",
    .bit = FOR_COMPLETION,
    .least = 1,
    .most = 1,
    .arguments = "bash|zsh",
    .summary = "print what completes osc's words in a shell",
    .text = "Prints a script for bash, or a function for zsh, made from the same tables as this "
            "help. An installed osc has both in place. bash: source <(osc completion bash); zsh: "
            "osc completion zsh > a directory of fpath/_osc.",
    .example = "source <(osc completion bash)",
    .run = command_completion,
};

static const struct command pause_ = {
    .name = "pause",
    .bit = FOR_PAUSE,
    .least = 0,
    .most = 1,
    .arguments = "[ID | TABLE]",
    .summary = "let backfill and verification rest",
    .text = "Works from any host, within two seconds. Writes are captured and replayed meanwhile, "
            "so that little is left to do afterwards. An index build that runs cannot rest: the "
            "migration rests after it. It stays paused when it is stopped and resumed.",
    .example = "osc pause 7 --dsn postgres://admin@db1/shop",
    .run = command_pause,
};

static const struct command unpause = {
    .name = "unpause",
    .bit = FOR_UNPAUSE,
    .least = 0,
    .most = 1,
    .arguments = "[ID | TABLE]",
    .summary = "let a paused migration go on",
    .text = "Takes osc pause back.",
    .example = "osc unpause 7 --dsn postgres://admin@db1/shop",
    .run = command_unpause,
};

static const struct command cutover = {
    .name = "cutover",
    .bit = FOR_CUTOVER,
    .least = 0,
    .most = 1,
    .arguments = "[ID | TABLE]",
    .summary = "let a migration that waits swap now",
    .text = "Ends the waiting of --cutover=manual, --cutover=at=TIME, --postpone-flag-file and "
            "--cutover-window. Said early, the migration swaps as soon as every row is verified. "
            "A paused migration waits for osc unpause first; osc set cutover=manual takes it back.",
    .example = "osc cutover 7 --dsn postgres://admin@db1/shop",
    .run = command_cutover,
};

static const struct command set = {
    .name = "set",
    .bit = FOR_SET,
    .least = 1,
    .most = 20,
    .arguments = "[ID | TABLE] NAME=VALUE...",
    .summary = "change options of a migration while it runs",
    .text = "Takes the options after, chunk-time, cutover, cutover-timeout, cutover-window, "
            "kill-blockers-after, lock-timeout, postpone-flag-file, repair, threads, time-zone and "
            "window, and all limits of the throttle (max-..., min-free-disk, throttle-...). They "
            "also hold when the migration is resumed.",
    .example = "osc set 7 chunk-time=100ms window=\"Sat-Sun\" --dsn postgres://admin@db1/shop",
    .run = command_set,
};

static const struct command help = {
    .name = "help",
    .bit = FOR_HELP,
    .least = 0,
    .most = 1,
    .arguments = "[COMMAND]",
    .summary = "explain a command",
    .text = "Lists the commands, or explains one. osc help man prints the man page.",
    .example = "osc help alter",
    .run = command_help,
};

const struct command *const commands[] = {
    &alter,   &plan, &advise, &verify, &status, &history,    &resume, &pause_, &unpause,
    &cutover, &set,  &finish, &abort_, &config, &completion, &help,   NULL,
};
