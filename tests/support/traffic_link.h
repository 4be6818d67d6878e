/*
 * One connection of the traffic, and the statements it runs.
 */
#ifndef OSC_TESTS_TRAFFIC_LINK_H
#define OSC_TESTS_TRAFFIC_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum family { FAMILY_POSTGRES, FAMILY_MYSQL, FAMILY_COUNT };

enum reply {
    REPLY_OK,
    REPLY_REFUSED, /* the server answered with an error: rolled back */
    REPLY_LOST,    /* no answer: the statement may have run */
};

struct value { /* NULL text is the SQL NULL */
    const char *text;
    size_t length;
    bool number; /* an integer: not quoted in a literal */
};

/* SQL text under construction; values become literals or parameters as the statement wants. */
struct statement {
    const struct link *link;
    bool prepared;
    char *sql;
    size_t length, room;
    struct value *parameters;
    size_t parameter_count, parameter_room;
};

struct link_settings {
    const char *dsn;
    unsigned statement_timeout_ms;
    const char *isolation; /* NULL: READ COMMITTED */
    bool create_database;  /* MySQL family: make the DSN's database when it is not there */
};

/* One row of a result; values are valid during the call. False ends the reading. */
typedef bool (*row_function)(void *context, const struct value *values, size_t count);

struct link {
    const struct link_kind *kind;
    void *session; /* the client library's handle with what we keep beside it */
    bool open;
    char code[8]; /* of the last error: SQLSTATE or error number */
    char text[240];
    uint64_t affected;
    int64_t generated_key; /* the last INSERT's, where one was asked for */
    row_function on_row;   /* called for each row of a statement's result, when set */
    void *row_context;
};

struct link_kind {
    enum family family;
    char name_quote;
    bool (*connect)(struct link *link, const struct link_settings *settings);
    enum reply (*run)(struct link *link, const struct statement *statement);
    /* Streams: the result is never held in memory as a whole. */
    bool (*stream)(struct link *link, const char *sql, row_function row, void *context);
    /* Bulk load: wraps[i] is how column i's text is written ("UNHEX(%s)" or NULL). */
    bool (*load_begin)(struct link *link, const char *into, const char *const *wraps);
    bool (*load_row)(struct link *link, const struct value *values, size_t count);
    bool (*load_end)(struct link *link);
    void (*escape)(const struct link *link, struct statement *statement, const struct value *v);
    void (*server_name)(const struct link *link, char *name, size_t size);
    void (*close)(struct link *link);
};

extern const struct link_kind link_postgres, link_mysql;

/* NULL when the scheme of the DSN is none of ours. */
const struct link_kind *link_kind_of(const char *dsn);

bool link_open(struct link *link, const struct link_settings *settings);
void link_close(struct link *link);
enum reply link_run(struct link *link, const char *sql);
void link_fail(struct link *link, const char *code, const char *text);

void statement_begin(struct statement *s, const struct link *link, bool prepared);
void statement_free(struct statement *s);
void statement_add(struct statement *s, const char *sql);
void statement_bytes(struct statement *s, const char *bytes, size_t length);
void statement_printf(struct statement *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void statement_name(struct statement *s, const char *name);
void statement_value(struct statement *s, const struct value *v);
void statement_wrapped(struct statement *s, const char *wrap, const struct value *v);
uint64_t statement_hash(const struct statement *s);

void *must(void *allocated); /* the traffic dies when memory ends */

#endif
