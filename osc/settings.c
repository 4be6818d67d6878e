#include "osc/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "osc/base/text.h"
#include "osc/options_table.h"

#define SYSTEM_FILE "/etc/osc/osc.conf"

enum { MOST_BYTES = 1 << 20 };

/* ---- where they are ---- */

static const char *users_file(struct arena *arena)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

    if (config && config[0] == '/')
        return arena_printf(arena, "%s/osc/osc.conf", config);
    return home && *home ? arena_printf(arena, "%s/.config/osc/osc.conf", home) : NULL;
}

static void find_files(struct settings *settings, const struct options *options,
                       struct arena *arena)
{
    const char *users = users_file(arena);

    if (options->config) {
        settings->files[settings->n++].path = options->config;
        return;
    }
    settings->files[settings->n++].path = SYSTEM_FILE;
    if (users)
        settings->files[settings->n++].path = users;
}

/* ---- reading one ---- */

static bool check_mode(const char *path, const struct stat *is, struct error *err)
{
    if (S_ISDIR(is->st_mode))
        return error_set(err, ERROR_USAGE, "%s is a directory", path);
    if (!S_ISREG(is->st_mode) || !(is->st_mode & S_IWOTH))
        return true;
    /* It names programs that are run as us. */
    (void)error_set(err, ERROR_USAGE, "anybody may write %s", path);
    return error_hint(err, "chmod o-w %s", path);
}

static bool read_all(int file, const char *path, struct text *all, struct error *err)
{
    char buffer[4096];
    ssize_t n;

    while ((n = read(file, buffer, sizeof buffer)) > 0 && all->length < MOST_BYTES)
        text_add_bytes(all, buffer, (size_t)n);
    if (n < 0)
        return error_set(err, ERROR_USAGE, "%s: %s", path, strerror(errno));
    if (all->length >= MOST_BYTES)
        return error_set(err, ERROR_USAGE, "%s is too long for a config file", path);
    if (strlen(all->bytes) != all->length)
        return error_set(err, ERROR_USAGE, "%s is no text", path);
    return true;
}

/* Whether it may be missing depends on who named it. */
static bool load(struct settings_file *file, bool is_wanted, struct text *all, bool *is_public,
                 struct error *err)
{
    struct stat is;
    const int opened = open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (opened < 0 && (errno == ENOENT || errno == ENOTDIR) && !is_wanted)
        return true;
    if (opened < 0 || fstat(opened, &is) != 0)
        return error_set(err, ERROR_USAGE, "%s: %s", file->path, strerror(errno));
    file->is_there = true;
    *is_public = S_ISREG(is.st_mode) && (is.st_mode & S_IROTH);
    const bool good = check_mode(file->path, &is, err) && read_all(opened, file->path, all, err);
    (void)close(opened);
    return good;
}

/* ---- secrets that anybody may read ---- */

/* user:password@ before the path. */
static bool has_password(const char *url)
{
    const char *user = strstr(url, "://");
    const char *at = user ? strchr(user + 3, '@') : NULL;
    const char *colon = user ? strchr(user + 3, ':') : NULL;

    return (at && colon && colon < at) || strstr(url, "password=");
}

static bool holds_secret(const struct options *options, const struct option *option)
{
    const void *value = option_value(options, option);

    if (!option->is_secret)
        return false;
    if (option->type == OPT_TEXT)
        return *(const char *const *)value && has_password(*(const char *const *)value);
    const struct words *words = value;
    for (size_t i = 0; i < words->count; i++)
        if (has_password(words->list[i]))
            return true;
    return false;
}

static void look_for_secrets(struct settings *settings, const struct options *options,
                             const char *path, struct arena *arena)
{
    for (size_t i = 0; i < options_count; i++) {
        const char *where = options->said[i].where;
        if (where && strncmp(where, path, strlen(path)) == 0 &&
            holds_secret(options, options_table[i]))
            settings->concern =
                arena_printf(arena, "%s holds a password and anybody may read it: chmod 600", path);
    }
}

static bool refuse_target(const struct settings *settings, const struct options *options,
                          struct error *err)
{
    (void)error_set(err, ERROR_USAGE, "no config file has a target '%s'", options->target);
    for (size_t i = 0; i < settings->n; i++)
        if (settings->files[i].is_there)
            return error_hint(err, "in %s: targets: { %s: { dsn = \"…\" } }",
                              settings->files[i].path, options->target);
    return error_hint(err, "osc config --help says where it looks for them");
}

bool settings_read(struct settings *settings, struct options *options, unsigned command,
                   struct arena *arena, struct error *err)
{
    bool found_target = options->target == NULL;

    *settings = (struct settings){.n = 0};
    find_files(settings, options, arena);
    for (size_t i = 0; i < settings->n; i++) {
        struct settings_file *file = &settings->files[i];
        const enum origin from = i + 1 < settings->n ? FROM_SYSTEM_FILE : FROM_USER_FILE;
        bool is_public = false, has_target = false;
        AUTO(text) all = TEXT_INIT;

        if (!load(file, options->config != NULL, &all, &is_public, err) ||
            !settings_take(all.bytes, file->path, from, command, options, &has_target, arena, err))
            return false;
        found_target |= has_target;
        if (is_public)
            look_for_secrets(settings, options, file->path, arena);
    }
    return found_target || refuse_target(settings, options, err);
}
