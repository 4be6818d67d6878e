#include <stdlib.h>

#include "osc/base/columns.h"
#include "osc/command_bodies.h"
#include "osc/options_table.h"
#include "osc/output.h"

/* By enum origin. */
static const char *const origins[] = {
    "default", "file", "target", "file", "target", "migration", "environment", "command line",
};
static_assert(ARRAY_SIZE(origins) == FROM_COMMAND_LINE + 1, "every origin has its name");

/* Options that say something of a migration, not of this call. */
static bool is_shown(const struct option *option)
{
    return option->commands != FOR_ALL && option->commands != FOR_HELP;
}

static const char *origin_of(const struct options *options, size_t row)
{
    const char *where = options->said[row].where;

    return where ? where : origins[options->said[row].from];
}

static bool print_json(const struct run *run, struct error *err)
{
    json_t *files = json_array(), *options = json_array();

    for (size_t i = 0; i < run->settings.n; i++)
        json_array_append_new(files, json_pack("{s:o, s:b}", "path",
                                               output_string(run->settings.files[i].path),
                                               "is_there", run->settings.files[i].is_there));
    for (size_t i = 0; i < options_count; i++) {
        AUTO(text) value = TEXT_INIT;
        if (!is_shown(options_table[i]))
            continue;
        option_print(&run->options, options_table[i], &value);
        json_array_append_new(options,
                              json_pack("{s:s, s:o, s:s, s:o}", "name", options_table[i]->name,
                                        "value", output_string(value.bytes), "from",
                                        origins[run->options.said[i].from], "where",
                                        output_string(run->options.said[i].where)));
    }
    return output_json(json_pack("{s:o, s:o}", "files", files, "options", options), err);
}

bool command_config(struct run *run, struct error *err)
{
    static const char *const heading[] = {"OPTION", "VALUE", "FROM"};
    struct columns columns;
    AUTO(text) out = TEXT_INIT;

    if (run->options.json)
        return print_json(run, err);
    for (size_t i = 0; i < run->settings.n; i++)
        text_printf(&out, "%s: %s\n", run->settings.files[i].path,
                    run->settings.files[i].is_there ? "read" : "not there");
    text_add(&out, "\n");
    columns_start(&columns, run->arena, ARRAY_SIZE(heading), heading);
    for (size_t i = 0; i < options_count; i++) {
        AUTO(text) value = TEXT_INIT;
        if (!is_shown(options_table[i]))
            continue;
        option_print(&run->options, options_table[i], &value);
        columns_row(&columns,
                    (const char *[]){options_table[i]->name, arena_string(run->arena, value.bytes),
                                     origin_of(&run->options, i)},
                    "");
    }
    columns_print(&columns, &out);
    return output_text(&out, err);
}
