#include "tests/support/http.h"

#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "osc/base/clock.h"

enum { PATIENCE_MS = 20000 };

static struct sockaddr_in local(unsigned port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

unsigned http_free_port(void)
{
    struct sockaddr_in at = local(0);
    socklen_t length = sizeof at;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &length), 0);
    assert_int_equal(close(fd), 0);
    return ntohs(at.sin_port);
}

int http_connect(unsigned port)
{
    const struct sockaddr_in at = local(port);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (connect(fd, (const struct sockaddr *)&at, sizeof at) != 0)
        fail_msg("nobody listens on port %u: %s", port, strerror(errno));
    return fd;
}

bool http_send(int connection, const char *bytes, size_t length)
{
    while (length) {
        const ssize_t n = send(connection, bytes, length, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        bytes += n;
        length -= (size_t)n;
    }
    return true;
}

bool http_drain(int connection, unsigned ms, struct text *answer)
{
    const struct deadline until = deadline_in_ms(ms);
    char buffer[4096];
    ssize_t n = 1;

    while (n > 0 && !deadline_passed(&until)) {
        struct pollfd wait = {.fd = connection, .events = POLLIN};
        if (poll(&wait, 1, (int)deadline_left_ms(&until)) != 1)
            break;
        n = recv(connection, buffer, sizeof buffer, 0);
        if (n > 0)
            text_add_bytes(answer, buffer, (size_t)n);
    }
    (void)close(connection);
    return n <= 0;
}

void http_ask(unsigned port, const char *request, struct text *answer)
{
    const int connection = http_connect(port);

    text_clear(answer);
    assert_true(http_send(connection, request, strlen(request)));
    if (!http_drain(connection, PATIENCE_MS, answer) || !answer->length)
        fail_msg("no answer to:\n%s", request);
}

void http_get(unsigned port, const char *path, struct text *answer)
{
    AUTO(text) request = TEXT_INIT;

    text_printf(&request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n", path, port);
    http_ask(port, request.bytes, answer);
}

const char *http_body(const struct text *answer)
{
    const char *end = strstr(answer->bytes, "\r\n\r\n");

    assert_non_null(end);
    return end + 4;
}
