#include "test_server.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *dsn_from_environment(const char *name)
{
    char variable[64];
    snprintf(variable, sizeof(variable), "OSC_TEST_DSN_%s", name);
    for (char *c = variable; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return getenv(variable);
}

/* The lab prints the server's URL on its last line; the MySQL family's names no database. */
static bool take_url(struct test_server *server, FILE *output)
{
    char line[256], last[256] = "";
    while (fgets(line, sizeof(line), output))
        memcpy(last, line, sizeof(last));
    last[strcspn(last, "\n")] = '\0';
    const size_t length = strlen(last);
    snprintf(server->dsn, sizeof(server->dsn), "%s%s", last,
             length && last[length - 1] == '/' ? "traffic_test" : "");
    return strstr(server->dsn, "://");
}

static bool start(struct test_server *server)
{
    char command[1000];
    const char *dsn = dsn_from_environment(server->name);
    if (dsn) {
        snprintf(server->dsn, sizeof(server->dsn), "%s", dsn);
        return true;
    }
    const char *place = getenv("TMPDIR");
    snprintf(server->directory, sizeof(server->directory), "%s/osc-witness-XXXXXX",
             place ? place : "/tmp");
    if (!mkdtemp(server->directory))
        return false;
    snprintf(command, sizeof(command), "%s start %s %s --die-with %d", TEST_LAB, server->name,
             server->directory, (int)getpid());
    FILE *output = popen(command, "r");
    const bool ok = output && take_url(server, output);
    return output && pclose(output) == 0 && ok;
}

size_t test_servers_start(struct test_server *servers)
{
    const char *wanted = getenv("OSC_TEST_SERVERS");
    wanted = wanted ? wanted : "postgres mariadb mysql";
    size_t count = 0;
    while (*(wanted += strspn(wanted, " ")) && count < TEST_SERVERS_MAX) {
        const size_t length = strcspn(wanted, " ");
        struct test_server *server = &servers[count++];
        *server = (struct test_server){0};
        snprintf(server->name, sizeof(server->name), "%.*s", (int)length, wanted);
        if (!start(server)) {
            fprintf(stderr, "the server %s cannot be had\n", server->name);
            test_servers_stop(servers, count - 1);
            exit(1); /* a server skipped silently would look like a test passed */
        }
        wanted += length;
    }
    return count;
}

void test_servers_stop(const struct test_server *servers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char command[600];
        if (!*servers[i].directory)
            continue;
        snprintf(command, sizeof(command), "%s stop %s --now && rm -rf %s", TEST_LAB,
                 servers[i].directory, servers[i].directory);
        if (system(command) != 0)
            fprintf(stderr, "stopping %s failed\n", servers[i].name);
    }
}
