#include "osc/options.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "osc/base/nearest.h"
#include "osc/options_table.h"

static void set_defaults(struct options *options, struct arena *arena)
{
    struct error err = ERROR_INIT;

    *options = (struct options){.dsn = NULL};
    for (size_t i = 0; i < options_count; i++)
        if (options_table[i]->standard &&
            !option_assign(options, options_table[i], options_table[i]->standard,
                           options_table[i]->name, arena, &err))
            bug("the default of %s: %s", options_table[i]->name, err.text);
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

    if (option->type == OPT_FLAG && !value)
        return option_say(options, option, "yes", FROM_COMMAND_LINE, said, arena, err);
    if (!value && reader->at + 1 < reader->argc)
        value = reader->argv[++reader->at];
    if (!value)
        return error_set(err, ERROR_USAGE, "%s needs a value: %s %s", said, said,
                         option->value ? option->value : option->standard);
    const bool good = option_say(options, option, value, FROM_COMMAND_LINE, said, arena, err);
    if (option->is_secret)
        blank(value);
    return good;
}

static bool take_long(struct reader *reader, struct options *options, struct arena *arena,
                      struct error *err)
{
    char *name = reader->argv[reader->at] + 2;
    const size_t length = strcspn(name, "=");
    const struct option *option = option_named(name, length);

    if (!option)
        return unknown_option(name, length, err);
    return take_value(reader, option, name[length] ? name + length + 1 : NULL, options, arena, err);
}

/* Letters are flags only, so that -qv is -q -v. */
static bool take_letters(struct reader *reader, struct options *options, struct arena *arena,
                         struct error *err)
{
    bool good = true;

    for (const char *letter = reader->argv[reader->at] + 1; good && *letter; letter++) {
        const struct option *option = by_letter(*letter);
        if (!option) {
            (void)error_set(err, ERROR_USAGE, "there is no option -%c", *letter);
            return error_hint(err, "options are written in full: --threads 4, --json");
        }
        good = option_say(options, option, "yes", FROM_COMMAND_LINE, option->name, arena, err);
    }
    return good;
}

bool options_parse(struct options *options, struct words *words, int argc, char **argv,
                   struct arena *arena, struct error *err)
{
    struct reader reader = {.argc = argc, .at = 1, .argv = argv};
    bool ended = false;

    *words = (struct words){ARENA_ARRAY(arena, const char *, (size_t)argc + 1), 0};
    set_defaults(options, arena);
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
        } else if (!take_letters(&reader, options, arena, err)) {
            return false;
        }
    }
    if (options->quiet && options->verbose)
        return error_set(err, ERROR_USAGE, "--quiet and --verbose exclude each other");
    return true;
}

/* What the environment says of it; the elements of a list stand with white space between them. */
static bool take_variable(struct options *options, const struct option *option, char *value,
                          const char *name, struct arena *arena, struct error *err)
{
    if (option->type != OPT_LIST)
        return option_say(options, option, value, FROM_ENVIRONMENT, name, arena, err);
    for (char *rest = NULL, *word = strtok_r(value, " \t\n", &rest); word;
         word = strtok_r(NULL, " \t\n", &rest))
        if (!option_say(options, option, word, FROM_ENVIRONMENT, name, arena, err))
            return false;
    return true;
}

bool options_settle(struct options *options, unsigned command, const char *command_name,
                    struct arena *arena, struct error *err)
{
    for (size_t i = 0; i < options_count; i++) {
        const struct option *option = options_table[i];
        const char *name = option_variable(option, arena);
        char *theirs = getenv(name);
        char *value = arena_string(arena, theirs);
        const bool is_taken = option_is_taken(option, command);

        if (theirs && option->is_secret)
            blank(theirs);

        if (options->said[i].from == FROM_COMMAND_LINE && !is_taken) {
            (void)error_set(err, ERROR_USAGE, "osc %s has no option --%s", command_name,
                            option->name);
            return error_hint(err, "osc %s --help lists its options", command_name);
        }
        if (!is_taken || !value || !*value)
            continue;
        if (!take_variable(options, option, value, name, arena, err))
            return false;
    }
    return true;
}

struct log_setup options_log(const struct options *options)
{
    const enum log_level usual = options->quiet     ? LOG_WARN
                                 : options->verbose ? LOG_DEBUG
                                                    : LOG_INFO;

    return (struct log_setup){
        .level = options->log_level ? (enum log_level)(options->log_level - 1) : usual,
        .as_json = options->log_format == LOG_FORMAT_AUTO ? options->json
                                                          : options->log_format == LOG_FORMAT_JSON,
        .file = options->log_file,
    };
}

void options_forget_origins(struct options *options)
{
    memset(options->said, 0, sizeof options->said);
}

bool options_set(struct options *options, const char *assignment, struct arena *arena,
                 struct error *err)
{
    const size_t length = strcspn(assignment, "=");
    const struct option *option = option_named(assignment, length);

    if (!option)
        return unknown_option(assignment, length, err);
    if (!option->is_settable) {
        (void)error_set(err, ERROR_USAGE, "%s cannot be changed while a migration runs",
                        option->name);
        return error_hint(err, "osc set --help says what can");
    }
    if (!assignment[length])
        return error_set(err, ERROR_USAGE, "%s needs a value: %s=%s", option->name, option->name,
                         option->standard ? option->standard : option->value);
    return option_assign(options, option, assignment + length + 1, option->name, arena, err);
}

unsigned options_threads(const struct options *options)
{
    enum { GENTLE = 2 };

    return options->threads ? options->threads : GENTLE;
}
