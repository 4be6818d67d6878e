#include "osc/base/log.h"

#include <inttypes.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "osc/base/text.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* one line at a time */
static enum log_level wanted = LOG_INFO;
static bool json_lines;
static void (*before_line)(void);
static void (*after_line)(void);
static _Thread_local char thread_name[16] = "main";

static const char *const level_names[] = {"error", "warn", "info", "debug"};

void log_setup(enum log_level level, bool as_json)
{
    wanted = level;
    json_lines = as_json;
}

void log_around(void (*before)(void), void (*after)(void))
{
    pthread_mutex_lock(&lock);
    before_line = before;
    after_line = after;
    pthread_mutex_unlock(&lock);
}

void log_thread_name(const char *name)
{
    (void)strncpy(thread_name, name, sizeof thread_name - 1);
}

bool log_wants(enum log_level level)
{
    return level <= wanted;
}

static void add_text_field(struct text *line, const struct log_field *field)
{
    switch (field->type) {
    case FIELD_TEXT: {
        const char *value = field->text ? field->text : "";
        const bool plain = *value && !strpbrk(value, " \"=\n\t");
        text_printf(line, plain ? " %s=%s" : " %s=\"%s\"", field->name, value);
        break;
    }
    case FIELD_UINT: text_printf(line, " %s=%" PRIu64, field->name, field->number); break;
    case FIELD_REAL: text_printf(line, " %s=%.3f", field->name, field->real); break;
    }
}

static void text_line(struct text *line, enum log_level level, const char *event,
                      const struct log_field *fields, const struct tm *now)
{
    text_printf(line, "%02d:%02d:%02d ", now->tm_hour, now->tm_min, now->tm_sec);
    if (level != LOG_INFO)
        text_printf(line, "%s: ", level_names[level]);
    if (wanted == LOG_DEBUG)
        text_printf(line, "[%s] ", thread_name);
    text_add(line, event);
    for (; fields->name; fields++)
        add_text_field(line, fields);
}

static void json_line(struct text *line, enum log_level level, const char *event,
                      const struct log_field *fields, const struct tm *now)
{
    char stamp[32];
    json_t *object = json_object();

    (void)strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", now);
    json_object_set_new(object, "time", json_string(stamp));
    json_object_set_new(object, "level", json_string(level_names[level]));
    json_object_set_new(object, "event", json_string(event));
    json_object_set_new(object, "thread", json_string(thread_name));
    for (; fields->name; fields++) {
        json_t *value = NULL;
        switch (fields->type) {
        case FIELD_TEXT: value = json_string(fields->text ? fields->text : ""); break;
        case FIELD_UINT: value = json_integer((json_int_t)fields->number); break;
        case FIELD_REAL: value = json_real(fields->real); break;
        }
        /* json_string() refuses text that is not UTF-8. */
        json_object_set_new(object, fields->name, value ? value : json_string("(not UTF-8)"));
    }
    char *dump = json_dumps(object, JSON_COMPACT);
    text_add(line, dump ? dump : "{}");
    free(dump);
    json_decref(object);
}

void log_event(enum log_level level, const char *event, const struct log_field *fields)
{
    AUTO(text) line = TEXT_INIT;
    struct tm now;
    const time_t seconds = time(NULL);

    if (!log_wants(level))
        return;
    if (json_lines) {
        (void)gmtime_r(&seconds, &now);
        json_line(&line, level, event, fields, &now);
    } else {
        (void)localtime_r(&seconds, &now);
        text_line(&line, level, event, fields, &now);
    }
    pthread_mutex_lock(&lock);
    if (before_line)
        before_line();
    (void)fprintf(stderr, "%s\n", line.bytes);
    if (after_line)
        after_line();
    pthread_mutex_unlock(&lock);
}
