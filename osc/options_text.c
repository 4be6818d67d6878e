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

static void add_range(struct text *out, const struct option *option)
{
    if (option->type == OPT_DURATION)
        text_printf(out, " From %s to %s.", human_setting(option->least).text,
                    human_setting(option->most).text);
    else if (option->type == OPT_COUNT)
        text_printf(out, " From %u to %u.", (unsigned)option->least, (unsigned)option->most);
}

void options_help(struct text *out, unsigned command)
{
    for (size_t i = 0; i < options_count; i++) {
        const struct option *option = options_table[i];
        AUTO(text) words = TEXT_INIT;

        if (!(option->commands & command))
            continue;
        text_add(&words, option->help);
        add_range(&words, option);
        add_heading(out, option);
        text_printf(out, "%*s", INDENT, "");
        human_wrap(out, words.bytes, INDENT, WIDTH);
        text_add(out, "\n");
    }
}

void options_save(const struct options *options, struct text *json)
{
    json_t *object = json_object();

    for (size_t i = 0; i < options_count; i++) {
        AUTO(text) value = TEXT_INIT;

        if (!options_table[i]->is_durable)
            continue;
        option_print(options, options_table[i], &value);
        json_object_set_new(object, options_table[i]->name, json_string(value.bytes));
    }
    char *dump = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    text_add(json, dump);
    free(dump);
    json_decref(object);
}

bool options_recall(struct options *options, const char *json, struct error *err)
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
        const char *value = json_string_value(json_object_get(object, option->name));

        if (option->is_durable && value && !(options->given & option_bit(option)))
            good = option_assign(options, option, value, option->name, NULL, err);
    }
    json_decref(object);
    return good ? true : error_prefix(err, "remembered options");
}
