/*
 * Option table: one row for each option, from which all else is derived.
 */
#ifndef OSC_OPTIONS_TABLE_H
#define OSC_OPTIONS_TABLE_H

#include "osc/options.h"

enum option_type { OPT_FLAG, OPT_COUNT, OPT_DURATION, OPT_CHOICE, OPT_SECRET };

struct option {
    const char *name;
    char letter; /* 0: none */
    enum option_type type;
    bool is_durable; /* shapes a migration: remembered with it */
    size_t at;
    const char *value;          /* what stands for the value in the help */
    const char *standard;       /* the default, as the operator would write it */
    const char *zero;           /* OPT_COUNT, OPT_DURATION: the word for 0 */
    const char *const *choices; /* OPT_CHOICE: words, by value */
    uint64_t least, most;       /* OPT_COUNT, OPT_DURATION (milliseconds) */
    unsigned commands;
    const char *help;
};

extern const struct option *const options_table[];
extern const size_t options_count;

/* The option's bit in `given`, and where the option keeps its value. */
uint64_t option_bit(const struct option *option);
void *option_place(struct options *options, const struct option *option);
const void *option_value(const struct options *options, const struct option *option);

/* Reads a value; `said` is how the operator named the option: --threads, OSC_THREADS. */
bool option_assign(struct options *options, const struct option *option, const char *string,
                   const char *said, struct arena *arena, struct error *err) MUST_CHECK;

/* Adds the value as the operator would write it; never that of a secret. */
void option_print(const struct options *options, const struct option *option, struct text *out);

/* Adds the words of a choice: keep|drop. */
void option_choices(struct text *out, const struct option *option);

#endif
