#include "osc/base/signals.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "osc/base/log.h"

enum { LEAVE = SIGUSR2 }; /* our own way to end the thread */

static struct {
    pthread_t thread;
    struct cancel *cancel;
    sigset_t set;
    bool is_running;
} signals;

/* No lock is taken: whoever holds it may be what hangs. */
/* uncovered: test_terminal sends the second signal, but _exit() leaves no count */
static _Noreturn void stop_at_once(void)
{
    static const char words[] = "\nosc: stopped at once\nnext: osc status says what is left\n";

    (void)!write(STDERR_FILENO, words, sizeof words - 1);
    _exit(error_exit_code(ERROR_CANCELLED));
}

static void *wait_for_signals(void *unused)
{
    int signal;

    (void)unused;
    log_thread_name("signals");
    while (sigwait(&signals.set, &signal) == 0 && signal != LEAVE) {
        if (signal == SIGHUP && log_reopen())
            continue;
        if (cancel_is_set(signals.cancel))
            stop_at_once(); /* uncovered: the same */
        cancel_set(signals.cancel);
        LOG(LOG_WARN, "stopping cleanly; the same signal again stops at once",
            F("signal", strsignal(signal)));
    }
    return NULL;
}

bool signals_start(struct cancel *cancel, struct error *err)
{
    static const int wanted[] = {SIGINT, SIGTERM, SIGHUP};

    (void)signal(SIGPIPE, SIG_IGN);
    (void)sigemptyset(&signals.set);
    (void)sigaddset(&signals.set, LEAVE);
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
        struct sigaction now;
        /* A blocked signal is delivered even if it is ignored: nohup would lose its effect. */
        if ((wanted[i] == SIGHUP && log_has_file()) ||
            (sigaction(wanted[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN))
            (void)sigaddset(&signals.set, wanted[i]);
    }
    signals.cancel = cancel;
    int code = pthread_sigmask(SIG_BLOCK, &signals.set, NULL);
    if (!code)
        code = pthread_create(&signals.thread, NULL, wait_for_signals, NULL);
    if (code) /* uncovered: a test cannot use up the system's threads */
        return error_set(err, ERROR_SYSTEM, "waiting for signals: %s", strerror(code));
    signals.is_running = true;
    return true;
}

void signals_stop(void)
{
    if (signals.is_running) {
        (void)pthread_kill(signals.thread, LEAVE);
        (void)pthread_join(signals.thread, NULL);
    }
    signals.is_running = false;
}
