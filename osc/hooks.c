#include "osc/hooks.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "osc/base/clock.h"
#include "osc/base/log.h"
#include "osc/base/nearest.h"
#include "osc/base/process.h"
#include "osc/base/text.h"

enum { NOT_NOW = 75 };

static const char *const names[] = {
    "before-step",    "after-step",    "throttled", "unthrottled",
    "before-cutover", "after-cutover", "failed",    "done",
};
static_assert(ARRAY_SIZE(names) == HOOK_POINTS, "every point has its name");

struct hooks {
    char *directory;
    uint64_t limit_ms;
    bool there[HOOK_POINTS];
};

const char *hook_name(enum hook_point point)
{
    return names[point];
}

/* ---- what is in the directory ---- */

/* Whoever can write it can run whatever he likes as our user. */
static bool check_safe(const char *path, const struct stat *is, struct error *err)
{
    if (is->st_mode & S_IWOTH) {
        (void)error_set(err, ERROR_REFUSED, "hooks: anybody may write %s", path);
        return error_hint(err, "chmod o-w %s", path);
    }
    if (is->st_uid != 0 && is->st_uid != geteuid()) {
        (void)error_set(err, ERROR_REFUSED, "hooks: %s belongs to another user", path);
        return error_hint(err, "it must be root's or your own");
    }
    return true;
}

static bool check_file(const char *path, struct error *err)
{
    struct stat is;

    if (stat(path, &is) != 0)
        return error_set(err, ERROR_REFUSED, "hooks: %s: %s", path, strerror(errno));
    if (!S_ISREG(is.st_mode))
        return error_set(err, ERROR_REFUSED, "hooks: %s is no file", path);
    if (!check_safe(path, &is, err))
        return false;
    if (access(path, X_OK) == 0)
        return true;
    (void)error_set(err, ERROR_REFUSED, "hooks: %s is not executable", path);
    return error_hint(err, "chmod +x %s, or take it away", path);
}

static enum hook_point point_named(const char *name)
{
    enum hook_point point = 0;

    while (point < HOOK_POINTS && strcmp(names[point], name) != 0)
        point++;
    return point;
}

/* A hook whose name is mistyped would silently never be asked. */
static void tell_unknown(const char *directory, const char *name)
{
    struct nearest nearest = {NULL, 0};

    for (size_t i = 0; i < HOOK_POINTS; i++)
        nearest_consider(&nearest, names[i], name);
    LOG(LOG_WARN, "no such hook", F("directory", directory), F("file", name),
        F("did_you_mean", nearest.word ? nearest.word : ""));
}

static bool look_at(struct hooks *hooks, const char *name, struct error *err)
{
    AUTO(text) path = TEXT_INIT;
    const enum hook_point point = point_named(name);

    text_printf(&path, "%s/%s", hooks->directory, name);
    if (point < HOOK_POINTS) {
        hooks->there[point] = true;
        return check_file(path.bytes, err);
    }
    if (name[0] != '.' && access(path.bytes, X_OK) == 0)
        tell_unknown(hooks->directory, name);
    return true;
}

