#include "osc/options_table.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "osc/base/human.h"

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

static bool parse_count(const struct option *option, const char *string, unsigned *count,
                        const char *said, struct error *err)
{
    uint64_t number;
    const char *rest;

    if (option->zero && strcmp(string, option->zero) == 0) {
        *count = 0;
        return true;
    }
    if (!parse_number(string, &number, &rest) || *rest || number < option->least ||
        number > option->most)
        return error_set(err, ERROR_USAGE,
                         "%s takes %s%sa whole number from %" PRIu64 " to %" PRIu64 ", not '%s'",
                         said, option->zero ? option->zero : "", option->zero ? " or " : "",
                         option->least, option->most, string);
    *count = (unsigned)number;
    return true;
}

static bool parse_ms(const char *string, uint64_t *ms)
{
    static const struct {
        const char *unit;
        uint64_t ms;
    } units[] = {
        {"ms", 1       },
        {"s",  1000    },
        {"m",  60000   },
        {"h",  3600000 },
        {"d",  86400000}
    };
    uint64_t number;
    const char *unit;

    if (!parse_number(string, &number, &unit))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(units); i++)
        if (strcmp(unit, units[i].unit) == 0)
            return !__builtin_mul_overflow(number, units[i].ms, ms);
    return false;
}

static bool parse_duration(const struct option *option, const char *string, uint64_t *ms,
                           const char *said, struct error *err)
{
    uint64_t parsed;

    if (option->zero && strcmp(string, option->zero) == 0) {
        *ms = 0;
        return true;
    }
    if (!parse_ms(string, &parsed))
        return error_set(err, ERROR_USAGE,
                         "%s takes a time with its unit (250ms, 2s, 5m, 1h, 1d), not '%s'", said,
                         string);
    if (parsed < option->least || parsed > option->most)
        return error_set(err, ERROR_USAGE, "%s takes %s to %s, not '%s'", said,
                         human_setting(option->least).text, human_setting(option->most).text,
                         string);
    *ms = parsed;
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

bool option_assign(struct options *options, const struct option *option, const char *string,
                   const char *said, struct arena *arena, struct error *err)
{
    void *at = option_place(options, option);

    switch (option->type) {
    case OPT_FLAG: return parse_flag(string, at, said, err);
    case OPT_COUNT: return parse_count(option, string, at, said, err);
    case OPT_DURATION: return parse_duration(option, string, at, said, err);
    case OPT_CHOICE: return parse_choice(option, string, at, said, err);
    case OPT_SECRET:
        if (!*string)
            return error_set(err, ERROR_USAGE, "%s is empty", said);
        *(const char **)at = arena_string(arena, string);
        return true;
    }
    bug("option %s has no type", option->name);
}

void option_print(const struct options *options, const struct option *option, struct text *out)
{
    const void *at = option_value(options, option);

    switch (option->type) {
    case OPT_FLAG: text_add(out, *(const bool *)at ? "yes" : "no"); return;
    case OPT_COUNT: {
        const unsigned count = *(const unsigned *)at;
        if (!count && option->zero)
            text_add(out, option->zero);
        else
            text_printf(out, "%u", count);
        return;
    }
    case OPT_DURATION: {
        const uint64_t ms = *(const uint64_t *)at;
        text_add(out, !ms && option->zero ? option->zero : human_setting(ms).text);
        return;
    }
    case OPT_CHOICE: text_add(out, option->choices[*(const unsigned *)at]); return;
    case OPT_SECRET: text_add(out, "(secret)"); return;
    }
}
