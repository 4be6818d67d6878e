#include "tests/support/bystander.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "osc/base/error.h"
#include "tests/unit/unit.h"

struct bystander {
    struct db *db;
    pthread_t thread;
    atomic_bool is_over;
    unsigned rounds;
    struct error err;
};

static bool does(struct bystander *b, const char *statement)
{
    return db_exec(b->db, statement, NULL, &b->err) ||
           error_prefix(&b->err, "round %u: %s", b->rounds, statement);
}

static bool go_round(struct bystander *b)
{
    static const char *const round[] = {
        "UPDATE t SET v = v + 1 WHERE id = 30",
        /* replaces a row */
        "DELETE FROM t WHERE id = 33",
        "INSERT INTO t (id, u, v) VALUES (33, 33, 66)",
        /* exchanges two unique values, and moves a row to another key */
        "UPDATE t SET u = -1 WHERE id = 31",
        "UPDATE t SET u = 31 WHERE id = 32",
        "UPDATE t SET u = 32 WHERE id = 31",
        "UPDATE t SET id = -id WHERE u = 34",
        /* and back */
        "UPDATE t SET u = -1 WHERE id = 31",
        "UPDATE t SET u = 32 WHERE id = 32",
        "UPDATE t SET u = 31 WHERE id = 31",
        "UPDATE t SET id = -id WHERE u = 34",
    };

    for (size_t i = 0; i < ARRAY_SIZE(round); i++)
        if (!does(b, round[i]))
            return false;
    return true;
}

static void *stand_by(void *argument)
{
    struct bystander *b = argument;
    const struct timespec pause = {.tv_nsec = 15000000}; /* osc, not we, is to use the processors */

    while (!atomic_load(&b->is_over) && go_round(b)) {
        b->rounds++;
        (void)nanosleep(&pause, NULL);
    }
    return NULL;
}

struct bystander *bystander_start(struct scene *scene)
{
    struct bystander *b = must_alloc(sizeof *b);

    b->db = db_open(&scene->parsed, "application", &b->err);
    if (!b->db)
        fail_msg("%s", b->err.text);
    /* A machine that has no time keeps our lock for a second: an error is what a lock that nobody
       gives back would make. */
    if (!does(b, scene->is_postgres
                     ? "SET search_path = public"
                     : "SET SESSION lock_wait_timeout = 8, innodb_lock_wait_timeout = 8"))
        fail_msg("%s", b->err.text);
    assert_int_equal(pthread_create(&b->thread, NULL, stand_by, b), 0);
    return b;
}

void bystander_stop(struct bystander *b)
{
    atomic_store(&b->is_over, true);
    (void)pthread_join(b->thread, NULL);
    if (b->err.kind == ERROR_NONE) {
        char undo[100];
        (void)snprintf(undo, sizeof undo, "UPDATE t SET v = v - %u WHERE id = 30", b->rounds);
        (void)does(b, undo);
    }
    db_close(b->db);
    const struct error err = b->err;
    free(b);
    if (err.kind != ERROR_NONE)
        fail_msg("the application saw an error: %s", err.text);
}
