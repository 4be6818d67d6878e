#include "osc/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "osc/base/log_line.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* one line at a time */
static struct log_setup setup = {.level = LOG_INFO};
static int log_file = STDERR_FILENO; /* guarded by lock once threads run */
static enum log_place place;
static void (*before_line)(void);
static void (*after_line)(void);
static _Atomic(log_observer *) observer;
static _Thread_local char thread_name[16] = "main";

/*
 * systemd says in JOURNAL_STREAM which file is its journal: our standard error may have been
 * redirected since.  A prefix is all that the journal asks for, and needs no library.
 */
static bool is_journal(int file)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat is;
    unsigned long long device, inode;

    return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && fstat(file, &is) == 0 &&
           is.st_dev == (dev_t)device && is.st_ino == (ino_t)inode;
}

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
}

bool log_open(const struct log_setup *wanted, struct error *err)
{
    setup = *wanted;
    if (setup.file) {
        log_file = open_file(setup.file);
        if (log_file < 0) {
            log_file = STDERR_FILENO;
            return error_set(err, ERROR_USAGE, "log file %s: %s", setup.file, strerror(errno));
        }
    }
    place = setup.file ? LOG_IN_FILE : is_journal(STDERR_FILENO) ? LOG_IN_JOURNAL : LOG_ON_SCREEN;
    return true;
}

bool log_has_file(void)
{
    return setup.file != NULL;
}

bool log_is_all_there_is(void)
{
    return place == LOG_IN_JOURNAL || (place == LOG_ON_SCREEN && setup.as_json);
}

bool log_reopen(void)
{
    if (!setup.file)
        return false;
    const int now = open_file(setup.file);
    if (now < 0) {
        LOG(LOG_WARN, "log not reopened", F("file", setup.file), F("error", strerror(errno)));
        return true;
    }
    pthread_mutex_lock(&lock);
    const int before = log_file;
    log_file = now;
    pthread_mutex_unlock(&lock);
    (void)close(before);
    LOG(LOG_INFO, "log reopened", F("file", setup.file));
    return true;
}

void log_around(void (*before)(void), void (*after)(void))
{
    pthread_mutex_lock(&lock);
    before_line = before;
    after_line = after;
    pthread_mutex_unlock(&lock);
}

void log_observe(log_observer *wanted_observer)
{
    atomic_store(&observer, wanted_observer);
}

void log_thread_name(const char *name)
{
    (void)strncpy(thread_name, name, sizeof thread_name - 1);
}

bool log_wants(enum log_level level)
{
    return level <= setup.level;
}

/* In one call, so that whoever else writes the same file does not come in between. */
static void write_line(const struct text *line)
{
    const char *at = line->bytes;
    size_t left = line->length;

    while (left) {
        const ssize_t n = write(log_file, at, left);
        if (n <= 0)
            return; /* nobody is left to tell */
        at += n;
        left -= (size_t)n;
    }
}

void log_event(enum log_level level, const char *event, const struct log_field *fields)
{
    AUTO(text) line = TEXT_INIT;
    const struct log_entry entry = {
        .level = level,
        .event = event,
        .fields = fields,
        .thread = thread_name,
        .at = time(NULL),
        .place = place,
        .shows_thread = setup.level == LOG_DEBUG,
    };
    log_observer *heard;

    if (level < LOG_DEBUG && (heard = atomic_load(&observer)) != NULL)
        heard(level, event, fields);
    if (!log_wants(level))
        return;
    if (setup.as_json)
        log_line_json(&line, &entry);
    else
        log_line_text(&line, &entry);
    text_add(&line, "\n");
    pthread_mutex_lock(&lock);
    const bool is_screen = place != LOG_IN_FILE;
    if (before_line && is_screen)
        before_line();
    write_line(&line);
    if (after_line && is_screen)
        after_line();
    pthread_mutex_unlock(&lock);
}
