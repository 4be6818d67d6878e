#include "osc/options_table.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool parse_number(const char *string, uint64_t *number, const char **rest)
{
    char *end;

    if (!isdigit((unsigned char)*string))
        return false;
    errno = 0;
    *number = strtoull(string, &end, 10);
    *rest = end;
    return errno == 0;
}

/* One way of writing numbers: what a unit is worth; the largest first. */
struct unit {
    const char *name;
    uint64_t worth;
};

static const struct unit times[] = {
    {"d",  86400000},
    {"h",  3600000 },
    {"m",  60000   },
    {"s",  1000    },
    {"ms", 1       },
    {NULL, 0       }
};
static const struct unit sizes[] = {
    {"TiB", UINT64_C(1) << 40},
    {"GiB", UINT64_C(1) << 30},
    {"MiB", UINT64_C(1) << 20},
    {"KiB", UINT64_C(1) << 10},
    {"B",   1                },
    {"T",   UINT64_C(1) << 40},
    {"G",   UINT64_C(1) << 30},
    {"M",   UINT64_C(1) << 20},
    {"K",   UINT64_C(1) << 10},
    {NULL,  0                }
};
static const struct unit percents[] = {
    {"%",  1},
    {"",   1},
    {NULL, 0}
};
static const struct unit plain[] = {
    {"",   1},
    {NULL, 0}
};

static const struct {
    enum option_type type;
    const struct unit *units;
    const char *words;
} notations[] = {
    {OPT_COUNT,    plain,    "a whole number"                              },
    {OPT_PERCENT,  percents, "a percentage (50%)"                          },
    {OPT_DURATION, times,    "a time with its unit (250ms, 2s, 5m, 1h, 1d)"},
    {OPT_SIZE,     sizes,    "a size with its unit (512KiB, 100MiB, 2GiB)" },
};

static size_t notation_of(const struct option *option)
{
    size_t at = 0;

    while (notations[at].type != option->type)
        at++;
    return at;
}

struct human option_number(const struct option *option, uint64_t number)
{
    const struct unit *unit = notations[notation_of(option)].units;
    struct human human;

    while (unit->worth > 1 && (!number || number % unit->worth))
        unit++;
    (void)snprintf(human.text, sizeof human.text, "%" PRIu64 "%s", number / unit->worth,
                   unit->name);
    return human;
}

static bool in_units(const struct unit *unit, const char *string, uint64_t *number)
{
    uint64_t count;
    const char *rest;

    if (!parse_number(string, &count, &rest))
        return false;
    for (; unit->name; unit++)
        if (strcasecmp(rest, unit->name) == 0)
            return !__builtin_mul_overflow(count, unit->worth, number);
    return false;
}

static bool parse(const struct option *option, const char *string, uint64_t *number,
                  const char *said, struct error *err)
{
    const size_t at = notation_of(option);
    const char *zero = option->zero ? option->zero : "", * or = option->zero ? " or " : "";
    uint64_t parsed = 0;

    if (option->zero && strcmp(string, option->zero) == 0) {
        *number = 0;
        return true;
    }
    if (!in_units(notations[at].units, string, &parsed))
        return error_set(err, ERROR_USAGE, "%s takes %s%s%s, not '%s'", said, zero, or,
                         notations[at].words, string);
    if (parsed < option->least || parsed > option->most)
        return error_set(err, ERROR_USAGE, "%s takes %s%s%s to %s, not '%s'", said, zero, or,
                         option_number(option, option->least).text,
                         option_number(option, option->most).text, string);
    *number = parsed;
    return true;
}

static bool parse_small(const struct option *option, const char *string, unsigned *number,
                        const char *said, struct error *err)
{
    uint64_t parsed = 0;

    if (!parse(option, string, &parsed, said, err))
        return false;
    *number = (unsigned)parsed;
    return true;
}

void option_choices(struct text *out, const struct option *option)
{
    for (size_t i = 0; option->choices[i]; i++)
        text_printf(out, "%s%s", i ? "|" : "", option->choices[i]);
}

static bool parse_choice(const struct option *option, const char *string, unsigned *choice,
                         const char *said, struct error *err)
{
    AUTO(text) choices = TEXT_INIT;

    for (unsigned i = 0; option->choices[i]; i++)
        if (strcmp(option->choices[i], string) == 0) {
            *choice = i;
            return true;
        }
    option_choices(&choices, option);
    return error_set(err, ERROR_USAGE, "%s takes %s, not '%s'", said, choices.bytes, string);
}

static bool parse_flag(const char *string, bool *flag, const char *said, struct error *err)
{
    static const char *const yes[] = {"1", "true", "yes", "on"};
    static const char *const no[] = {"0", "false", "no", "off"};

    for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
        const bool is_yes = strcasecmp(string, yes[i]) == 0;
        if (is_yes || strcasecmp(string, no[i]) == 0) {
            *flag = is_yes;
            return true;
        }
    }
    return error_set(err, ERROR_USAGE, "%s takes yes or no, not '%s'", said, string);
}

