/*
 * Driver: moves bytes to and from one kind of server.
 *
 * Translates the server's errors to kinds in one table; knows nothing of
 * migrations.  Tests put a decorator in front of it.
 */
#ifndef OSC_DB_DRIVER_H
#define OSC_DB_DRIVER_H

#include "osc/db/db.h"

struct db_driver {
    /* Opens the bytes pipe only (timeouts, TLS, keepalive); the session is set up above. */
    bool (*connect)(struct db *db, const struct dsn *dsn, const char *purpose, struct error *err);
    void (*close)(struct db *db);
    bool (*exec)(struct db *db, const char *statement, uint64_t *affected, struct error *err);
    bool (*query)(struct db *db, struct rows *rows, const char *statement, struct error *err);
    bool (*next)(struct rows *rows, struct error *err);
    const char *(*name)(const struct rows *rows, unsigned column);
    void (*finish)(struct rows *rows);
    void (*add_literal)(struct db *db, struct text *out, const char *bytes, size_t length);
    void (*add_name)(struct text *out, const char *name);
    void (*interrupt)(struct db *db);
    void (*library)(struct text *out); /* name and version of the client library */
};

struct db {
    const struct db_driver *driver;
    const struct dialect *dialect;
    const struct dsn *dsn;
    void *link;         /* the driver's own */
    char operation[16]; /* its purpose without a number: copy for copy-3 */
    uint64_t id;        /* by connect: as the handshake says it; by setup: as the server says it */
    bool is_lost;
    bool is_in_transaction;
    bool is_reading; /* rows are unread: no statement may be sent */
    struct facts *facts;
    struct text *script; /* see db_record(); NULL: nothing is recorded */
    bool is_rehearsal;   /* recorded statements are not run            */
    struct arena *arena; /* lives as long as the connection */
};

extern const struct db_driver mysql_driver;
extern const struct db_driver postgres_driver;

/* The tables that turn a server's codes into kinds. */
enum error_kind mysql_error_kind(unsigned number);
enum error_kind postgres_error_kind(const char *sqlstate);

void mysql_add_literal(struct db *db, struct text *out, const char *bytes, size_t length);
void mysql_add_name(struct text *out, const char *name);

#endif
