/*
 * Options: what the operator chose, each from one row of one table.
 *
 * Command line, environment (OSC_THREADS for --threads), help text and the
 * options remembered with a migration all come from the same rows.  The value
 * of a secret is never printed, and is blanked in argv once it is read.
 *
 * Whoever says a value later in `enum origin` wins, wherever it stands.
 */
#ifndef OSC_OPTIONS_H
#define OSC_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "osc/base/arena.h"
#include "osc/base/error.h"
#include "osc/base/log.h"
#include "osc/base/text.h"
#include "osc/db/limits.h"

enum strategy { STRATEGY_AUTO, STRATEGY_COPY };
enum verify { VERIFY_FULL, VERIFY_NONE };
enum log_format { LOG_FORMAT_AUTO, LOG_FORMAT_TEXT, LOG_FORMAT_JSON };
enum after { AFTER_KEEP, AFTER_DROP }; /* what becomes of the retired table */

enum origin {
    FROM_DEFAULT,
    FROM_SYSTEM_FILE, /* see osc/settings.h */
    FROM_SYSTEM_TARGET,
    FROM_USER_FILE,
    FROM_USER_TARGET,
    FROM_MIGRATION, /* remembered with the migration that is resumed */
    FROM_ENVIRONMENT,
    FROM_COMMAND_LINE,
};

enum { OPTIONS_MOST = 160 };

/* The words of a command line that are not options, or the values of a repeated option. */
struct words {
    const char **list;
    size_t count;
};

struct options {
    const char *dsn;                 /* NULL: not given */
    unsigned threads;                /* 0: as many as suit this machine */
    uint64_t chunk_time_ms;          /* what one chunk should take */
    uint64_t lock_timeout_ms;        /* longest wait in the queue for a table lock */
    uint64_t kill_blockers_after_ms; /* end who blocks us for longer; 0: nobody */
    uint64_t cutover_timeout_ms;     /* give up when all attempts together took this long */
    enum strategy strategy;
    enum verify verify;
    enum after after;
    const char *window, *cutover_window; /* NULL: at any time */
    const char *time_zone;               /* of these; NULL: that of the host */
    const char *cutover;                 /* auto, manual, at=TIME */
    const char *postpone_flag_file;      /* no swap while it exists; NULL: none */
    struct limits limits;                /* but for replicas: */
    struct words replicas;               /* URLs of those that the server does not name */
    bool repair;                         /* journal the rows that differ and verify again */
    bool dry_run;
    bool watch;         /* look again and again */
    uint64_t sample_ms; /* how long osc advise looks */
    bool record;        /* and keeps what it saw */
    bool json, verbose, quiet;
    enum log_format log_format;
    unsigned log_level;   /* 0: as quiet and verbose say, else 1 more than enum log_level */
    const char *log_file; /* NULL: standard error */
    const char *config;   /* the file to read instead of the usual ones */
    const char *target;   /* the group of the config file that holds; NULL: none */
    const char *hooks;    /* the directory; NULL: none */
    uint64_t hook_timeout_ms;
    bool help, version;
    const char *metrics_file, *metrics_listen; /* NULL: not wished */
    struct {
        enum origin from;
        const char *where; /* OSC_THREADS, osc.conf:7; NULL: the origin says it all */
    } said[OPTIONS_MOST];  /* by row of the table */
};

/* Commands as bits: which of them take an option. */
enum {
    FOR_ALTER = 1 << 0,
    FOR_PLAN = 1 << 1,
    FOR_VERIFY = 1 << 2,
    FOR_STATUS = 1 << 3,
    FOR_HISTORY = 1 << 4,
    FOR_RESUME = 1 << 5,
    FOR_FINISH = 1 << 6,
    FOR_ABORT = 1 << 7,
    FOR_HELP = 1 << 8,
    FOR_CONFIG = 1 << 9, /* takes every option */
    FOR_COMPLETION = 1 << 10,
    FOR_PAUSE = 1 << 11,
    FOR_UNPAUSE = 1 << 12,
    FOR_CUTOVER = 1 << 13,
    FOR_SET = 1 << 14,
    FOR_ADVISE = 1 << 15,

    /* several of them */
    FOR_CHANGE = FOR_ALTER | FOR_PLAN | FOR_RESUME,
    FOR_ORDERS = FOR_PAUSE | FOR_UNPAUSE | FOR_CUTOVER | FOR_SET,
    FOR_SERVER = FOR_CHANGE | FOR_VERIFY | FOR_STATUS | FOR_HISTORY | FOR_FINISH | FOR_ABORT |
                 FOR_ORDERS | FOR_ADVISE,
    FOR_ALL = FOR_SERVER | FOR_HELP | FOR_CONFIG | FOR_COMPLETION,
};

/*
 * Reads argv: options may stand anywhere, "--" ends them.  `options` gets its
 * defaults first; `words` and all strings live in `arena`.
 */
bool options_parse(struct options *options, struct words *words, int argc, char **argv,
                   struct arena *arena, struct error *err) MUST_CHECK;

/*
 * Once the command is known: refuses options that it does not take, then fills
 * what was not given from the environment.
 */
bool options_settle(struct options *options, unsigned command, const char *command_name,
                    struct arena *arena, struct error *err) MUST_CHECK;

/* What "auto" stands for, or what was said. */
struct log_setup options_log(const struct options *options);

/* How many threads "auto" stands for, or what was said. */
unsigned options_threads(const struct options *options);

/* What was said of them all; points into `options`. */
struct limits options_limits(const struct options *options);

/* A JSON object of everything that shapes a migration (not where it runs or how it talks) … */
void options_save(const struct options *options, struct text *json);
/* … and back: fills what the operator did not give this time. */
bool options_recall(struct options *options, const char *json, struct arena *arena,
                    struct error *err) MUST_CHECK;
/* As if nobody had said anything: what is recalled now holds. */
void options_forget_origins(struct options *options);

/* NAME=VALUE as osc set takes it: only what can be changed while a migration runs. */
bool options_set(struct options *options, const char *assignment, struct arena *arena,
                 struct error *err) MUST_CHECK;

/* Adds the help for the options that `command` takes. */
void options_help(struct text *out, unsigned command);

#endif
