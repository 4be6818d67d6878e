#include "tests/support/pooler.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "osc/base/clock.h"
#include "tests/unit/unit.h"

enum { PATIENCE_MS = 10000 };

static pid_t pooler;
static char direct[600]; /* the scene's own DSN */

static struct sockaddr_in loopback(unsigned port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* Nobody listens there now. */
static unsigned free_port(void)
{
    struct sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    (void)close(fd);
    return ntohs(address.sin_port);
}

static void await_listener(unsigned port)
{
    const struct sockaddr_in address = loopback(port);
    const struct deadline until = deadline_in_ms(PATIENCE_MS);
    const struct timespec pause = {.tv_nsec = 10000000};

    for (;; (void)nanosleep(&pause, NULL)) {
        const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int trouble = connect(fd, (const struct sockaddr *)&address, sizeof address);
        (void)close(fd);
        if (trouble == 0)
            return;
        if (deadline_passed(&until))
            fail_msg("pgbouncer does not listen: is it installed? (tests/support/setup test)");
    }
}

static const char *write_settings(struct scene *s, const char *mode, unsigned port)
{
    const char *path = arena_printf(s->arena, "%s/pgbouncer.ini", s->directory);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    (void)fprintf(file,
                  "[databases]\n* = host=127.0.0.1 port=%u user=%s\n"
                  "[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = %u\nunix_socket_dir =\n"
                  "auth_type = any\npool_mode = %s\n",
                  s->parsed.port, s->parsed.user, port, mode);
    (void)fclose(file);
    assert_int_equal(chmod(s->directory, 0755), 0);
    return path;
}

/* It refuses to run as root.  A change of the user makes the process forget whose death ends it. */
static void become_pgbouncer(const char *settings, const struct passwd *nobody)
{
    if (getuid() == 0 && (setgid(nobody->pw_gid) != 0 || setuid(nobody->pw_uid) != 0))
        _exit(126);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setenv("PATH", "/usr/sbin:/usr/local/sbin:/usr/bin:/bin", 1);
    (void)execlp("pgbouncer", "pgbouncer", "-q", settings, NULL);
    _exit(127);
}

void pooler_start(struct scene *s, const char *mode)
{
    const unsigned port = free_port();
    const char *settings = write_settings(s, mode, port);
    const struct passwd *nobody = getpwnam("nobody");

    pooler = fork();
    if (pooler == 0)
        become_pgbouncer(settings, nobody);
    assert_true(pooler > 0);
    memcpy(direct, s->dsn, sizeof direct);
    await_listener(port);
    (void)snprintf(s->dsn, sizeof s->dsn, "postgres://%s@127.0.0.1:%u/%s", s->parsed.user, port,
                   s->parsed.database);
}

void pooler_stop(struct scene *s)
{
    if (!pooler)
        return;
    (void)kill(pooler, SIGTERM);
    (void)waitpid(pooler, NULL, 0);
    memcpy(s->dsn, direct, sizeof direct);
    pooler = 0;
}
