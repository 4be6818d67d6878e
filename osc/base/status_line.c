#include "osc/base/status_line.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "osc/base/log.h"
#include "osc/base/text.h"

#define CLEAR "\r\033[K"

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

unsigned status_line_columns(void)
{
    struct winsize size;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}

static void write_out(const char *before)
{
    /* One write, so that the terminal never shows a half line. */
    (void)fprintf(stderr, "%s%s", before, shown.bytes);
    (void)fflush(stderr);
}

static void before_log_line(void)
{
    pthread_mutex_lock(&lock);
    (void)fputs(CLEAR, stderr);
}

static void after_log_line(void)
{
    write_out("");
    pthread_mutex_unlock(&lock);
}

void status_line_start(void)
{
    log_around(before_log_line, after_log_line);
}

void status_line_show(const char *line)
{
    pthread_mutex_lock(&lock);
    text_clear(&shown);
    text_add(&shown, line);
    write_out(CLEAR);
    pthread_mutex_unlock(&lock);
}

void status_line_stop(void)
{
    log_around(NULL, NULL);
    pthread_mutex_lock(&lock);
    text_release(&shown);
    shown = (struct text)TEXT_INIT;
    write_out(CLEAR);
    pthread_mutex_unlock(&lock);
}
