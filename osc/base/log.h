/*
 * Log: one call, one event, one line.
 *
 * An event is a constant phrase with typed fields; text or JSON is the
 * writer's business.  Phrases are listed in osc/EVENTS.md, which a test holds
 * against the source.  Never a row's value, never a password.
 */
#ifndef OSC_BASE_LOG_H
#define OSC_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "osc/base/error.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

struct log_field {
    const char *name;
    enum { FIELD_TEXT, FIELD_UINT, FIELD_REAL, FIELD_SAY } type;
    const char *text;
    uint64_t number;
    double real;
};

#define F(n, v) ((struct log_field){.name = (n), .type = FIELD_TEXT, .text = (v)})
#define FU(n, v) ((struct log_field){.name = (n), .type = FIELD_UINT, .number = (uint64_t)(v)})
#define FR(n, v) ((struct log_field){.name = (n), .type = FIELD_REAL, .real = (v)})
/* What people read instead of the event's name; "text" in JSON. */
#define FS(v) ((struct log_field){.name = "text", .type = FIELD_SAY, .text = (v)})

#define LOG(level, ...) LOG_((level), __VA_ARGS__, (struct log_field){.name = NULL})
#define LOG_(level, event, ...) log_event((level), (event), (struct log_field[]){__VA_ARGS__})

void log_event(enum log_level level, const char *event, const struct log_field *fields);
bool log_wants(enum log_level level);

struct log_setup {
    enum log_level level;
    bool as_json;
    const char *file; /* NULL: standard error */
};

/* To be called before threads start. */
bool log_open(const struct log_setup *setup, struct error *err) MUST_CHECK;

/* After somebody moved the file away: begins it anew.  False where the log has no file. */
bool log_reopen(void);
bool log_has_file(void);

/* Standard error is read by programs only: a journal, or whoever wants JSON there. */
bool log_is_all_there_is(void);

/* Called around each line written to a terminal that shows a progress line; may be NULL. */
void log_around(void (*before)(void), void (*after)(void));

/* Hears every event but debug ones, also those that are not written; NULL ends it. */
typedef void log_observer(enum log_level level, const char *event, const struct log_field *fields);
void log_observe(log_observer *observer);

void log_thread_name(const char *name); /* copied; shown with this thread's events */

#endif
