/*
 * Servers for tests of the traffic: private ones of the lab, or any that a DSN names.
 */
#ifndef OSC_TESTS_TEST_SERVER_H
#define OSC_TESTS_TEST_SERVER_H

#include <stdbool.h>
#include <stddef.h>

struct test_server {
    char name[32];       /* as the lab calls it */
    char dsn[300];       /* of a database where tables may be made */
    char directory[200]; /* the lab's, or empty */
};

enum { TEST_SERVERS_MAX = 8 };

/*
 * Those of OSC_TEST_SERVERS ("postgres mariadb mysql"), started and gone with this process.
 * OSC_TEST_DSN_POSTGRES, _MARIADB and so on stand in for a private server of that name.
 */
size_t test_servers_start(struct test_server *servers);
void test_servers_stop(const struct test_server *servers, size_t count);

#endif
