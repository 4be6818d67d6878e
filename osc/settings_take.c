/*
 * The text of a config file, setting by setting.
 */
#include <inttypes.h>
#include <libconfig.h>
#include <string.h>

#include "osc/base/nearest.h"
#include "osc/options_table.h"
#include "osc/settings.h"

/* A file being taken over. */
struct taking {
    const char *at;
    unsigned command;
    struct options *options;
    struct options elsewhere; /* what this command does not take is only checked */
    struct arena *arena;
};

/* What belongs to one call, or decides which files are read. */
static bool is_for_files(const struct option *option)
{
    static const char *const not [] = {"config", "dry-run", "help", "target", "version"};

    for (size_t i = 0; i < ARRAY_SIZE(not ); i++)
        if (strcmp(not [i], option -> name) == 0)
            return false;
    return true;
}

static const char *place_of(const struct taking *taking, const config_setting_t *setting)
{
    return arena_printf(taking->arena, "%s:%u", taking->at, config_setting_source_line(setting));
}

/* Never the value: it may be a mistyped DSN. */
static bool refuse_name(const struct taking *taking, const config_setting_t *setting,
                        struct error *err)
{
    const char *name = config_setting_name(setting);
    struct nearest nearest = {NULL, 0};

    for (size_t i = 0; i < options_count; i++)
        if (is_for_files(options_table[i]))
            nearest_consider(&nearest, options_table[i]->name, name);
    if (option_named(name, strlen(name)))
        (void)error_set(err, ERROR_USAGE, "%s: '%s' cannot be set in a file",
                        place_of(taking, setting), name);
    else
        (void)error_set(err, ERROR_USAGE, "%s: there is no option '%s'", place_of(taking, setting),
                        name);
    if (nearest.word && strcmp(nearest.word, name) != 0)
        return error_hint(err, "did you mean %s?", nearest.word);
    return error_hint(err, "osc config lists the options");
}

/* NULL: of no type that an option has. */
static const char *value_of(const config_setting_t *setting, struct arena *arena)
{
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        return arena_printf(arena, "%lld", (long long)config_setting_get_int64(setting));
    case CONFIG_TYPE_BOOL: return config_setting_get_bool(setting) ? "yes" : "no";
    case CONFIG_TYPE_STRING: return config_setting_get_string(setting);
    case CONFIG_TYPE_FLOAT: return arena_printf(arena, "%g", config_setting_get_float(setting));
    default: return NULL;
    }
}

static bool take_value(struct taking *taking, const struct option *option,
                       const config_setting_t *setting, enum origin from, struct error *err)
{
    const bool is_taken = option_is_taken(option, taking->command);
    struct options *options = is_taken ? taking->options : &taking->elsewhere;
    const char *value = value_of(setting, taking->arena), *place = place_of(taking, setting);
    const size_t row = option_row(option);

    if (!value)
        return error_set(err, ERROR_USAGE, "%s: %s takes one value", place, option->name);
    if (options->said[row].from > from)
        return true;
    if (!option_say(options, option, value, from,
                    arena_printf(taking->arena, "%s: %s", place, option->name), taking->arena, err))
        return false;
    options->said[row].where = place;
    return true;
}

static bool take_setting(struct taking *taking, const config_setting_t *setting, enum origin from,
                         struct error *err)
{
    const char *name = config_setting_name(setting);
    const struct option *option = option_named(name, strlen(name));

    if (!option || !is_for_files(option))
        return refuse_name(taking, setting, err);
    if (option->type != OPT_LIST || !config_setting_is_aggregate(setting))
        return take_value(taking, option, setting, from, err);
    for (unsigned i = 0; i < (unsigned)config_setting_length(setting); i++)
        if (!take_value(taking, option, config_setting_get_elem(setting, i), from, err))
            return false;
    return true;
}

/* What a target says holds over the rest of its file. */
static enum origin of_target(enum origin from)
{
    return from == FROM_SYSTEM_FILE ? FROM_SYSTEM_TARGET : FROM_USER_TARGET;
}

static bool take_group(struct taking *taking, const config_setting_t *group, enum origin from,
                       struct error *err)
{
    const bool is_target = from == FROM_SYSTEM_TARGET || from == FROM_USER_TARGET;

    for (unsigned i = 0; i < (unsigned)config_setting_length(group); i++) {
        const config_setting_t *setting = config_setting_get_elem(group, i);
        if (strcmp(config_setting_name(setting), "targets") == 0 && !is_target)
            continue;
        if (!take_setting(taking, setting, from, err))
            return false;
    }
    return true;
}

/* Those of other targets are only checked, so that a mistake is found before its night comes. */
static bool take_targets(struct taking *taking, const config_setting_t *targets, enum origin from,
                         bool *has_target, struct error *err)
{
    const char *wanted = taking->options->target;

    if (!config_setting_is_group(targets))
        return error_set(err, ERROR_USAGE, "%s: targets is a group of groups: { shop: { … } }",
                         place_of(taking, targets));
    for (unsigned i = 0; i < (unsigned)config_setting_length(targets); i++) {
        const config_setting_t *target = config_setting_get_elem(targets, i);
        const bool is_wanted = wanted && strcmp(config_setting_name(target), wanted) == 0;
        struct taking other = *taking;

        if (!config_setting_is_group(target))
            return error_set(err, ERROR_USAGE, "%s: a target is a group: %s: { … }",
                             place_of(taking, target), config_setting_name(target));
        other.command = is_wanted ? taking->command : 0;
        if (!take_group(&other, target, of_target(from), err))
            return false;
        *has_target |= is_wanted;
    }
    return true;
}

/* Files that are included would be read without the checks that ours gets. */
static bool refuse_include(const char *text, const char *at, struct error *err)
{
    unsigned number = 1;

    for (const char *line = text; *line; number++) {
        if (strncmp(line + strspn(line, " \t\r\f\v"), "@include", 8) == 0)
            return error_set(err, ERROR_USAGE, "%s:%u: @include is not taken here", at, number);
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    return true;
}

bool settings_take(const char *text, const char *at, enum origin from, unsigned command,
                   struct options *options, bool *has_target, struct arena *arena,
                   struct error *err)
{
    config_t config;
    struct taking taking = {.at = at, .command = command, .options = options, .arena = arena};

    *has_target = false;
    if (!refuse_include(text, at, err))
        return false;
    config_init(&config);
    bool good = config_read_string(&config, text) == CONFIG_TRUE;
    if (!good)
        (void)error_set(err, ERROR_USAGE, "%s:%d: %s", at, config_error_line(&config),
                        config_error_text(&config));
    const config_setting_t *root = good ? config_root_setting(&config) : NULL;
    const config_setting_t *targets = good ? config_lookup(&config, "targets") : NULL;
    good = good && take_group(&taking, root, from, err) &&
           (!targets || take_targets(&taking, targets, from, has_target, err));
    config_destroy(&config);
    return good;
}
