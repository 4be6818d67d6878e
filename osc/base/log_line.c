#include "osc/base/log_line.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "osc/base/json.h"

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static const int priorities[] = {3, 4, 6, 7};

static void add_priority(struct text *line, const struct log_entry *entry)
{
    if (entry->place == LOG_IN_JOURNAL)
        text_printf(line, "<%d>", priorities[entry->level]);
}

/* ---- text ---- */

/* C0, DEL, and C1 as UTF-8 writes them: a terminal obeys all of these. */
static size_t control_length(const unsigned char *at)
{
    if (*at < 0x20 || *at == 0x7f)
        return 1;
    return at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0 ? 2 : 0;
}

static void add_control(struct text *line, const unsigned char *at, size_t length)
{
    static const char *const letters = "nrt", *const bytes = "\n\r\t";
    const char *known = strchr(bytes, *at);

    if (length == 1 && known) {
        text_printf(line, "\\%c", letters[known - bytes]);
        return;
    }
    for (size_t i = 0; i < length; i++)
        text_printf(line, "\\x%02x", at[i]);
}

static void add_escaped(struct text *line, const char *value, const char *also)
{
    for (const unsigned char *at = (const unsigned char *)value; *at;) {
        const size_t length = control_length(at);
        if (length)
            add_control(line, at, length);
        else
            text_printf(line, "%s%c", strchr(also, *at) ? "\\" : "", *at);
        at += length ? length : 1;
    }
}

static bool is_plain(const char *value)
{
    if (!*value || strpbrk(value, " \"=\\"))
        return false;
    for (const unsigned char *at = (const unsigned char *)value; *at; at++)
        if (control_length(at))
            return false;
    return true;
}

static void add_text_field(struct text *line, const struct log_field *field)
{
    const char *value = field->text ? field->text : "";

    switch (field->type) {
    case FIELD_TEXT:
        text_printf(line, " %s=", field->name);
        if (is_plain(value)) {
            text_add(line, value);
        } else {
            text_add(line, "\"");
            add_escaped(line, value, "\"\\");
            text_add(line, "\"");
        }
        break;
    case FIELD_UINT: text_printf(line, " %s=%" PRIu64, field->name, field->number); break;
    case FIELD_REAL: text_printf(line, " %s=%.3f", field->name, field->real); break;
    case FIELD_SAY: break;
    }
}

static const char *said(const char *event, const struct log_field *fields)
{
    for (; fields->name; fields++)
        if (fields->type == FIELD_SAY)
            return fields->text;
    return event;
}

void log_line_words(struct text *line, const char *event, const struct log_field *fields)
{
    add_escaped(line, said(event, fields), "");
    for (; fields->name; fields++)
        add_text_field(line, fields);
}

static void add_time(struct text *line, const struct log_entry *entry)
{
    char stamp[40] = "";
    struct tm now;

    (void)localtime_r(&entry->at, &now);
    switch (entry->place) {
    case LOG_ON_SCREEN: (void)strftime(stamp, sizeof stamp, "%H:%M:%S ", &now); break;
    case LOG_IN_FILE: (void)strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S%z ", &now); break;
    case LOG_IN_JOURNAL: break;
    }
    text_add(line, stamp);
}

void log_line_text(struct text *line, const struct log_entry *entry)
{
    add_priority(line, entry);
    add_time(line, entry);
    if (entry->level != LOG_INFO)
        text_printf(line, "%s: ", level_names[entry->level]);
    if (entry->shows_thread)
        text_printf(line, "[%s] ", entry->thread);
    log_line_words(line, entry->event, entry->fields);
}

/* ---- JSON ---- */

static json_t *field_value(const struct log_field *field)
{
    switch (field->type) {
    case FIELD_UINT: return json_integer((json_int_t)field->number);
    case FIELD_REAL: return json_real(field->real);
    case FIELD_TEXT:
    case FIELD_SAY: break;
    }
    return json_any_string(field->text ? field->text : "");
}

void log_line_json(struct text *line, const struct log_entry *entry)
{
    char stamp[32];
    struct tm now;
    json_t *object = json_object();

    (void)gmtime_r(&entry->at, &now);
    (void)strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &now);
    json_object_set_new(object, "time", json_string(stamp));
    json_object_set_new(object, "level", json_string(level_names[entry->level]));
    json_object_set_new(object, "event", json_any_string(entry->event));
    json_object_set_new(object, "thread", json_any_string(entry->thread));
    for (const struct log_field *field = entry->fields; field->name; field++)
        json_object_set_new(object, field->name, field_value(field));
    char *dump = json_dumps(object, JSON_COMPACT);
    add_priority(line, entry);
    text_add(line, dump ? dump : "{}");
    free(dump);
    json_decref(object);
}
