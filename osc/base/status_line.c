#include "osc/base/status_line.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "osc/base/human.h"
#include "osc/base/log.h"
#include "osc/base/text.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* taken after that of the log */
static struct text shown GUARDED_BY(lock) = TEXT_INIT;

bool status_line_possible(void)
{
    const char *term = getenv("TERM");

    return isatty(STDERR_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

bool status_line_is_unicode(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

    const char *locale = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(names) && (!locale || !*locale); i++)
        locale = getenv(names[i]);
    return locale && (strcasestr(locale, "UTF-8") || strcasestr(locale, "UTF8"));
}

static struct winsize size_of_terminal(void)
{
    struct winsize size = {.ws_col = 0};

    (void)ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
    return size;
}

unsigned status_line_columns(void)
{
    const unsigned columns = size_of_terminal().ws_col;

    return columns ? columns : 80;
}

unsigned status_line_rows(void)
{
    const unsigned rows = size_of_terminal().ws_row;

    return rows ? rows : 24;
}

/* A terminal that was made narrower has wrapped what stands there. */
static size_t rows_of(const char *line, size_t length, size_t columns)
{
    AUTO(text) copy = TEXT_INIT;

    text_add_bytes(&copy, line, length);
    const size_t width = human_width(copy.bytes);
    return width ? (width + columns - 1) / columns : 1;
}

/* From where the cursor stands, at the end of the last line. */
static void add_clear(struct text *out)
{
    const size_t columns = status_line_columns();
    size_t rows = 0;

    for (const char *line = shown.bytes;; line++) {
        const size_t length = strcspn(line, "\n");
        rows += rows_of(line, length, columns);
        line += length;
        if (!*line)
            break;
    }
    if (rows > 1)
        text_printf(out, "\033[%zuA", rows - 1);
    text_add(out, rows > 1 ? "\r\033[J" : "\r\033[K");
}

/* In one write, so that the terminal never shows half of it. */
static void write_out(const char *lines)
{
    AUTO(text) out = TEXT_INIT;

    add_clear(&out);
    text_add(&out, lines);
    (void)fputs(out.bytes, stderr);
    (void)fflush(stderr);
}

static void before_log_line(void)
{
    pthread_mutex_lock(&lock);
    write_out("");
}

static void after_log_line(void)
{
    (void)fputs(shown.bytes, stderr);
    (void)fflush(stderr);
    pthread_mutex_unlock(&lock);
}

void status_line_start(void)
{
    log_around(before_log_line, after_log_line);
}

void status_line_show(const char *lines)
{
    pthread_mutex_lock(&lock);
    write_out(lines);
    text_clear(&shown);
    text_add(&shown, lines);
    pthread_mutex_unlock(&lock);
}

void status_line_stop(void)
{
    log_around(NULL, NULL);
    pthread_mutex_lock(&lock);
    write_out("");
    text_release(&shown);
    shown = (struct text)TEXT_INIT;
    pthread_mutex_unlock(&lock);
}
