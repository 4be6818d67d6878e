#include "osc/base/fail.h"

#ifdef OSC_TESTING

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

bool mutant_is(const char *name)
{
    const char *wanted = getenv("OSC_MUTANT");

    return wanted && strcmp(wanted, name) == 0;
}

static atomic_uint calls;

static void write_count(void)
{
    char path[512];

    (void)snprintf(path, sizeof path, "%s/calls", getenv("OSC_FAILPOINTS"));
    FILE *file = fopen(path, "w");
    if (file) {
        (void)fprintf(file, "%u\n", atomic_load(&calls));
        (void)fclose(file);
    }
}

unsigned fault_count(void)
{
    const char *fault = getenv("OSC_FAULT");
    const unsigned number = atomic_fetch_add(&calls, 1) + 1;

    if (number == 1 && fault && *fault == 'c')
        (void)atexit(write_count);
    return number;
}

char fault_wanted(unsigned number)
{
    const char *fault = getenv("OSC_FAULT");

    return fault && strlen(fault) > 2 && strtoul(fault + 2, NULL, 10) == number ? *fault : 0;
}

uint64_t tuned(const char *variable, uint64_t standard)
{
    const char *wanted = getenv(variable);

    return wanted ? strtoull(wanted, NULL, 10) : standard;
}

int64_t moved(int64_t now)
{
    const char *directory = getenv("OSC_FAILPOINTS");
    char path[512];
    long long told = now;

    if (!directory)
        return now;
    (void)snprintf(path, sizeof path, "%s/clock", directory);
    FILE *file = fopen(path, "re");
    if (!file)
        return now;
    const bool is_told = fscanf(file, "%lld", &told) == 1;
    (void)fclose(file);
    return is_told ? told : now;
}

void failpoint_reach(const char *name)
{
    const char *directory = getenv("OSC_FAILPOINTS");
    char path[512], hit[520];
    const struct timespec pause = {.tv_nsec = 2000000};
    char action = 0;

    if (!directory)
        return;
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return;
    (void)!read(file, &action, 1);
    (void)close(file);
    if (action == 'k')
        (void)kill(getpid(), SIGKILL); /* uncovered: whoever is killed leaves no count */
    (void)snprintf(hit, sizeof hit, "%s.hit", path);
    const int mark = open(hit, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (mark >= 0)
        (void)close(mark);
    while (access(path, F_OK) == 0)
        (void)nanosleep(&pause, NULL);
}

#else
typedef int fail_is_empty; /* ISO C wants at least one declaration */
#endif
