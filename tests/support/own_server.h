/*
 * A server of the test's own, so that it may be killed: the lab makes it, and it
 * ends with the test.
 */
#ifndef OSC_TESTS_OWN_SERVER_H
#define OSC_TESTS_OWN_SERVER_H

#include "tests/support/scene.h"

/* As OSC_TEST_SERVER names it; OSC_TEST_DSN becomes its URL. Fails the test. */
void own_server_start(void);
void own_server_stop(void);

/* The same, as setup and teardown of a group of tests. */
int own_server_open(void **state);
int own_server_close(void **state);

/* As a crash: the server finds its log, not its tables, in order.  The scene connects anew. */
void own_server_crash(void);
void own_server_restart(struct scene *scene);

/* PostgreSQL, while it is down: it comes back as a standby. */
void own_server_demote(void);

/* Prints the files of the scene's database whose names end so, with their sizes. */
void own_server_show_files(const struct scene *scene, const char *ending);

/* Ends one of osc's connections, the `choice`th of those that there are; false: there is none. */
bool own_server_kill_backend(struct scene *scene, unsigned choice);

#endif
