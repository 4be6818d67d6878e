/*
 * Pooler: a real pgbouncer between the scene and its PostgreSQL server.
 */
#ifndef OSC_TESTS_POOLER_H
#define OSC_TESTS_POOLER_H

#include "tests/support/scene.h"

/*
 * In "session", "transaction" or "statement" mode; it ends with pooler_stop(), or when the test
 * does.  The scene's DSN leads through it from now on.  Fails the test.
 */
void pooler_start(struct scene *scene, const char *mode);
void pooler_stop(struct scene *scene); /* twice does no harm */

#endif