static bool look_around(struct hooks *hooks, struct error *err)
{
    struct stat is;
    DIR *directory = opendir(hooks->directory);
    bool good = true;

    if (!directory || fstat(dirfd(directory), &is) != 0) {
        (void)error_set(err, ERROR_USAGE, "hooks: %s: %s", hooks->directory, strerror(errno));
        return error_hint(err, "--hooks none does without");
    }
    good = check_safe(hooks->directory, &is, err);
    for (const struct dirent *entry; good && (entry = readdir(directory)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            good = look_at(hooks, entry->d_name, err);
    (void)closedir(directory);
    return good;
}

bool hooks_open(struct hooks **hooks, const char *directory, uint64_t limit_ms, struct error *err)
{
    *hooks = NULL;
    if (!directory)
        return true;
    struct hooks *opened = must_alloc(sizeof *opened);
    opened->directory = must_alloc(strlen(directory) + 1);
    memcpy(opened->directory, directory, strlen(directory));
    opened->limit_ms = limit_ms;
    if (!look_around(opened, err)) {
        hooks_close(opened);
        return false;
    }
    *hooks = opened;
    return true;
}

void hooks_close(struct hooks *hooks)
{
    if (hooks)
        free(hooks->directory);
    free(hooks);
}

bool hooks_have(const struct hooks *hooks, enum hook_point point)
{
    return hooks && hooks->there[point];
}

/* ---- facts ---- */

void hook_fact(struct hook_facts *facts, const char *name, const char *format, ...)
{
    char buffer[2000];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(buffer, sizeof buffer, format, args);
    va_end(args);
    const char *kept = arena_string(facts->arena, buffer);
    for (size_t i = 0; i < facts->n; i++)
        if (strcmp(facts->list[i].name, name) == 0) {
            facts->list[i].value = kept;
            return;
        }
    assert(facts->n < ARRAY_SIZE(facts->list));
    facts->list[facts->n++] = (struct hook_fact){name, kept};
}

/* Ours hold the DSN, the client libraries' a password. */
static bool is_kept(const char *variable)
{
    static const char *const secret[] = {"OSC_", "PGPASSWORD=", "PGSSLPASSWORD=", "MYSQL_PWD="};

    for (size_t i = 0; i < ARRAY_SIZE(secret); i++)
        if (strncmp(variable, secret[i], strlen(secret[i])) == 0)
            return false;
    return true;
}

static char *const *environment(const struct hook_facts *facts, struct arena *arena)
{
    size_t n = 0, count = 0;

    while (environ[n])
        n++;
    char **list = ARENA_ARRAY(arena, char *, n + facts->n + 1);
    for (size_t i = 0; i < n; i++)
        if (is_kept(environ[i]))
            list[count++] = environ[i];
    for (size_t i = 0; i < facts->n; i++)
        list[count++] =
            arena_printf(arena, "OSC_HOOK_%s=%s", facts->list[i].name, facts->list[i].value);
    return list;
}

/* ---- running one ---- */

static void log_output(void *owner, const char *line)
{
    LOG(LOG_INFO, "hook says", F("hook", owner), F("line", line));
}

static enum hook_answer log_end(enum hook_point point, const struct process_end *end,
                                uint64_t took_ms)
{
    if (!end->was_late && !end->was_cancelled && end->exit_code == 0) {
        LOG(LOG_INFO, "hook done", F("hook", names[point]), FU("ms", took_ms));
        return HOOK_YES;
    }
    if (!end->was_late && !end->was_cancelled && end->exit_code == NOT_NOW) {
        LOG(LOG_INFO, "hook says not now", F("hook", names[point]), FU("ms", took_ms));
        return HOOK_NOT_NOW;
    }
    LOG(LOG_WARN, "hook failed", F("hook", names[point]), FU("exit_code", end->exit_code),
        F("because", end->was_late        ? "it took longer than --hook-timeout"
                     : end->was_cancelled ? "the run was stopped"
                                          : "it said so"),
        FU("ms", took_ms));
    return HOOK_NO;
}

enum hook_answer hooks_run(const struct hooks *hooks, enum hook_point point,
                           const struct hook_facts *facts, const struct cancel *cancel)
{
    AUTO(text) path = TEXT_INIT;
    struct error err = ERROR_INIT;
    struct process_end end;
    const uint64_t began = clock_ms();

    if (!hooks_have(hooks, point))
        return HOOK_YES;
    text_printf(&path, "%s/%s", hooks->directory, names[point]);
    struct arena *arena = arena_new();
    const struct process process = {
        .path = path.bytes,
        .directory = hooks->directory,
        .environment = environment(facts, arena),
        .limit_ms = hooks->limit_ms,
        .cancel = cancel,
        .on_line = log_output,
        .owner = (void *)names[point],
    };
    /* Looked at again: days may have passed since. */
    const bool was_run = check_file(path.bytes, &err) && process_run(&process, &end, &err);
    arena_free(arena);
    if (was_run)
        return log_end(point, &end, clock_ms() - began);
    LOG(LOG_WARN, "hook not run", F("hook", names[point]), F("error", err.text));
    return HOOK_NO;
}
