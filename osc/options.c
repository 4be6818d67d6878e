#include "osc/options.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "osc/base/nearest.h"
#include "osc/options_table.h"

static bool set_defaults(struct options *options, struct arena *arena, struct error *err)
{
    *options = (struct options){.dsn = NULL};
    for (size_t i = 0; i < options_count; i++)
        if (options_table[i]->standard &&
            !option_assign(options, options_table[i], options_table[i]->standard,
                           options_table[i]->name, arena, err))
            bug("the default of %s: %s", options_table[i]->name, err->text);
    return true;
}

static const struct option *by_name(const char *name, size_t length)
{
    for (size_t i = 0; i < options_count; i++)
        if (strlen(options_table[i]->name) == length &&
            memcmp(options_table[i]->name, name, length) == 0)
            return options_table[i];
    return NULL;
}

static const struct option *by_letter(char letter)
{
    for (size_t i = 0; i < options_count; i++)
        if (options_table[i]->letter && options_table[i]->letter == letter)
            return options_table[i];
    return NULL;
}

/* Says the name only: a value may hold a password. */
static bool unknown_option(const char *name, size_t length, struct error *err)
{
    struct nearest nearest = {NULL, 0};
    AUTO(text) word = TEXT_INIT;

    text_add_bytes(&word, name, length);
    for (size_t i = 0; i < options_count; i++)
        nearest_consider(&nearest, options_table[i]->name, word.bytes);
    (void)error_set(err, ERROR_USAGE, "there is no option --%s", word.bytes);
    if (nearest.word)
        return error_hint(err, "did you mean --%s?", nearest.word);
    return error_hint(err, "osc COMMAND --help lists the options");
}

/* argv with a place in it. */
struct reader {
    int argc, at;
    char **argv;
};

/* The password must not stay where ps, or whoever reads a core dump's first page, finds it. */
static void blank(char *value)
{
    memset(value, '*', strlen(value));
}

static bool take_value(struct reader *reader, const struct option *option, char *attached,
                       struct options *options, struct arena *arena, struct error *err)
{
    const char *said = arena_printf(arena, "--%s", option->name);
    char *value = attached;

    options->given |= option_bit(option);
    if (option->type == OPT_FLAG && !value) {
        *(bool *)option_place(options, option) = true;
        return true;
    }
    if (!value && reader->at + 1 < reader->argc)
        value = reader->argv[++reader->at];
    if (!value)
        return error_set(err, ERROR_USAGE, "%s needs a value: %s %s", said, said,
                         option->value ? option->value : option->standard);
    const bool good = option_assign(options, option, value, said, arena, err);
    if (option->type == OPT_SECRET)
        blank(value);
    return good;
}

static bool take_long(struct reader *reader, struct options *options, struct arena *arena,
                      struct error *err)
{
    char *name = reader->argv[reader->at] + 2;
    const size_t length = strcspn(name, "=");
    const struct option *option = by_name(name, length);

    if (!option)
        return unknown_option(name, length, err);
    return take_value(reader, option, name[length] ? name + length + 1 : NULL, options, arena, err);
}

/* Letters are flags only, so that -qv is -q -v. */
static bool take_letters(struct reader *reader, struct options *options, struct error *err)
{
    for (const char *letter = reader->argv[reader->at] + 1; *letter; letter++) {
        const struct option *option = by_letter(*letter);
        if (!option) {
            (void)error_set(err, ERROR_USAGE, "there is no option -%c", *letter);
            return error_hint(err, "options are written in full: --threads 4, --json");
        }
        *(bool *)option_place(options, option) = true;
        options->given |= option_bit(option);
    }
    return true;
}

bool options_parse(struct options *options, struct words *words, int argc, char **argv,
                   struct arena *arena, struct error *err)
{
    struct reader reader = {.argc = argc, .at = 1, .argv = argv};
    bool ended = false;

    *words = (struct words){ARENA_ARRAY(arena, const char *, (size_t)argc + 1), 0};
    if (!set_defaults(options, arena, err))
        return false;
    for (; reader.at < argc; reader.at++) {
        char *word = argv[reader.at];
        if (ended || word[0] != '-' || !word[1]) {
            words->list[words->count++] = arena_string(arena, word);
            if (strstr(word, "://")) /* a DSN in the wrong place */
                blank(word);
        } else if (strcmp(word, "--") == 0) {
            ended = true;
        } else if (word[1] == '-') {
            if (!take_long(&reader, options, arena, err))
                return false;
        } else if (!take_letters(&reader, options, err)) {
            return false;
        }
    }
    if (options->quiet && options->verbose)
        return error_set(err, ERROR_USAGE, "--quiet and --verbose exclude each other");
    return true;
}

static const char *environment_name(const struct option *option, struct arena *arena)
{
    char *name = arena_printf(arena, "OSC_%s", option->name);

    for (char *letter = name; *letter; letter++)
        *letter = *letter == '-' ? '_' : (char)toupper((unsigned char)*letter);
    return name;
}

bool options_settle(struct options *options, unsigned command, const char *command_name,
                    struct arena *arena, struct error *err)
{
    for (size_t i = 0; i < options_count; i++) {
        const struct option *option = options_table[i];
        const char *name = environment_name(option, arena);
        char *theirs = getenv(name);
        const char *value = theirs ? arena_string(arena, theirs) : NULL;
        const bool is_taken = (option->commands & command) != 0;

        if (theirs && option->type == OPT_SECRET)
            blank(theirs);

        if (options->given & option_bit(option)) {
            if (is_taken)
                continue;
            (void)error_set(err, ERROR_USAGE, "osc %s has no option --%s", command_name,
                            option->name);
            return error_hint(err, "osc %s --help lists its options", command_name);
        }
        if (!is_taken || !value || !*value)
            continue;
        if (!option_assign(options, option, value, name, arena, err))
            return false;
        options->given |= option_bit(option);
    }
    return true;
}

unsigned options_threads(const struct options *options)
{
    enum { GENTLE = 2 };

    return options->threads ? options->threads : GENTLE;
}
