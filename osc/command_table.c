#include <stddef.h>

#include "osc/command_bodies.h"

static const struct command help = {
    .name = "help",
    .bit = FOR_HELP,
    .least = 0,
    .most = 1,
    .arguments = "[COMMAND]",
    .summary = "explain a command",
    .text = "Lists the commands, or explains one.",
    .example = "osc help alter",
    .run = command_help,
};

const struct command *const commands[] = {
    &help,
    NULL,
};
