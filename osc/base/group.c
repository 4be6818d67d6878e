#include "osc/base/group.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "osc/base/arena.h"
#include "osc/base/log.h"

struct member {
    struct member *next;
    struct group *group;
    pthread_t thread;
    group_work *work;
    void *argument;
    char name[16];
};

struct group {
    struct cancel *cancel;
    struct member *members; /* touched by the owner only */
    pthread_mutex_t lock;
    struct error first GUARDED_BY(lock);
};

struct group *group_new(struct cancel *parent)
{
    struct group *group = must_alloc(sizeof *group);

    group->cancel = cancel_new(parent);
    (void)pthread_mutex_init(&group->lock, NULL);
    return group;
}

static void *run_member(void *argument)
{
    struct member *member = argument;
    struct group *group = member->group;
    struct error err = ERROR_INIT;

    log_thread_name(member->name);
    if (!member->work(member->argument, group->cancel, &err)) {
        pthread_mutex_lock(&group->lock);
        /* A sibling that was cancelled because of the first error has nothing to add. */
        if (group->first.kind == ERROR_NONE)
            group->first = err;
        pthread_mutex_unlock(&group->lock);
        cancel_set(group->cancel);
    }
    return NULL;
}

bool group_start(struct group *group, const char *name, group_work *work, void *argument,
                 struct error *err)
{
    struct member *member = must_alloc(sizeof *member);

    member->group = group;
    member->work = work;
    member->argument = argument;
    (void)strncpy(member->name, name, sizeof member->name - 1);
    const int code = pthread_create(&member->thread, NULL, run_member, member);
    if (code) { /* uncovered: a test cannot use up the system's threads */
        free(member);
        return error_set(err, ERROR_SYSTEM, "starting thread %s: %s", name, strerror(code));
    }
    member->next = group->members;
    group->members = member;
    return true;
}

void group_cancel(struct group *group)
{
    cancel_set(group->cancel);
}

struct cancel *group_token(struct group *group)
{
    return group->cancel;
}

bool group_join(struct group *group, struct error *err)
{
    while (group->members) {
        struct member *member = group->members;
        group->members = member->next;
        (void)pthread_join(member->thread, NULL);
        free(member);
    }
    const bool good = group->first.kind == ERROR_NONE;
    if (!good)
        *err = group->first;
    (void)pthread_mutex_destroy(&group->lock);
    cancel_free(group->cancel);
    free(group);
    return good;
}
