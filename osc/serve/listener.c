#include "osc/serve/listener.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "osc/base/arena.h"
#include "osc/base/clock.h"
#include "osc/base/fail.h"
#include "osc/base/log.h"
#include "osc/serve/address.h"
#include "osc/serve/answer.h"

enum {
    MOST_CONNECTIONS = 32,
    MEMORY = 16 * 1024, /* for the head of a request */
    SILENCE_S = 5,
    WHOLE_MS = 15000,         /* for a request and its answer, however busy it looks */
    LONGEST_PAUSE_MS = 60000, /* between two readings of /metrics, to be waited for at the end */
    LATE_MS = 2000,           /* at least so much later may the next one come */
    LOOK_MS = 20,
};

struct link {
    int socket;
    struct deadline until;
    struct link *next;
};

struct listener {
    const struct watched *watched;
    struct address address;
    struct MHD_Daemon *daemon;
    pthread_mutex_t lock;
    struct link *links GUARDED_BY(lock);
    atomic_uint_fast64_t read_ms,
        pause_ms; /* of /metrics: the last time, and since the time before */
};

/* ---- connections ---- */

static void enlist(struct listener *listener, struct MHD_Connection *connection, void **context)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct link *link = must_alloc(sizeof *link);

    *link = (struct link){.socket = info->connect_fd,
                          .until = deadline_in_ms(TUNED("WHOLE_MS", WHOLE_MS))};
    pthread_mutex_lock(&listener->lock);
    link->next = listener->links;
    listener->links = link;
    pthread_mutex_unlock(&listener->lock);
    *context = link;
}

/* Before the library closes the socket: whose number may be another file's afterwards. */
static void strike_off(struct listener *listener, struct link *link)
{
    pthread_mutex_lock(&listener->lock);
    struct link **at = &listener->links;
    while (*at != link)
        at = &(*at)->next;
    *at = link->next;
    pthread_mutex_unlock(&listener->lock);
    free(link);
}

static void on_connection(void *argument, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        enlist(argument, connection, context);
    else if (*context)
        strike_off(argument, *context);
}

void listener_tend(struct listener *listener)
{
    pthread_mutex_lock(&listener->lock);
    for (struct link *link = listener->links; link; link = link->next)
        if (deadline_passed(&link->until))
            (void)shutdown(link->socket, SHUT_RDWR);
    pthread_mutex_unlock(&listener->lock);
}

/* ---- requests ---- */

/* Once the answer is on its way: the run may end as soon as it has been read. */
static void on_completed(void *argument, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode how)
{
    struct listener *listener = argument;

    (void)connection;
    if (*context != listener || how != MHD_REQUEST_TERMINATED_COMPLETED_OK)
        return;
    const uint64_t now = clock_ms(), before = atomic_exchange(&listener->read_ms, now);

    atomic_store(&listener->pause_ms, before ? now - before : 0);
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, const struct answer *answer)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        answer->length, answer->bytes,
        answer->is_ours ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
    if (!response) /* uncovered: no memory left */
        return MHD_NO;
    for (size_t i = 0; i < ARRAY_SIZE(answer->headers) && answer->headers[i].name; i++)
        (void)MHD_add_response_header(response, answer->headers[i].name, answer->headers[i].value);
    const enum MHD_Result result = MHD_queue_response(connection, answer->status, response);
    MHD_destroy_response(response);
    return result;
}

/* Answers at once: what a client sends after the head of its request is not waited for. */
static enum MHD_Result on_request(void *argument, struct MHD_Connection *connection,
                                  const char *url, const char *method, const char *version,
                                  const char *upload, size_t *upload_size, void **context)
{
    struct listener *listener = argument;
    struct answer answer;
    const char *host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host");

    (void)version;
    (void)upload;
    (void)upload_size;
    if (listener->address.is_local && !listener->address.path && host && !address_is_plain(host))
        answer_refusal(&answer, 403, "osc answers to localhost and addresses, not to names\n");
    else if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        answer_refusal(&answer, 405, "there is nothing to be done here, only to be read\n");
    else if (!answer_find(&answer, url, listener->watched))
        answer_refusal(&answer, 404, "there are /, /metrics, /status.json and /history.json\n");
    else if (strcmp(url, "/metrics") == 0)
        *context = listener; /* for on_completed() */
    return send_answer(connection, &answer);
}

/* ---- the life of it ---- */

struct listener *listener_open(const char *address, const struct watched *watched,
                               struct error *err)
{
    struct listener *listener = must_alloc(sizeof *listener);

    listener->watched = watched;
    (void)pthread_mutex_init(&listener->lock, NULL);
    if (!address_listen(address, &listener->address, err)) {
        listener_close(listener);
        return NULL;
    }
    listener->daemon = MHD_start_daemon(
        MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ITC, 0, NULL, NULL, on_request,
        listener, MHD_OPTION_LISTEN_SOCKET, listener->address.socket, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)MOST_CONNECTIONS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TUNED("SILENCE_S", SILENCE_S),
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, listener, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, listener, MHD_OPTION_END);
    if (!listener->daemon) { /* uncovered: no thread or memory left */
        (void)error_set(err, ERROR_SYSTEM, "cannot listen on %s", address);
        listener_close(listener);
        return NULL;
    }
    if (!listener->address.is_local)
        LOG(LOG_WARN, "progress can be read from other hosts, without a password",
            F("address", listener->address.shown.bytes));
    LOG(LOG_INFO, "listening", F("address", listener->address.shown.bytes));
    return listener;
}

void listener_await_reader(struct listener *listener, struct cancel *cancel)
{
    const uint64_t read = atomic_load(&listener->read_ms), pause = atomic_load(&listener->pause_ms);
    const struct deadline until = {read + pause + (pause / 2 > LATE_MS ? pause / 2 : LATE_MS)};

    if (!pause || pause > LONGEST_PAUSE_MS || deadline_passed(&until))
        return;
    LOG(LOG_INFO, "waiting for the next reading of /metrics",
        FU("most_ms", deadline_left_ms(&until)));
    while (atomic_load(&listener->read_ms) == read && !deadline_passed(&until) &&
           cancel_sleep_ms(cancel, LOOK_MS))
        listener_tend(listener);
}

void listener_close(struct listener *listener)
{
    if (!listener)
        return;
    if (listener->daemon)
        MHD_stop_daemon(listener->daemon); /* closes the socket */
    if (listener->address.path)
        (void)unlink(listener->address.path);
    text_release(&listener->address.shown);
    (void)pthread_mutex_destroy(&listener->lock);
    free(listener);
}
