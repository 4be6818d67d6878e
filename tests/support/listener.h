/* A migration of fifty rows that listens, for those who look at it. */
#ifndef TESTS_SUPPORT_LISTENER_H
#define TESTS_SUPPORT_LISTENER_H

#include "tests/support/scene.h"

struct listener {
    pid_t pid;
    unsigned port;
};

/* A scene with the table items: fifty rows. */
struct scene *listener_scene(const char *name);
/* osc stands still with all rows copied, and listens; also writes `file`, unless NULL. */
struct listener listener_hold(struct scene *s, const char *file);
/* It is let go, and ends well. */
void listener_end(struct scene *s, struct listener listener);

void assert_has(const char *text, const char *words);
/* What a command of the shell says and whether it succeeds; a missing program does not. */
int run_program(const char *command, struct text *said);

#endif
