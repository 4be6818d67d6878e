#include <string.h>

#include "osc/base/human.h"
#include "osc/command.h"

enum { WIDTH = 88 };

const char command_exit_codes[] =
    "Exit codes:\n"
    "  0  done\n"
    "  1  failed; the table is as it was, the text says what is left and what to do next\n"
    "  2  wrong usage\n"
    "  3  refused by a preflight check; nothing was changed\n"
    "  4  rows differ\n"
    "  5  the outcome is unknown: ask osc status\n"
    "  6  stopped by the operator\n";

static void help_overview(struct text *out)
{
    text_add(out, "osc changes the schema of large, live tables on MySQL, MariaDB and PostgreSQL "
                  "without\nstopping the application.\n\nUsage:\n");
    for (const struct command *const *at = commands; *at; at++)
        text_printf(out, "  osc %-10s %-25s %s\n", (*at)->name, (*at)->arguments, (*at)->summary);
    text_add(out,
             "\nFirst steps:\n"
             "  export OSC_DSN=postgres://admin@db1/shop\n"
             "  osc plan users \"ADD COLUMN phone varchar(20)\"    # changes nothing\n"
             "  osc alter users \"ADD COLUMN phone varchar(20)\"\n\n"
             "osc COMMAND --help explains a command and its options. Every option can be set in "
             "the\nenvironment as well: OSC_THREADS=4 for --threads 4. "
             "ID may be left out where only one\nmigration fits.\n\n");
    text_add(out, command_exit_codes);
}

static void help_one(struct text *out, const struct command *command)
{
    text_printf(out, "Usage: osc %s%s%s%s\n\n", command->name, *command->arguments ? " " : "",
                command->arguments, command->bit == FOR_HELP ? "" : " --dsn URL [options]");
    human_wrap(out, command->text, 0, WIDTH);
    text_add(out, "\n\nOptions [default], also in the environment (OSC_THREADS for --threads):\n");
    options_help(out, command->bit);
    text_printf(out, "\nExample:\n  %s\n\n", command->example);
    text_add(out, command_exit_codes);
}

void command_describe(struct text *out, const struct command *command)
{
    if (command)
        help_one(out, command);
    else
        help_overview(out);
}
