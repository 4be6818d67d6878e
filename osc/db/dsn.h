/*
 * DSN: where a server is and how to log in, from a URL.
 *
 *   mysql://user:pass@host:port/db?opt=…   mariadb://…   postgres://… (libpq's own URI)
 *
 * Without a password in the URL the native files are read as the native
 * clients do (~/.my.cnf [client] and [osc]; ~/.pgpass, service files).  The
 * password never leaves this struct but for the driver.
 */
#ifndef OSC_DB_DSN_H
#define OSC_DB_DSN_H

#include <stdbool.h>

#include "osc/base/arena.h"
#include "osc/base/error.h"

struct dialect;

struct dsn {
    const struct dialect *dialect; /* chosen by the scheme */
    const char *url;               /* as given: holds the password, never printed */
    const char *shown;             /* the same without password, for people       */
    const char *user, *password, *host,
        *database;       /* NULL when absent; unused where libpq reads the URL */
    unsigned port;       /* 0: the default */
    const char *socket;  /* NULL when absent */
    unsigned patience_s; /* for an answer; 0: statements take as long as they take */
    struct dsn_option {
        const char *name, *value;
        struct dsn_option *next;
    } * options; /* ?name=value, percent-decoded */
};

/* Parses; ERROR_USAGE with the reason.  Strings live in `arena`. */
/* Begins as one does: no message may repeat it, as there may be a password in it. */
bool dsn_looks_like(const char *word);

bool dsn_parse(struct dsn *dsn, const char *url, struct arena *arena, struct error *err) MUST_CHECK;

/* The value of ?name=…, or NULL. */
const char *dsn_option(const struct dsn *dsn, const char *name);

#endif
