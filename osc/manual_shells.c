/*
 * Completions: commands, the options of each, the words of a choice, files.
 */
#include <string.h>

#include "osc/manual.h"

void manual_gist(struct text *out, const char *help)
{
    const char *end = strstr(help, ". ");
    const size_t length = end ? (size_t)(end - help) : strlen(help);

    text_add_bytes(out, help, length && help[length - 1] == '.' ? length - 1 : length);
}

static bool takes_value(const struct option *option)
{
    return option->type != OPT_FLAG;
}

/* ---- bash ---- */

static void add_names(struct text *out, const char *lead)
{
    for (const struct command *const *at = commands; *at; at++) {
        text_printf(out, "%s%s", lead, (*at)->name);
        lead = " ";
    }
}

static void add_bash_value(struct text *out, const struct option *option)
{
    text_printf(out, "    --%s)", option->name);
    if (option->choices) {
        text_add(out, " COMPREPLY=($(compgen -W '");
        for (size_t i = 0; option->choices[i]; i++)
            text_printf(out, "%s%s", i ? " " : "", option->choices[i]);
        text_add(out, "' -- \"$cur\"));");
    } else if (option->type == OPT_PATH) {
        text_add(out, " compopt -o filenames; COMPREPLY=($(compgen -f -- \"$cur\"));");
    }
    text_add(out, " return ;;\n");
}

static void add_bash_options(struct text *out, const struct command *command)
{
    const char *lead = "";

    text_printf(out, "    %s) options='", command->name);
    for (size_t i = 0; i < options_count; i++)
        if (options_table[i]->commands & command->bit) {
            text_printf(out, "%s--%s%s", lead, options_table[i]->name,
                        options_table[i]->choices ? "=" : "");
            lead = " ";
        }
    text_add(out, "' ;;\n");
}

/* A value behind "=" is a word of its own to bash. */
static const char bash_head[] =
    "# bash completion for osc; made by: osc completion bash\n"
    "_osc() {\n"
    "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= options= i\n"
    "  COMPREPLY=()\n"
    "  if [[ $cur == = ]]; then cur=\n"
    "  elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
    "  case $prev in\n";

static const char bash_words[] =
    "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "    case ${COMP_WORDS[i]} in\n"
    "    -*|=) ;;\n"
    "    *) [[ ${COMP_WORDS[i-1]} == = || \" $valued \" == *\" ${COMP_WORDS[i-1]} \"* ]] ||\n"
    "         { command=${COMP_WORDS[i]}; break; } ;;\n"
    "    esac\n"
    "  done\n"
    "  case $command in\n";

static const char bash_tail[] =
    "  esac\n"
    "  if [[ $cur == -* ]]; then\n"
    "    COMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
    "    [[ ${#COMPREPLY[@]} != 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace\n"
    "  elif [[ -z $command || $command == help ]]; then\n"
    "    COMPREPLY=($(compgen -W \"$commands\" -- \"$cur\"))\n"
    "  elif [[ $command == completion ]]; then\n"
    "    COMPREPLY=($(compgen -W 'bash zsh' -- \"$cur\"))\n"
    "  fi\n"
    "}\n"
    "complete -F _osc osc\n";

void manual_bash(struct text *out)
{
    text_add(out, bash_head);
    for (size_t i = 0; i < options_count; i++)
        if (takes_value(options_table[i]))
            add_bash_value(out, options_table[i]);
    text_add(out, "  esac\n  local valued='");
    for (size_t i = 0; i < options_count; i++)
        if (takes_value(options_table[i]))
            text_printf(out, " --%s", options_table[i]->name);
    text_add(out, "' commands='");
    add_names(out, "");
    text_add(out, "'\n");
    text_add(out, bash_words);
    for (const struct command *const *at = commands; *at; at++)
        add_bash_options(out, *at);
    text_add(out, "    '') options='--help --version' ;;\n");
    text_add(out, bash_tail);
}

/* ---- zsh ---- */

/* Within single quotes of an _arguments specification. */
static void add_zsh(struct text *out, const char *words)
{
    for (; *words; words++)
        if (*words == '\'')
            text_add(out, "'\\''");
        else
            text_printf(out, "%s%c", strchr("[]:\\", *words) ? "\\" : "", *words);
}

static void add_zsh_option(struct text *out, const struct option *option)
{
    AUTO(text) gist = TEXT_INIT;

    manual_gist(&gist, option->help);
    text_printf(out, " \\\n        '%s--%s%s[", option->type == OPT_LIST ? "*" : "", option->name,
                takes_value(option) ? "=" : "");
    add_zsh(out, gist.bytes);
    text_add(out, "]");
    if (takes_value(option))
        text_printf(out, ":%s:", option->value ? option->value : "word");
    if (option->choices) {
        text_add(out, "(");
        for (size_t i = 0; option->choices[i]; i++)
            text_printf(out, "%s%s", i ? " " : "", option->choices[i]);
        text_add(out, ")");
    } else if (option->type == OPT_PATH) {
        text_add(out, "_files");
    }
    text_add(out, "'");
}

static void add_zsh_command(struct text *out, const struct command *command)
{
    text_printf(out, "    %s)\n      _arguments", command->name);
    for (size_t i = 0; i < options_count; i++)
        if (options_table[i]->commands & command->bit)
            add_zsh_option(out, options_table[i]);
    if (command->bit == FOR_HELP)
        text_add(out, " \\\n        '1:command:{_describe command commands}'");
    else if (command->bit == FOR_COMPLETION)
        text_add(out, " \\\n        '1:shell:(bash zsh)'");
    else if (command->most)
        text_add(out, " \\\n        '*:argument:'");
    text_add(out, " ;;\n");
}

void manual_zsh(struct text *out)
{
    text_add(out, "#compdef osc\n# made by: osc completion zsh\n"
                  "_osc() {\n  local -a commands=(\n");
    for (const struct command *const *at = commands; *at; at++) {
        text_printf(out, "    '%s:", (*at)->name);
        add_zsh(out, (*at)->summary);
        text_add(out, "'\n");
    }
    text_add(out, "  )\n  local context state line curcontext=$curcontext\n"
                  "  _arguments -C '1:command:->command' '*::argument:->argument'\n"
                  "  case $state in\n"
                  "  command) _describe command commands ;;\n"
                  "  argument)\n    case $words[1] in\n");
    for (const struct command *const *at = commands; *at; at++)
        add_zsh_command(out, *at);
    text_add(out, "    esac ;;\n  esac\n}\n_osc \"$@\"\n");
}
