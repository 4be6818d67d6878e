/*
 * Commands: one row each, from which parsing, help and dispatch follow.
 */
#ifndef OSC_COMMAND_H
#define OSC_COMMAND_H

#include "osc/base/cancel.h"
#include "osc/options.h"
#include "osc/settings.h"

/* One command being carried out. */
struct run {
    const struct command *command;
    struct options options;
    struct settings settings;
    struct words words; /* after the command's name */
    struct arena *arena;
    struct cancel *cancel;
    uint64_t id; /* of the migration it is about; 0 until there is one */
};

struct command {
    const char *name;
    unsigned bit;          /* FOR_… */
    size_t least, most;    /* words it takes */
    const char *arguments; /* how they are written */
    const char *summary;   /* one line */
    const char *text;      /* what it does and leaves behind */
    const char *example;
    bool (*run)(struct run *run, struct error *err);
};

extern const struct command *const commands[]; /* ends with NULL */

/* Fills `run` from argv and the environment; run->arena must be there. */
bool command_parse(struct run *run, int argc, char **argv, struct error *err) MUST_CHECK;
bool command_run(struct run *run, struct error *err) MUST_CHECK;

/* Says on the way out what went wrong and what to do next. */
void command_report(const struct run *run, const struct error *err);

/* NULL with ERROR_USAGE and the nearest name. */
const struct command *command_find(const char *name, struct error *err);

extern const char command_exit_codes[];

/* The help of one command, or of all when `command` is NULL. */
void command_describe(struct text *out, const struct command *command);

#endif
