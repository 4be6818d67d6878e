#include "osc/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool error_set(struct error *err, enum error_kind kind, const char *format, ...)
{
    va_list args;

    error_clear(err);
    err->kind = kind;
    va_start(args, format);
    (void)vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return false;
}

bool error_prefix(struct error *err, const char *format, ...)
{
    char prefix[500];
    char rest[sizeof err->text];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(prefix, sizeof prefix, format, args);
    va_end(args);
    memcpy(rest, err->text, sizeof rest);
    size_t used = (size_t)snprintf(err->text, sizeof err->text, "%s: ", prefix);
    (void)snprintf(err->text + used, sizeof err->text - used, "%s", rest);
    return false;
}

bool error_hint(struct error *err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(err->hint, sizeof err->hint, format, args);
    va_end(args);
    return false;
}

bool error_hint_also(struct error *err, const char *format, ...)
{
    size_t used = strlen(err->hint);
    va_list args;

    used += used ? (size_t)snprintf(err->hint + used, sizeof err->hint - used, "; ") : 0;
    va_start(args, format);
    if (used < sizeof err->hint)
        (void)vsnprintf(err->hint + used, sizeof err->hint - used, format, args);
    va_end(args);
    return false;
}

void error_clear(struct error *err)
{
    err->kind = ERROR_NONE;
    err->code[0] = '\0';
    err->text[0] = '\0';
    err->hint[0] = '\0';
}

static const struct {
    enum error_kind kind;
    const char *name;
    int exit_code;
} kinds[] = {
    {ERROR_NONE,      "none",      0},
    {ERROR_USAGE,     "usage",     2},
    {ERROR_REFUSED,   "refused",   3},
    {ERROR_TRANSIENT, "transient", 1},
    {ERROR_CONFLICT,  "conflict",  1},
    {ERROR_DATA,      "data",      1},
    {ERROR_LOST,      "lost",      1},
    {ERROR_AMBIGUOUS, "ambiguous", 5},
    {ERROR_DIVERGED,  "diverged",  4},
    {ERROR_CANCELLED, "cancelled", 6},
    {ERROR_MISSING,   "missing",   1},
    {ERROR_DENIED,    "denied",    1},
    {ERROR_SERVER,    "server",    1},
    {ERROR_FULL,      "full",      1},
    {ERROR_SYSTEM,    "system",    1},
};
static_assert(ARRAY_SIZE(kinds) == ERROR_SYSTEM + 1, "every kind has its row");

int error_exit_code(enum error_kind kind)
{
    return kinds[kind].exit_code;
}

const char *error_kind_name(enum error_kind kind)
{
    return kinds[kind].name;
}

/* uncovered: whoever ends by a signal leaves no count */
void bug(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)fputs("osc: bug: ", stderr);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
    abort();
}
