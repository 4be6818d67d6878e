#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "osc/base/human.h"
#include "osc/options_table.h"

enum { MARGIN = 4, INDENT = 8, WIDTH = 88 };

static void add_heading(struct text *out, const struct option *option)
{
    text_printf(out, "%*s", MARGIN - 2, "");
    if (option->letter)
        text_printf(out, "-%c, ", option->letter);
    text_printf(out, "--%s", option->name);
    if (option->choices) {
        text_add(out, "=");
        option_choices(out, option);
    } else if (option->value) {
        text_printf(out, " %s", option->value);
    }
    if (option->standard)
        text_printf(out, "   [%s]", option->standard);
    text_add(out, "\n");
}

void option_explain(struct text *out, const struct option *option)
{
    text_add(out, option->help);
    if (option->most)
        text_printf(out, " From %s to %s.", option_number(option, option->least).text,
                    option_number(option, option->most).text);
    else if (option->type == OPT_LIST)
        text_add(out, " May be given several times.");
}

void options_help(struct text *out, unsigned command)
{
    for (size_t i = 0; i < options_count; i++) {
        const struct option *option = options_table[i];
        AUTO(text) words = TEXT_INIT;

        if (!(option->commands & command))
            continue;
        option_explain(&words, option);
        add_heading(out, option);
        text_printf(out, "%*s", INDENT, "");
        human_wrap(out, words.bytes, INDENT, WIDTH);
        text_add(out, "\n");
    }
}

/* NULL: there is nothing to remember. */
static json_t *saved(const struct options *options, const struct option *option)
{
    AUTO(text) value = TEXT_INIT;

    option_print(options, option, &value);
    return value.length ? json_string(value.bytes) : NULL;
}

void options_save(const struct options *options, struct text *json)
{
    json_t *object = json_object();

    for (size_t i = 0; i < options_count; i++) {
        json_t *value = options_table[i]->is_durable ? saved(options, options_table[i]) : NULL;
        if (value)
            json_object_set_new(object, options_table[i]->name, value);
    }
    char *dump = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    text_add(json, dump);
    free(dump);
    json_decref(object);
}

static bool recall(struct options *options, const struct option *option, const json_t *value,
                   struct arena *arena, struct error *err)
{
    const char *said = json_string_value(value);

    return !said || option_say(options, option, said, FROM_MIGRATION, option->name, arena, err);
}

bool options_recall(struct options *options, const char *json, struct arena *arena,
                    struct error *err)
{
    json_error_t reason;
    json_t *object = json_loads(json, 0, &reason);
    bool good = true;

    if (!json_is_object(object)) {
        json_decref(object);
        return error_set(err, ERROR_SYSTEM, "remembered options cannot be read: %s", reason.text);
    }
    /* Names that this version does not know are skipped: a newer one wrote them. */
    for (size_t i = 0; good && i < options_count; i++) {
        const struct option *option = options_table[i];

        if (option->is_durable)
            good = recall(options, option, json_object_get(object, option->name), arena, err);
    }
    json_decref(object);
    return good ? true : error_prefix(err, "remembered options");
}
