/*
 * Screen: osc on a terminal of its own, and what an operator sees on it.
 *
 * Understands what osc writes: text, newline, carriage return, "clear to the end
 * of the line", "up, and clear all below".  Anything else fails the test.
 */
#ifndef OSC_TESTS_SCREEN_H
#define OSC_TESTS_SCREEN_H

#include "tests/support/scene.h"

struct screen;

/* On a low screen there is no room for a bar for each step. */
enum screen_rows { SCREEN_LOW = 12, SCREEN_HIGH = 30 };

/* osc COMMAND … as scene_start() runs it, on a terminal of this size.  The list ends with NULL. */
struct screen *screen_start(struct scene *scene, enum screen_rows rows, unsigned columns,
                            const char *command, ...) __attribute__((sentinel));

/* Reads on until a line holds `words`: the last line only, or any. */
void screen_await_last(struct screen *screen, const char *words);
void screen_await(struct screen *screen, const char *words);

void screen_type(struct screen *screen, const char *keys);

/* Reads on until osc ends; its exit code, 128 + signal when killed. */
int screen_end(struct screen *screen);

/* Lines as they stand, joined by newlines; valid until the screen changes. */
const char *screen_text(struct screen *screen);
/* The widest line that ever stood there. */
unsigned screen_widest(const struct screen *screen);
void screen_free(struct screen *screen);

#endif
