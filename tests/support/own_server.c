#include "tests/support/own_server.h"

#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static char directory[200], url[300];

/* Runs the lab; the last line of what it says is the URL where it starts a server. */
PRINTF(1, 2)
static void lab(const char *format, ...)
{
    char command[1200], line[300];
    va_list args;

    int n = snprintf(command, sizeof command, "%s ", TEST_LAB);
    va_start(args, format);
    n += vsnprintf(command + n, sizeof command - (size_t)n, format, args);
    va_end(args);
    FILE *output = popen(command, "r");
    assert_non_null(output);
    while (fgets(line, sizeof line, output))
        if (strstr(line, "://"))
            (void)snprintf(url, sizeof url, "%.*s", (int)strcspn(line, "\n"), line);
    if (pclose(output) != 0)
        fail_msg("failed: %s", command);
}

static const char *name(void)
{
    const char *server = getenv("OSC_TEST_SERVER");

    if (!server)
        fail_msg("OSC_TEST_SERVER is not set: run this test through tests/support/on-server");
    return server;
}

static void launch(const char *port)
{
    lab("start %s %s %s --die-with %d", name(), directory, port, (int)getpid());
    /* MySQL offers TLS, and each of the many short connections would pay for it. */
    if (strcmp(name(), "mysql") == 0)
        (void)strcat(url, "?ssl-mode=DISABLED");
    (void)setenv("OSC_TEST_DSN", url, 1);
}

void own_server_start(void)
{
    const char *place = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";

    (void)snprintf(directory, sizeof directory, "%s/osc-own-XXXXXX", place);
    assert_non_null(mkdtemp(directory));
    launch("");
}

void own_server_stop(void)
{
    lab("stop %s --now && rm -rf %s", directory, directory);
}

int own_server_open(void **state UNUSED)
{
    own_server_start();
    return 0;
}

int own_server_close(void **state UNUSED)
{
    own_server_stop();
    return 0;
}

void own_server_crash(void)
{
    lab("stop %s --now", directory);
}

void own_server_demote(void)
{
    char path[sizeof directory + 30];

    (void)snprintf(path, sizeof path, "%s/data/standby.signal", directory);
    FILE *signal = fopen(path, "w");
    assert_non_null(signal);
    (void)fclose(signal);
    (void)chmod(path, 0644);
}

void own_server_restart(struct scene *scene)
{
    struct error err = ERROR_INIT;
    char port[8];

    (void)snprintf(port, sizeof port, "%u",
                   (unsigned)strtoul(strrchr(url, ':') + 1, NULL, 10)); /* the same again */
    launch(port);
    db_close(scene->db);
    scene->db = db_open(&scene->parsed, "test", &err);
    if (!scene->db)
        fail_msg("%s", err.text);
    if (scene->is_postgres)
        scene_sql(scene, "SET search_path = public");
}

void own_server_show_files(const struct scene *scene, const char *ending)
{
    char pattern[sizeof directory + 100];
    glob_t found = {.gl_pathc = 0};
    struct stat file;

    (void)snprintf(pattern, sizeof pattern, "%s/data/%s/*%s", directory, scene->schema, ending);
    if (glob(pattern, 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            if (stat(found.gl_pathv[i], &file) == 0)
                print_message("    %s: %ld bytes\n", strrchr(found.gl_pathv[i], '/') + 1,
                              (long)file.st_size);
    globfree(&found);
}

/* On the MySQL family osc is known by its user, of whom only osc makes use. */
bool own_server_kill_backend(struct scene *scene, unsigned choice)
{
    /* MySQL cannot list the statements of its list in every character set, MariaDB not the other.
     */
    const char *mysql =
        strncmp(name(), "mariadb", 7) == 0
            ? "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'osc' ORDER BY "
              "CRC32(ID)"
            : "SELECT PROCESSLIST_ID FROM performance_schema.threads WHERE "
              "PROCESSLIST_USER = 'osc' ORDER BY CRC32(PROCESSLIST_ID)";
    const char *list = scene_pick(
        scene,
        "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'osc %' AND "
        "application_name <> 'osc test' AND datname = current_database() ORDER BY md5(pid::text)",
        mysql);
    const uint64_t n = scene_number(scene, "SELECT COUNT(*) FROM (%s) AS c", list);

    if (!n)
        return false;
    const uint64_t id = scene_number(scene, "%s LIMIT 1 OFFSET %u", list, choice % (unsigned)n);
    if (!id)
        return false;
    char statement[80];
    (void)snprintf(statement, sizeof statement, "%s%" PRIu64 "%s",
                   scene_pick(scene, "SELECT pg_terminate_backend(", "KILL CONNECTION "), id,
                   scene_pick(scene, ")", ""));
    return scene_try_sql(scene, statement);
}
