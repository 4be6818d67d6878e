/*
 * Errors: what went wrong, of which kind, and what to do next.
 *
 * A function that can fail returns bool (or a pointer) and takes `err` last;
 * its outputs are untouched on failure.  The text grows outward by
 * error_prefix().  Policy reads `kind`, never `code` or the text.
 */
#ifndef OSC_BASE_ERROR_H
#define OSC_BASE_ERROR_H

#include <stdbool.h>

#include "osc/base/macro.h"

enum error_kind {
    ERROR_NONE,
    ERROR_USAGE,     /* wrong command line                                     */
    ERROR_REFUSED,   /* a preflight check says no; nothing was changed         */
    ERROR_TRANSIENT, /* deadlock, lock timeout, ...: rolled back, may be retried */
    ERROR_CONFLICT,  /* a unique key was violated, or a name is taken          */
    ERROR_DATA,      /* a value does not fit the new schema                    */
    ERROR_LOST,      /* the connection broke: the statement may still run      */
    ERROR_AMBIGUOUS, /* the outcome of a swap is unknown                       */
    ERROR_DIVERGED,  /* source and shadow differ                               */
    ERROR_CANCELLED, /* by the operator                                        */
    ERROR_MISSING,   /* a named object does not exist                          */
    ERROR_DENIED,    /* the server refuses us: password or privilege           */
    ERROR_SERVER,    /* any other error reported by the server                 */
    ERROR_FULL,      /* the server has no room left: disk, tablespace, temporary files */
    ERROR_SYSTEM,    /* the operating system or a library failed               */
};

struct error {
    enum error_kind kind;
    char code[12]; /* SQLSTATE or server error number, for humans          */
    char text[1500];
    char hint[1000]; /* the next step, "" if there is none                   */
};

#define ERROR_INIT                                                                                 \
    {                                                                                              \
        .kind = ERROR_NONE                                                                         \
    }

/* All return false, so that "return error_set(...)" is the whole error path. */
bool error_set(struct error *err, enum error_kind kind, const char *format, ...) PRINTF(3, 4);
bool error_prefix(struct error *err, const char *format, ...) PRINTF(2, 3);
bool error_hint(struct error *err, const char *format, ...) PRINTF(2, 3);
/* Behind the hint that there is, if there is one. */
bool error_hint_also(struct error *err, const char *format, ...) PRINTF(2, 3);
void error_clear(struct error *err);

/* The exit code documented for the kind (0 for ERROR_NONE). */
int error_exit_code(enum error_kind kind);
const char *error_kind_name(enum error_kind kind);

/* A broken invariant of our own: says where, then aborts. */
_Noreturn void bug(const char *format, ...) PRINTF(1, 2);

#endif
