/*
 * Log line: an event as one line of text or of JSON.
 *
 * Whatever a value holds, the line is one line and moves no cursor: control
 * characters are written as escapes.
 */
#ifndef OSC_BASE_LOG_LINE_H
#define OSC_BASE_LOG_LINE_H

#include <stdio.h>
#include <time.h>

#include "osc/base/log.h"
#include "osc/base/text.h"

enum log_place {
    LOG_ON_SCREEN,  /* 14:03:59                                          */
    LOG_IN_FILE,    /* 2026-03-01T14:03:59+0100                          */
    LOG_IN_JOURNAL, /* <6>, the priority of syslog; it has its own clock */
};

struct log_entry {
    enum log_level level;
    const char *event;
    const struct log_field *fields; /* the last one has no name */
    const char *thread;
    time_t at;
    enum log_place place;
    bool shows_thread;
};

/* Both without the line's end. */
void log_line_text(struct text *line, const struct log_entry *entry);
/* Without time and level as well. */
void log_line_words(struct text *line, const char *event, const struct log_field *fields);
void log_line_json(struct text *line, const struct log_entry *entry);

#endif
