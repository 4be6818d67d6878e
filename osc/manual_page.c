#include <string.h>

#include "osc/manual.h"

/* A minus is one that can be copied, and no line begins with what would be a request. */
static void add(struct text *out, const char *words)
{
    static const char dots[] = "…"; /* all there is beyond ASCII; not every device has it */

    for (const char *at = words; *at;) {
        const bool is_dots = strncmp(at, dots, sizeof dots - 1) == 0;
        const char *escape = *at == '\\'   ? "\\e"
                             : *at == '-'  ? "\\-"
                             : *at == '\'' ? "\\(aq"
                             : is_dots     ? "..."
                                           : NULL;
        if (escape)
            text_add(out, escape);
        else
            text_add_bytes(out, at, 1);
        at += is_dots ? sizeof dots - 1 : 1;
        /* Otherwise ~/.config at the begin of a line after a wrapped blank would be one. */
        if (*at == '.' && (at[-1] == ' ' || at[-1] == '\n'))
            text_add(out, "\\&");
    }
}

static void add_paragraph(struct text *out, const char *words)
{
    text_add(out, ".PP\n");
    add(out, words);
    text_add(out, "\n");
}

static void add_example(struct text *out, const char *words)
{
    text_add(out, ".PP\n.RS 4\n.nf\n");
    add(out, words);
    text_add(out, "\n.fi\n.RE\n");
}

static void add_command(struct text *out, const struct command *command)
{
    text_printf(out, ".SS \"osc %s%s", command->name, *command->arguments ? " " : "");
    for (const char *at = command->arguments; *at; at++)
        if (*at == '"')
            text_add(out, "\\(dq");
        else
            text_add_bytes(out, at, 1);
    text_add(out, "\"\n");
    add(out, command->text);
    text_add(out, "\n");
    add_example(out, command->example);
}

static void add_option(struct text *out, const struct option *option)
{
    AUTO(text) choices = TEXT_INIT;
    AUTO(text) words = TEXT_INIT;
    const char *comma = "";

    text_add(out, ".TP\n");
    if (option->letter)
        text_printf(out, "\\fB\\-%c\\fR, ", option->letter);
    text_add(out, "\\fB");
    add(out, "--");
    add(out, option->name);
    text_add(out, "\\fR");
    if (option->choices) {
        option_choices(&choices, option);
        text_add(out, "=");
        add(out, choices.bytes);
    } else if (option->value) {
        text_printf(out, " \\fI%s\\fR", option->value);
    }
    text_add(out, "\n");
    option_explain(&words, option);
    add(out, words.bytes);
    if (option->standard) {
        text_add(out, " Default: ");
        add(out, option->standard);
        text_add(out, ".");
    }
    text_add(out, " (");
    for (const struct command *const *at = commands; *at; at++)
        if (option->commands & (*at)->bit) {
            text_printf(out, "%s%s", comma, (*at)->name);
            comma = ", ";
        }
    text_add(out, ")\n");
}

static void add_files(struct text *out)
{
    static const struct {
        const char *name, *words;
    } rows[] = {
        {"/etc/osc/osc.conf",      "options for everybody"                                 },
        {"~/.config/osc/osc.conf", "the operator's own options; $XDG_CONFIG_HOME is heeded"},
        {"~/.my.cnf",              "passwords, as the MySQL and MariaDB clients read it"   },
        {"~/.pgpass",              "passwords, as libpq reads it"                          },
    };

    text_add(out, ".SH FILES\n");
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        text_add(out, ".TP\n\\fI");
        add(out, rows[i].name);
        text_add(out, "\\fR\n");
        add(out, rows[i].words);
        text_add(out, "\n");
    }
}

void manual_page(struct text *out)
{
    text_add(out, ".\\\" Made by: osc help man\n.TH OSC 1 \"\" \"osc " OSC_VERSION "\"\n"
                  ".SH NAME\nosc \\- change the schema of a large, live table\n"
                  ".SH SYNOPSIS\n");
    for (const struct command *const *at = commands; *at; at++) {
        text_printf(out, "%s\\fBosc %s\\fR%s", at == commands ? "" : ".br\n", (*at)->name,
                    *(*at)->arguments ? " " : "");
        add(out, (*at)->arguments);
        text_add(out, " [\\fIoptions\\fR]\n");
    }
    text_add(out, ".SH DESCRIPTION\n");
    add(out, "osc changes a table of MySQL, MariaDB or PostgreSQL while the application goes on "
             "reading and writing it. It builds a second table with the new schema, captures every "
             "write by trigger, copies the rows, proves both tables equal, and swaps them. It can "
             "be stopped and resumed at any time, from any host: all state is in the database.");
    text_add(out, "\n.SH COMMANDS\n");
    for (const struct command *const *at = commands; *at; at++)
        add_command(out, *at);
    text_add(out, ".SH OPTIONS\n");
    add(out, "In braces: the commands that take an option.");
    text_add(out, "\n");
    for (size_t i = 0; i < options_count; i++)
        add_option(out, options_table[i]);
    text_add(out, ".SH ENVIRONMENT\n");
    add(out, "Every option can be set in the environment: OSC_CHUNK_TIME for --chunk-time. A list "
             "has blanks between its values.");
    text_add(out, "\n");
    add_paragraph(out, "Hooks are given OSC_HOOK_POINT, OSC_HOOK_ID, OSC_HOOK_SCHEMA, "
                       "OSC_HOOK_TABLE, OSC_HOOK_STEP and more.");
    add_files(out);
    text_add(out, ".SH EXIT STATUS\n.nf\n");
    add(out, strchr(command_exit_codes, '\n') + 1);
    text_add(out, ".fi\n");
}