/* ---- text, paths, lists ---- */

static bool check_text(const struct option *option, const char *string, const char *said,
                       struct error *err)
{
    if (!*string)
        return error_set(err, ERROR_USAGE, "%s is empty", said);
    if (!option->check || option->check(string, err))
        return true;
    return error_prefix(err, "%s", said);
}

static bool is_none(const struct option *option, const char *string)
{
    return option->zero && strcmp(string, option->zero) == 0;
}

/* A later run, or a service, may have another directory. */
static const char *absolute(const char *path, struct arena *arena)
{
    char here[PATH_MAX];
    const char *home = getenv("HOME");

    if (path[0] == '~' && path[1] == '/' && home)
        return arena_printf(arena, "%s%s", home, path + 1);
    if (path[0] == '/' || !getcwd(here, sizeof here))
        return arena_string(arena, path);
    return arena_printf(arena, "%s/%s", here, path);
}

static bool take_text(const struct option *option, const char *string, const char **text,
                      const char *said, struct arena *arena, struct error *err)
{
    if (is_none(option, string)) {
        *text = NULL;
        return true;
    }
    if (!check_text(option, string, said, err))
        return false;
    *text = option->type == OPT_PATH ? absolute(string, arena) : arena_string(arena, string);
    return true;
}

/* Always a new array: a copy of the options may hold the old one. */
static bool take_word(const struct option *option, const char *string, struct words *words,
                      const char *said, struct arena *arena, struct error *err)
{
    if (is_none(option, string)) {
        *words = (struct words){NULL, 0};
        return true;
    }
    if (!check_text(option, string, said, err))
        return false;
    const char **list = ARENA_ARRAY(arena, const char *, words->count + 1);
    for (size_t i = 0; i < words->count; i++)
        list[i] = words->list[i];
    list[words->count] = arena_string(arena, string);
    *words = (struct words){list, words->count + 1};
    return true;
}

bool option_assign(struct options *options, const struct option *option, const char *string,
                   const char *said, struct arena *arena, struct error *err)
{
    void *at = option_place(options, option);

    switch (option->type) {
    case OPT_FLAG: return parse_flag(string, at, said, err);
    case OPT_COUNT:
    case OPT_PERCENT: return parse_small(option, string, at, said, err);
    case OPT_DURATION:
    case OPT_SIZE: return parse(option, string, at, said, err);
    case OPT_CHOICE: return parse_choice(option, string, at, said, err);
    case OPT_TEXT:
    case OPT_PATH: return take_text(option, string, at, said, arena, err);
    case OPT_LIST: return take_word(option, string, at, said, arena, err);
    }
    bug("option %s has no type", option->name);
}

bool option_say(struct options *options, const struct option *option, const char *string,
                enum origin from, const char *said, struct arena *arena, struct error *err)
{
    const size_t row = option_row(option);

    if (options->said[row].from > from)
        return true;
    if (options->said[row].from < from && option->type == OPT_LIST)
        *(struct words *)option_place(options, option) = (struct words){NULL, 0};
    options->said[row].from = from;
    options->said[row].where = from == FROM_COMMAND_LINE ? NULL : said;
    return option_assign(options, option, string, said, arena, err);
}

const char *option_variable(const struct option *option, struct arena *arena)
{
    char *name = arena_printf(arena, "OSC_%s", option->name);

    for (char *letter = name; *letter; letter++)
        *letter = *letter == '-' ? '_' : (char)toupper((unsigned char)*letter);
    return name;
}

/* ---- as the operator would write it ---- */

static void print_number(const struct option *option, uint64_t number, struct text *out)
{
    text_add(out, !number && option->zero ? option->zero : option_number(option, number).text);
}

static void print_text(const struct option *option, const char *string, struct text *out)
{
    if (!string)
        text_add(out, option->zero ? option->zero : "");
    else
        text_add(out, option->is_secret ? "(secret)" : string);
}

void option_print(const struct options *options, const struct option *option, struct text *out)
{
    const void *at = option_value(options, option);

    switch (option->type) {
    case OPT_FLAG: text_add(out, *(const bool *)at ? "yes" : "no"); return;
    case OPT_COUNT:
    case OPT_PERCENT: print_number(option, *(const unsigned *)at, out); return;
    case OPT_DURATION:
    case OPT_SIZE: print_number(option, *(const uint64_t *)at, out); return;
    case OPT_CHOICE: text_add(out, option->choices[*(const unsigned *)at]); return;
    case OPT_TEXT:
    case OPT_PATH: print_text(option, *(const char *const *)at, out); return;
    case OPT_LIST: {
        const struct words *words = at;
        if (!words->count)
            print_text(option, NULL, out);
        for (size_t i = 0; i < words->count; i++) {
            text_add(out, i ? " " : "");
            print_text(option, words->list[i], out);
        }
        return;
    }
    }
}
