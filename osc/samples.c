#include "osc/samples.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "osc/base/text.h"
#include "osc/db/dialect.h"

enum {
    KEPT_S = 56 * 86400,
    LONGEST_LINE = 500,
    LONGEST_NAME = 150,
    MOST_BYTES = 8 << 20, /* eight weeks of a sample every minute are less */
};

/* ---- where ---- */

static const char *directory(struct arena *arena)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

    if (state && state[0] == '/')
        return arena_printf(arena, "%s/osc/activity", state);
    return home && *home ? arena_printf(arena, "%s/.local/state/osc/activity", home) : NULL;
}

/* The address alone, without user and database: what others do there is the same. */
static char *name_of(const struct dsn *dsn, struct arena *arena)
{
    const char *place = strstr(dsn->shown, "://");
    place = place ? place + 3 : dsn->shown;
    size_t length = strcspn(place, "/?");
    const char *at = memchr(place, '@', length);
    if (at) {
        length -= (size_t)(at + 1 - place);
        place = at + 1;
    }
    if (!length) /* the address stands behind: /shop?host=/run/postgresql */
        length = strlen(place);
    char *name = arena_printf(arena, "%s-%.*s", dsn->dialect->name,
                              (int)(length < LONGEST_NAME ? length : LONGEST_NAME), place);
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
    for (char *c = name; *c; c++)
        if (!strchr(plain, *c))
            *c = '-';
    return name;
}

const char *samples_file(const struct dsn *dsn, struct arena *arena)
{
    const char *where = directory(arena);

    return where ? arena_printf(arena, "%s/%s.jsonl", where, name_of(dsn, arena)) : NULL;
}

static bool make_directories(const char *path, struct error *err)
{
    char part[PATH_MAX];

    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        (void)snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            return error_set(err, ERROR_SYSTEM, "%s cannot be made: %s", part, strerror(errno));
    }
    return true;
}

/* ---- adding ---- */

static void print_line(const struct sample *sample, struct text *line)
{
    json_t *object = json_pack("{s:I, s:f, s:f, s:f}", "at", (json_int_t)sample->at, "seconds",
                               sample->seconds, "work", sample->work, "rows", sample->rows);
    char *bytes = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(6));

    text_printf(line, "%s\n", bytes);
    free(bytes);
    json_decref(object);
}

/* Half a line that somebody left when his disk was full is not to spoil ours. */
static bool ends_a_line(int file)
{
    char last = '\n';
    const off_t size = lseek(file, 0, SEEK_END);

    return size <= 0 || pread(file, &last, 1, size - 1) != 1 || last == '\n';
}

/* In one piece: others may add theirs at the same time. */
static bool write_line(int file, const struct sample *sample)
{
    AUTO(text) line = TEXT_INIT;

    text_add(&line, ends_a_line(file) ? "" : "\n");
    print_line(sample, &line);
    errno = ENOSPC;
    return write(file, line.bytes, line.length) == (ssize_t)line.length;
}

/* What has grown too long becomes the older file, which is read as well, and replaces that. */
static void begin_anew(const char *path)
{
    struct stat is;
    AUTO(text) older = TEXT_INIT;

    text_printf(&older, "%s.1", path);
    if (stat(path, &is) == 0 && is.st_size > MOST_BYTES)
        (void)rename(path, older.bytes);
}

bool samples_add(const char *path, const struct sample *sample, struct error *err)
{
    if (!make_directories(path, err))
        return false;
    begin_anew(path);
    const int file = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
    const bool good = file >= 0 && write_line(file, sample);
    if (!good)
        error_set(err, ERROR_SYSTEM, "%s cannot be written: %s", path, strerror(errno));
    if (file >= 0)
        (void)close(file);
    return good;
}

/* ---- reading ---- */

static bool take_line(const char *line, struct sample *sample)
{
    json_int_t at = 0;
    json_t *object = json_loads(line, 0, NULL);
    const bool good =
        object && json_unpack(object, "{s:I, s:F, s:F, s:F}", "at", &at, "seconds",
                              &sample->seconds, "work", &sample->work, "rows", &sample->rows) == 0;

    json_decref(object);
    sample->at = at;
    return good && at > 0 && sample->seconds > 0 && sample->work >= 0 && sample->rows >= 0;
}

static void keep(struct samples *samples, size_t *room, const struct sample *sample,
                 struct arena *arena)
{
    if (samples->n == *room) {
        struct sample *old = samples->list;
        *room = *room ? *room * 2 : 256;
        samples->list = ARENA_ARRAY(arena, struct sample, *room);
        if (samples->n)
            memcpy(samples->list, old, samples->n * sizeof *old);
    }
    samples->list[samples->n++] = *sample;
}

static int by_time(const void *a, const void *b)
{
    const int64_t left = ((const struct sample *)a)->at, right = ((const struct sample *)b)->at;

    return (left > right) - (left < right);
}

/* No file is no samples. */
static bool load_one(const char *path, int64_t now, struct arena *arena, struct samples *samples,
                     struct error *err)
{
    char line[LONGEST_LINE];
    size_t room = samples->n;
    FILE *file = fopen(path, "re");

    if (!file && errno == ENOENT)
        return true;
    if (!file)
        return error_set(err, ERROR_SYSTEM, "%s cannot be read: %s", path, strerror(errno));
    while (fgets(line, sizeof line, file)) {
        struct sample sample;
        if (!take_line(line, &sample))
            samples->senseless += *line != '\n';
        else if (sample.at > now - KEPT_S && sample.at <= now)
            keep(samples, &room, &sample, arena);
    }
    (void)fclose(file);
    return true;
}

bool samples_load(const char *path, int64_t now, struct arena *arena, struct samples *samples,
                  struct error *err)
{
    *samples = (struct samples){.n = 0};
    if (!load_one(arena_printf(arena, "%s.1", path), now, arena, samples, err) ||
        !load_one(path, now, arena, samples, err))
        return false;
    if (samples->n)
        qsort(samples->list, samples->n, sizeof *samples->list, by_time);
    return true;
}
