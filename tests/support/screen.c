#include "tests/support/screen.h"

#include <ctype.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "osc/base/clock.h"
#include "tests/unit/unit.h"

enum { PATIENCE_MS = 60000, MOST_ARGUMENTS = 32, MOST_COLUMNS = 300 };

/* A cell holds one character, in UTF-8. */
struct cell {
    char bytes[5];
};

struct screen {
    pid_t pid;
    int terminal;
    bool is_closed;
    struct text past; /* lines above the last one */
    struct cell line[MOST_COLUMNS];
    unsigned length, column, widest;
    bool is_above;   /* lines below the cursor are to be cleared at once */
    char pending[8]; /* an escape sequence or a character that has not ended */
    size_t n_pending;
    struct text shown;
};

static void exec_osc(struct scene *scene, const char *const *argv)
{
    const char *path = getenv("OSC_BINARY") ? getenv("OSC_BINARY") : "osc";

    (void)setenv("TERM", "xterm", 1);
    (void)setenv("LC_ALL", "C.UTF-8", 1);
    (void)setenv("OSC_FAILPOINTS", scene->directory, 1);
    execv(path, (char *const *)(uintptr_t)argv);
    _exit(127);
}

struct screen *screen_start(struct scene *scene, enum screen_rows rows, unsigned columns,
                            const char *command, ...)
{
    const char *argv[MOST_ARGUMENTS] = {"osc", command};
    const struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
    struct screen *screen = must_alloc(sizeof *screen);
    size_t n = 2;
    va_list args;

    va_start(args, command);
    while ((argv[n] = va_arg(args, const char *)))
        if (++n == MOST_ARGUMENTS - 3)
            fail_msg("too many arguments");
    va_end(args);
    argv[n++] = "--dsn";
    argv[n++] = scene->dsn;
    argv[n] = NULL;
    screen->past = screen->shown = (struct text)TEXT_INIT;
    screen->pid = forkpty(&screen->terminal, NULL, NULL, &size);
    if (screen->pid == 0)
        exec_osc(scene, argv);
    assert_true(screen->pid > 0);
    return screen;
}

/* ---- what the terminal does with what is written ---- */

static void add_line(const struct screen *screen, struct text *out)
{
    for (unsigned i = 0; i < screen->length; i++)
        text_add(out, screen->line[i].bytes);
}

static void end_line(struct screen *screen)
{
    add_line(screen, &screen->past);
    text_add(&screen->past, "\n");
    screen->length = 0;
}

static void put(struct screen *screen, const char *bytes, size_t length)
{
    if (screen->column == MOST_COLUMNS || screen->is_above)
        fail_msg("a line without end, or among others:\n%s", screen_text(screen));
    while (screen->length <= screen->column)
        screen->line[screen->length++] = (struct cell){" "};
    struct cell *cell = &screen->line[screen->column++];
    memcpy(cell->bytes, bytes, length);
    cell->bytes[length] = '\0';
    if (screen->length > screen->widest)
        screen->widest = screen->length;
}

static size_t character_length(char lead)
{
    const unsigned byte = (unsigned char)lead;

    return byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

/* What stood there is cleared next, or put() fails. */
static void go_up(struct screen *screen, unsigned long lines)
{
    struct text *past = &screen->past;

    for (; lines && past->length; lines--) {
        past->length--;
        while (past->length && past->bytes[past->length - 1] != '\n')
            past->length--;
    }
    assert_int_equal(lines, 0);
    past->bytes[past->length] = '\0';
    screen->length = screen->column = 0;
    screen->is_above = true;
}

/* True when `pending` is complete and has been dealt with. */
static bool finish_pending(struct screen *screen)
{
    if (screen->pending[0] == '\033') {
        const char last = screen->pending[screen->n_pending - 1];
        if (screen->n_pending < 3 || isdigit(last))
            return false;
        if (last == 'A')
            go_up(screen, strtoul(screen->pending + 2, NULL, 10));
        else if (last != 'K' && last != 'J')
            fail_msg("an unknown escape sequence after:\n%s", screen_text(screen));
        screen->length = screen->column < screen->length ? screen->column : screen->length;
        screen->is_above &= last != 'J';
        return true;
    }
    if (screen->n_pending < character_length(screen->pending[0]))
        return false;
    put(screen, screen->pending, screen->n_pending);
    return true;
}

static void feed(struct screen *screen, char byte)
{
    if (!screen->n_pending && byte == '\r') {
        screen->column = 0;
    } else if (!screen->n_pending && byte == '\n') {
        end_line(screen);
    } else {
        screen->pending[screen->n_pending++] = byte;
        if (finish_pending(screen))
            screen->n_pending = 0;
    }
}

static void read_some(struct screen *screen)
{
    struct pollfd poll_for = {.fd = screen->terminal, .events = POLLIN};
    char buffer[4096];

    if (poll(&poll_for, 1, 100) <= 0)
        return;
    /* EIO: the other side, osc, is gone. */
    const ssize_t n = read(screen->terminal, buffer, sizeof buffer);
    screen->is_closed = n <= 0;
    for (ssize_t i = 0; i < n; i++)
        feed(screen, buffer[i]);
}

/* ---- what tests ask ---- */

const char *screen_text(struct screen *screen)
{
    text_clear(&screen->shown);
    text_add(&screen->shown, screen->past.bytes);
    add_line(screen, &screen->shown);
    return screen->shown.bytes;
}

static void await(struct screen *screen, const char *words, bool in_last_line)
{
    const struct deadline until = deadline_in_ms(PATIENCE_MS);

    for (;;) {
        const char *text = screen_text(screen);
        if (strstr(text + (in_last_line ? screen->past.length : 0), words))
            return;
        if (screen->is_closed || deadline_passed(&until))
            fail_msg("\"%s\" was not shown:\n%s", words, text);
        read_some(screen);
    }
}

void screen_await_last(struct screen *screen, const char *words)
{
    await(screen, words, true);
}

void screen_await(struct screen *screen, const char *words)
{
    await(screen, words, false);
}

void screen_type(struct screen *screen, const char *keys)
{
    assert_int_equal(write(screen->terminal, keys, strlen(keys)), strlen(keys));
}

int screen_end(struct screen *screen)
{
    const struct deadline until = deadline_in_ms(PATIENCE_MS);
    int status = 0;

    while (!screen->is_closed) {
        if (deadline_passed(&until)) {
            (void)kill(screen->pid, SIGKILL);
            fail_msg("osc did not end:\n%s", screen_text(screen));
        }
        read_some(screen);
    }
    assert_int_equal(waitpid(screen->pid, &status, 0), screen->pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

unsigned screen_widest(const struct screen *screen)
{
    return screen->widest;
}

void screen_free(struct screen *screen)
{
    (void)close(screen->terminal);
    text_release(&screen->past);
    text_release(&screen->shown);
    free(screen);
}
