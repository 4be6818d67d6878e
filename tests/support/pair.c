#include "tests/support/pair.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "osc/base/arena.h"
#include "osc/base/macro.h"
#include "osc/base/text.h"
#include "tests/unit/unit.h"

/* Runs the lab; keeps the last line that it prints, unless NULL. */
PRINTF(2, 3)
static void lab(char last[300], const char *format, ...)
{
    char command[1000] = TEST_LAB " ", line[300] = "";
    const size_t length = strlen(command);
    va_list args;

    va_start(args, format);
    (void)vsnprintf(command + length, sizeof command - length, format, args);
    va_end(args);
    FILE *output = popen(command, "r");
    assert_non_null(output);
    while (fgets(line, sizeof line, output))
        line[strcspn(line, "\n")] = '\0';
    if (pclose(output) != 0)
        fail_msg("failed: %s", command);
    if (last)
        memcpy(last, line, sizeof line);
}

/* As tests/support/on-server does: most tests need no TLS, and it is slow. */
static void leave_out_tls(const char *server, char dsn[300])
{
    const char *tls = getenv("OSC_TEST_TLS");

    if (tls && strcmp(tls, "off") == 0 && strcmp(server, "mysql") == 0)
        (void)snprintf(dsn + strlen(dsn), 300 - strlen(dsn), "?ssl-mode=DISABLED");
}

struct pair *pair_start(void)
{
    const char *server = getenv("OSC_TEST_SERVER"), *place = getenv("TMPDIR");
    struct pair *pair = must_alloc(sizeof *pair);

    pair->other_dsn[0] = '\0';
    atomic_init(&pair->percent, 0);

    if (!server)
        fail_msg("OSC_TEST_SERVER is not set: run this test through tests/support/on-server");
    (void)snprintf(pair->directory, sizeof pair->directory, "%s/osc-pair-XXXXXX",
                   place ? place : "/tmp");
    assert_non_null(mkdtemp(pair->directory));
    (void)chmod(pair->directory, 0755);
    (void)snprintf(pair->primary, sizeof pair->primary, "%s/primary", pair->directory);
    (void)snprintf(pair->replica, sizeof pair->replica, "%s/replica", pair->directory);
    const int us = (int)getpid();
    lab(pair->primary_dsn, "start %s %s --die-with %d", server, pair->primary, us);
    lab(pair->replica_dsn, "replica %s %s --die-with %d", pair->primary, pair->replica, us);
    leave_out_tls(server, pair->primary_dsn);
    leave_out_tls(server, pair->replica_dsn);
    (void)setenv("OSC_TEST_DSN", pair->primary_dsn, 1);
    return pair;
}

void pair_stop(struct pair *pair)
{
    AUTO(text) remove = TEXT_INIT;

    pair_slow_down(pair, 100);
    lab(NULL, "stop %s --now", pair->replica);
    lab(NULL, "stop %s --now", pair->primary);
    if (*pair->other_dsn)
        lab(NULL, "stop %s --now", pair->other);
    text_printf(&remove, "rm -rf '%s'", pair->directory);
    (void)!system(remove.bytes);
    free(pair);
}

void pair_apply(const struct pair *pair, const char *how)
{
    lab(NULL, "apply %s %s", pair->replica, how);
}

/* Two primaries that gave out GTIDs of one domain could not be told apart on MariaDB. */
void pair_add_other(struct pair *pair)
{
    const char *server = getenv("OSC_TEST_SERVER");

    (void)snprintf(pair->other, sizeof pair->other, "%s/other", pair->directory);
    if (strncmp(server, "mariadb", 7) == 0)
        (void)setenv("LAB_OPTIONS", "--gtid-domain-id=7", 1);
    lab(pair->other_dsn, "start %s %s --die-with %d", server, pair->other, (int)getpid());
    (void)unsetenv("LAB_OPTIONS");
    leave_out_tls(server, pair->other_dsn);
    lab(NULL, "follow %s %s other", pair->replica, pair->other);
}

void pair_apply_other(const struct pair *pair, const char *how)
{
    lab(NULL, "apply %s %s other", pair->replica, how);
}

/* Stopped and let go on in turns, too short for whoever asks to give up. */
static void *brake(void *argument)
{
    enum { TURN_US = 100000 };
    struct pair *pair = argument;

    for (unsigned percent; (percent = atomic_load(&pair->percent)) != 0;) {
        const struct timespec rest = {.tv_nsec = TURN_US * 10L * (100 - percent)};
        const struct timespec work = {.tv_nsec = TURN_US * 10L * percent};
        (void)kill(pair->applier, SIGSTOP);
        (void)nanosleep(&rest, NULL);
        (void)kill(pair->applier, SIGCONT);
        (void)nanosleep(&work, NULL);
    }
    return NULL;
}

void pair_slow_down(struct pair *pair, unsigned percent)
{
    char pid[300];

    if (atomic_exchange(&pair->percent, 0) != 0)
        (void)pthread_join(pair->brake, NULL);
    if (percent >= 100)
        return;
    lab(pid, "applier %s", pair->replica);
    pair->applier = atoi(pid);
    assert_true(pair->applier > 1);
    atomic_store(&pair->percent, percent);
    assert_int_equal(pthread_create(&pair->brake, NULL, brake, pair), 0);
}

void pair_promote(const struct pair *pair)
{
    lab(NULL, "promote %s", pair->replica);
}

void pair_stop_primary(const struct pair *pair)
{
    lab(NULL, "stop %s --now", pair->primary);
}
