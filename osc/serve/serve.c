#include "osc/serve/serve.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "osc/base/clock.h"
#include "osc/base/fail.h"
#include "osc/base/group.h"
#include "osc/base/log.h"
#include "osc/serve/exposition.h"
#include "osc/serve/listener.h"
#include "osc/serve/textfile.h"

enum { LOOK_MS = 500, WRITE_MS = 5000 };

struct serve {
    const struct request *request;
    struct watched watched;
    struct listener *listener; /* NULL: not wished */
    const char *file;          /* NULL: not wished */
    pthread_mutex_t writing;
    bool file_failed; /* said once; behind `writing` */
    struct group *group;
};

/* Events come from every thread, also while we leave. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* before that of the history */
static struct history *listening GUARDED_BY(lock);

static void hear(enum log_level level, const char *event, const struct log_field *fields)
{
    if (strcmp(event, "progress") == 0)
        return; /* shown all the time: it would push the others out */
    pthread_mutex_lock(&lock);
    if (listening)
        history_event(listening, level, event, fields);
    pthread_mutex_unlock(&lock);
}

static void listen_to_events(struct history *history)
{
    pthread_mutex_lock(&lock);
    listening = history;
    pthread_mutex_unlock(&lock);
    log_observe(history ? hear : NULL);
}

static bool write_file(struct serve *serve, struct error *err)
{
    AUTO(text) text = TEXT_INIT;

    if (!serve->file)
        return true;
    exposition_print(&serve->watched, &text);
    return textfile_write(serve->file, &text, err);
}

/* A disk that is full for a while does not end a migration. */
static void write_file_again(struct serve *serve)
{
    struct error trouble = ERROR_INIT;

    /* The end of the run is written while the thread may be about to write, too. */
    pthread_mutex_lock(&serve->writing);
    const bool failed = !write_file(serve, &trouble);
    if (failed && !serve->file_failed)
        LOG(LOG_WARN, "metrics not written", F("error", trouble.text));
    serve->file_failed = failed;
    pthread_mutex_unlock(&serve->writing);
}

static bool look(void *argument, struct cancel *cancel, struct error *err)
{
    struct serve *serve = argument;
    struct deadline next_file = deadline_in_ms(TUNED("WRITE_MS", WRITE_MS));

    (void)err;
    do {
        if (atomic_load(&serve->watched.progress->step))
            history_look(serve->watched.history, serve->watched.progress, clock_ms());
        if (serve->listener)
            listener_tend(serve->listener);
        if (deadline_passed(&next_file)) {
            write_file_again(serve);
            next_file = deadline_in_ms(TUNED("WRITE_MS", WRITE_MS));
        }
    } while (cancel_sleep_ms(cancel, LOOK_MS));
    return true;
}

/* What follows the ? may be long, and is no part of the name. */
static const char *name_server(const struct request *request)
{
    const char *shown = request->dsn->shown;

    return arena_copy(request->arena, shown, strcspn(shown, "?"));
}

static void serve_free(struct serve *serve)
{
    listen_to_events(NULL);
    listener_close(serve->listener);
    history_free(serve->watched.history);
    (void)pthread_mutex_destroy(&serve->writing);
    free(serve);
}

static bool begin(struct serve *serve, struct error *err)
{
    const struct options *options = serve->request->options;

    listen_to_events(serve->watched.history);
    if (options->metrics_listen &&
        !(serve->listener = listener_open(options->metrics_listen, &serve->watched, err)))
        return false;
    if (!write_file(serve, err))
        return false;
    /* No parent: it goes on telling while everything else stops in order. */
    serve->group = group_new(NULL);
    return group_start(serve->group, "serve", look, serve, err);
}

struct serve *serve_start(const struct request *request, struct error *err)
{
    struct serve *serve = must_alloc(sizeof *serve);

    (void)pthread_mutex_init(&serve->writing, NULL);
    serve->request = request;
    serve->file = request->options->metrics_file;
    serve->watched = (struct watched){
        .progress = request->progress,
        .history = history_new(),
        .server = name_server(request),
        .outcome = "running",
        .started_s = (uint64_t)time(NULL),
    };
    if ((!serve->file && !request->options->metrics_listen) || begin(serve, err))
        return serve;
    serve_free(serve);
    return NULL;
}

void serve_stop(struct serve *serve, bool is_good)
{
    struct error ignored = ERROR_INIT;

    if (serve->group) {
        atomic_store(&serve->watched.outcome, is_good ? "done" : "failed");
        write_file_again(serve);
        if (serve->listener)
            listener_await_reader(serve->listener, serve->request->cancel);
        group_cancel(serve->group);
        (void)!group_join(serve->group, &ignored);
    }
    serve_free(serve);
}
