#include "osc/command.h"

#include <stdio.h>
#include <string.h>

#include "osc/base/log.h"
#include "osc/base/nearest.h"
#include "osc/base/text.h"
#include "osc/command_bodies.h"
#include "osc/db/dsn.h"
#include "osc/db/server.h"
#include "osc/manual.h"
#include "osc/output.h"

const struct command *command_find(const char *name, struct error *err)
{
    struct nearest nearest = {NULL, 0};

    for (const struct command *const *at = commands; *at; at++) {
        const struct command *command = *at;
        if (strcmp(command->name, name) == 0)
            return command;
        nearest_consider(&nearest, command->name, name);
    }
    (void)error_set(err, ERROR_USAGE, "there is no command '%s'", name);
    if (nearest.word)
        (void)error_hint(err, "did you mean osc %s?", nearest.word);
    else
        (void)error_hint(err, "osc help lists the commands");
    return NULL;
}

static bool check_words(const struct run *run, struct error *err)
{
    const struct command *command = run->command;

    if (run->words.count >= command->least && run->words.count <= command->most)
        return true;
    if (run->words.count < command->least)
        (void)error_set(err, ERROR_USAGE, "osc %s needs %s", command->name, command->arguments);
    else if (command->most)
        (void)error_set(err, ERROR_USAGE, "osc %s takes only %s", command->name,
                        command->arguments);
    else
        (void)error_set(err, ERROR_USAGE, "osc %s takes no arguments", command->name);
    return error_hint(err, "osc %s --help shows an example", command->name);
}

static bool check_no_dsn(const struct words *words, struct error *err)
{
    for (size_t i = 0; i < words->count; i++)
        if (dsn_looks_like(words->list[i])) {
            (void)error_set(err, ERROR_USAGE, "a DSN stands where none is expected");
            return error_hint(err, "it goes behind --dsn, or into OSC_DSN");
        }
    return true;
}

bool command_parse(struct run *run, int argc, char **argv, struct error *err)
{
    const char *name = "help";

    if (!options_parse(&run->options, &run->words, argc, argv, run->arena, err) ||
        !check_no_dsn(&run->words, err))
        return false;
    if (run->options.version)
        return true;
    if (run->words.count) {
        name = run->words.list[0];
        run->words.list++;
        run->words.count--;
    } else if (!run->options.help) {
        (void)error_set(err, ERROR_USAGE, "which command?");
        return error_hint(err, "osc help lists the commands");
    }
    run->command = command_find(name, err);
    if (!run->command)
        return false;
    if (run->options.help)
        return true;
    return options_settle(&run->options, run->command->bit, name, run->arena, err) &&
           (run->command->bit & (FOR_HELP | FOR_COMPLETION) ||
            settings_read(&run->settings, &run->options, run->command->bit, run->arena, err)) &&
           check_words(run, err);
}

bool command_help(struct run *run, struct error *err)
{
    const struct command *command = run->options.help ? run->command : NULL;
    AUTO(text) out = TEXT_INIT;

    if (run->words.count && !run->options.help) {
        if (strcmp(run->words.list[0], "man") == 0) {
            manual_page(&out);
            return output_text(&out, err);
        }
        command = command_find(run->words.list[0], err);
        if (!command)
            return false;
    }
    command_describe(&out, command && command->bit != FOR_HELP ? command : NULL);
    return output_text(&out, err);
}

bool command_completion(struct run *run, struct error *err)
{
    static const struct {
        const char *shell;
        void (*write)(struct text *out);
    } shells[] = {
        {"bash", manual_bash},
        {"zsh",  manual_zsh }
    };
    AUTO(text) out = TEXT_INIT;

    for (size_t i = 0; i < ARRAY_SIZE(shells); i++)
        if (strcmp(shells[i].shell, run->words.list[0]) == 0) {
            shells[i].write(&out);
            return output_text(&out, err);
        }
    return error_set(err, ERROR_USAGE, "there is completion for bash and zsh, not for '%s'",
                     run->words.list[0]);
}

static bool print_version(struct error *err)
{
    AUTO(text) out = TEXT_INIT;

    text_printf(&out, "osc %s\n", OSC_VERSION);
    server_libraries(&out);
    return output_text(&out, err);
}

bool command_run(struct run *run, struct error *err)
{
    if (run->options.version)
        return print_version(err);
    if (run->options.help)
        return command_help(run, err);
    if (run->settings.concern)
        LOG(LOG_WARN, "config file", FS(run->settings.concern));
    if (run->command->run(run, err))
        return true;
    /* Nothing was begun: what the server lacks or denies is a wrong request, not a failure. */
    if (!run->id && (err->kind == ERROR_MISSING || err->kind == ERROR_DENIED))
        err->kind = ERROR_REFUSED;
    return false;
}

static void report_text(const struct error *err)
{
    (void)fprintf(stderr, "osc: %s\n", err->text);
    if (err->hint[0])
        (void)fprintf(stderr, "next: %s\n", err->hint);
}

static void report_json(const struct error *err)
{
    struct error ignored = ERROR_INIT;

    /* Nobody is left to tell when even this cannot be written. */
    (void)!output_json(json_pack("{s:s, s:s, s:i, s:o, s:o}", "event", "failed", "kind",
                                 error_kind_name(err->kind), "exit_code",
                                 error_exit_code(err->kind), "error", output_string(err->text),
                                 "next", output_string(err->hint)),
                       &ignored);
}

void command_report(const struct run *run, const struct error *err)
{
    if (log_has_file() || log_is_all_there_is())
        LOG(LOG_ERROR, "failed", F("kind", error_kind_name(err->kind)),
            FU("exit_code", error_exit_code(err->kind)), F("error", err->text),
            F("next", err->hint));
    if (run->options.json)
        report_json(err);
    else if (!log_is_all_there_is())
        report_text(err);
}
