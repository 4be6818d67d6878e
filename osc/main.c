/*
 * osc: read the command line, carry out one command, say how it ended.
 */
#include <stdlib.h>

#include "osc/base/log.h"
#include "osc/base/signals.h"
#include "osc/command.h"

int main(int argc, char **argv)
{
    struct error err = ERROR_INIT;
    struct run run = {.arena = arena_new(), .cancel = cancel_new(NULL)};

    if (command_parse(&run, argc, argv, &err)) {
        const struct log_setup log = options_log(&run.options);
        if (log_open(&log, &err) && signals_start(run.cancel, &err) && command_run(&run, &err))
            error_clear(&err);
        else if (err.kind == ERROR_NONE) /* never to be taken for a success */
            bug("%s failed without a reason", run.command->name);
        signals_stop();
    }
    if (err.kind != ERROR_NONE)
        command_report(&run, &err);
    const int code = error_exit_code(err.kind);
    cancel_free(run.cancel);
    arena_free(run.arena);
    return code;
}
