/*
 * Option table: one row for each option, from which all else is derived.
 *
 * The rows of what a migration is stand in options_table.c; a service keeps
 * its rows in options_<service>.c and names them in options_rows.h.
 */
#ifndef OSC_OPTIONS_TABLE_H
#define OSC_OPTIONS_TABLE_H

#include "osc/base/human.h"
#include "osc/options.h"

enum option_type {
    OPT_FLAG,     /* bool                                                            */
    OPT_COUNT,    /* unsigned                                                        */
    OPT_PERCENT,  /* unsigned: 50% or 50                                             */
    OPT_DURATION, /* uint64_t, milliseconds: 250ms, 2s, 5m, 1h, 1d                   */
    OPT_SIZE,     /* uint64_t, bytes: 512MiB, 1G; always by 1024                     */
    OPT_CHOICE,   /* unsigned, an enum                                               */
    OPT_TEXT,     /* const char *, NULL: none                                        */
    OPT_PATH,     /* the same, made absolute, ~/ for the home directory              */
    OPT_LIST,     /* struct words: given once for each, in OSC_… with spaces between */
};

struct option {
    const char *name;
    char letter; /* 0: none */
    enum option_type type;
    bool is_durable;  /* shapes a migration: remembered with it */
    bool is_settable; /* durable, and osc set changes it while the migration runs */
    bool is_secret;   /* OPT_TEXT, OPT_LIST: may hold a password; never durable */
    size_t at;
    const char *value;          /* what stands for the value in the help */
    const char *standard;       /* the default, as the operator would write it */
    const char *zero;           /* the word for 0, or for no text, path or list */
    const char *const *choices; /* OPT_CHOICE: words, by value */
    uint64_t least, most;       /* of numbers: count, percent, milliseconds, bytes */
    /* OPT_TEXT, OPT_LIST: refuses a value that makes no sense, with ERROR_USAGE; may be NULL */
    bool (*check)(const char *value, struct error *err);
    unsigned commands;
    const char *help;
};

extern const struct option *const options_table[];
extern const size_t options_count;

/* The row's number, the row of a name (NULL: none), and where the option keeps its value. */
size_t option_row(const struct option *option);
const struct option *option_named(const char *name, size_t length);
void *option_place(struct options *options, const struct option *option);
const void *option_value(const struct options *options, const struct option *option);

bool option_is_taken(const struct option *option, unsigned command);

/* Reads a value (adds it to a list); `said` is how the operator named the option: --threads,
 * OSC_THREADS. */
bool option_assign(struct options *options, const struct option *option, const char *string,
                   const char *said, struct arena *arena, struct error *err) MUST_CHECK;

/* The same, unless something of more weight than `from` has said it already. */
bool option_say(struct options *options, const struct option *option, const char *string,
                enum origin from, const char *said, struct arena *arena,
                struct error *err) MUST_CHECK;

/* OSC_CHUNK_TIME */
const char *option_variable(const struct option *option, struct arena *arena);

/* Adds the value as the operator would write it; never that of a secret. */
void option_print(const struct options *options, const struct option *option, struct text *out);

/* A number of the option's, as the operator would write it: 250ms, 50%, 1GiB, 4. */
struct human option_number(const struct option *option, uint64_t number);

/* Adds what the option is for, and what it may be. */
void option_explain(struct text *out, const struct option *option);

/* Adds the words of a choice: keep|drop. */
void option_choices(struct text *out, const struct option *option);

#endif
