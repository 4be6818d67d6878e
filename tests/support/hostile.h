/*
 * Hostile: settings of the server, the database and the role that would spoil
 * what osc reads, writes or waits for, for every session that begins after them.
 */
#ifndef OSC_TESTS_HOSTILE_H
#define OSC_TESTS_HOSTILE_H

#include "tests/support/scene.h"

/* The scene's DSN becomes that of a user who suffers from all of them. Fails the test. */
void hostile_begin(struct scene *scene);

/* Every setting is again what it was, the user is gone, the DSN is the scene's own. Twice does no
 * harm. */
void hostile_end(struct scene *scene);

/* Of a global variable of the MySQL family, as a literal; NULL where the server has none of it. */
const char *hostile_value(struct scene *scene, const char *name);

#endif
