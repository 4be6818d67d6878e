#include "osc/base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "osc/base/clock.h"
#include "osc/base/text.h"

enum { LOOK_MS = 50, GRACE_MS = 1000, MOST_LINE = 1000, MOST_LINES = 500 };

/* Its output on the way here. */
struct reading {
    const struct process *process;
    int pipe;
    struct text line;
    unsigned lines;
};

static void give_line(struct reading *reading)
{
    if (reading->lines < MOST_LINES)
        reading->process->on_line(reading->process->owner, reading->line.bytes);
    else if (reading->lines == MOST_LINES)
        reading->process->on_line(reading->process->owner, "(more lines are not shown)");
    reading->lines++;
    text_clear(&reading->line);
}

/* What is there now; false at the end. */
static bool read_some(struct reading *reading)
{
    char buffer[4096];
    const ssize_t n = read(reading->pipe, buffer, sizeof buffer);

    if (n <= 0)
        return n < 0 && (errno == EAGAIN || errno == EINTR);
    for (ssize_t i = 0; i < n; i++) {
        if (buffer[i] == '\n' || reading->line.length >= MOST_LINE)
            give_line(reading);
        if (buffer[i] != '\n')
            text_add_bytes(&reading->line, buffer[i] ? &buffer[i] : "?", 1);
    }
    return true;
}

/* Signals as a program expects to find them, and none of our files: a connection that outlives us
 * in a hook's child would keep the lease. */
static int spawn(const struct process *process, int output, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, usual;
    char *const arguments[] = {(char *)process->path, NULL};

    (void)sigemptyset(&none);
    (void)sigfillset(&usual);
    (void)posix_spawn_file_actions_init(&files);
    (void)posix_spawnattr_init(&attributes);
    (void)posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    (void)posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
    (void)posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);
    (void)posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    (void)posix_spawn_file_actions_addchdir_np(&files, process->directory);
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                    POSIX_SPAWN_SETSIGDEF);
    (void)posix_spawnattr_setpgroup(&attributes, 0);
    (void)posix_spawnattr_setsigmask(&attributes, &none);
    (void)posix_spawnattr_setsigdefault(&attributes, &usual);
    const int code =
        posix_spawn(pid, process->path, &files, &attributes, arguments, process->environment);
    (void)posix_spawn_file_actions_destroy(&files);
    (void)posix_spawnattr_destroy(&attributes);
    return code;
}

/* The group is ours to kill as long as its leader has not been waited for. */
static void end_if_time(const struct process *process, pid_t pid, const struct deadline *until,
                        struct deadline *kill_at, struct process_end *end)
{
    if (end->was_late || end->was_cancelled) {
        if (deadline_passed(kill_at))
            (void)kill(-pid, SIGKILL);
        return;
    }
    end->was_late = deadline_passed(until);
    end->was_cancelled = !end->was_late && process->cancel && cancel_is_set(process->cancel);
    if (end->was_late || end->was_cancelled) {
        (void)kill(-pid, SIGTERM);
        *kill_at = deadline_in_ms(GRACE_MS);
    }
}

static void attend(struct reading *reading, pid_t pid, struct process_end *end)
{
    const struct deadline until = deadline_in_ms(reading->process->limit_ms);
    struct deadline kill_at = until;
    siginfo_t ended = {.si_pid = 0};
    bool is_open = true;

    do {
        struct pollfd pipe = {.fd = is_open ? reading->pipe : -1, .events = POLLIN};
        if (poll(&pipe, 1, LOOK_MS) > 0)
            is_open = read_some(reading);
        end_if_time(reading->process, pid, &until, &kill_at, end);
    } while (waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && !ended.si_pid);
    /* Its children may hold the pipe open for as long as they like: only what is there is read. */
    while (is_open && poll(&(struct pollfd){.fd = reading->pipe, .events = POLLIN}, 1, 0) > 0 &&
           reading->lines <= MOST_LINES)
        is_open = read_some(reading);
    if (end->was_late || end->was_cancelled)
        (void)kill(-pid, SIGKILL); /* those of the group that did not heed the first signal */
}

bool process_run(const struct process *process, struct process_end *end, struct error *err)
{
    int pipes[2], status = 0;
    pid_t pid = 0;

    *end = (struct process_end){.exit_code = 0};
    if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK) != 0)
        return error_set(err, ERROR_SYSTEM, "a pipe: %s", strerror(errno));
    (void)fcntl(pipes[1], F_SETFL, 0); /* its end waits, as programs expect */
    const int code = spawn(process, pipes[1], &pid);
    (void)close(pipes[1]);
    if (code) {
        (void)close(pipes[0]);
        return error_set(err, ERROR_SYSTEM, "%s cannot be run: %s", process->path, strerror(code));
    }
    struct reading reading = {.process = process, .pipe = pipes[0], .line = TEXT_INIT};
    attend(&reading, pid, end);
    if (reading.line.length)
        give_line(&reading);
    text_release(&reading.line);
    (void)close(pipes[0]);
    (void)waitpid(pid, &status, 0); /* at once: it has ended, see attend() */
    end->exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return true;
}
