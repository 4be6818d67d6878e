#include "tests/support/pulse.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "osc/base/clock.h"
#include "osc/base/group.h"
#include "tests/unit/unit.h"

enum { BEAT_MS = 40, LOOK_MS = 20 };

struct pulse {
    struct dsn primary, replica;
    struct arena *arena;
    struct group *group;
    const char *table; /* with its schema where the session has none */
    atomic_uint_fast64_t now_ms, worst_ms;
};

static bool beat(void *argument, struct cancel *cancel, struct error *err)
{
    const struct pulse *pulse = argument;
    struct db *db = db_open(&pulse->primary, "pulse", err);
    bool good = db != NULL;

    while (good && cancel_sleep_ms(cancel, BEAT_MS)) {
        char statement[100];
        (void)snprintf(statement, sizeof statement, "UPDATE %s SET at = %" PRIu64, pulse->table,
                       clock_ms());
        good = db_exec(db, statement, NULL, err);
    }
    db_close(db);
    return good;
}

static bool read_row(const struct pulse *pulse, struct db *db, uint64_t *at, struct error *err)
{
    char statement[100];

    (void)snprintf(statement, sizeof statement, "SELECT at FROM %s", pulse->table);
    return db_value_u64(db, at, statement, err);
}

static bool look(void *argument, struct cancel *cancel, struct error *err)
{
    struct pulse *pulse = argument;
    struct db *db = db_open(&pulse->replica, "pulse", err);
    bool good = db != NULL;

    while (good && cancel_sleep_ms(cancel, LOOK_MS)) {
        uint64_t at = 0;
        /* An answer that came late counts against us. */
        good = read_row(pulse, db, &at, err);
        const uint64_t lag = good ? clock_ms() - at : 0;
        atomic_store(&pulse->now_ms, lag);
        if (lag > atomic_load(&pulse->worst_ms))
            atomic_store(&pulse->worst_ms, lag);
    }
    db_close(db);
    return good;
}

static const char *replica_of(const struct pulse *pulse, const struct scene *scene,
                              const struct pair *pair)
{
    const char *place = pair->replica_dsn, *rest = strstr(place, "://") + 3;

    return arena_printf(pulse->arena, "%.*s%s", (int)(rest - place + (long)strcspn(rest, "/?")),
                        place, strrchr(scene->dsn, '/'));
}

struct pulse *pulse_start(struct scene *scene, const struct pair *pair)
{
    struct pulse *pulse = must_alloc(sizeof *pulse);
    struct error err = ERROR_INIT;

    *pulse = (struct pulse){.primary = scene->parsed,
                            .arena = arena_new(),
                            .group = group_new(NULL),
                            .table = scene_pick(scene, "public.pulse", "pulse")};
    assert_true(dsn_parse(&pulse->replica, replica_of(pulse, scene, pair), pulse->arena, &err));
    scene_sql(scene, "CREATE TABLE pulse (at bigint NOT NULL)");
    scene_sql(scene, "INSERT INTO pulse VALUES (%" PRIu64 ")", clock_ms());
    struct db *db = NULL;
    const struct deadline until = deadline_in_ms(30000);
    for (uint64_t at = 0; !at; error_clear(&err)) { /* the table has to get there first */
        db = db ? db : db_open(&pulse->replica, "pulse", &err);
        if (db && read_row(pulse, db, &at, &err))
            break;
        if (deadline_passed(&until))
            fail_msg("the replica never has what was written: %s", err.text);
        (void)cancel_sleep_ms(NULL, LOOK_MS);
    }
    db_close(db);
    assert_true(group_start(pulse->group, "beat", beat, pulse, &err));
    assert_true(group_start(pulse->group, "look", look, pulse, &err));
    return pulse;
}

uint64_t pulse_now_ms(struct pulse *pulse)
{
    return atomic_load(&pulse->now_ms);
}

uint64_t pulse_worst_ms(struct pulse *pulse)
{
    return atomic_exchange(&pulse->worst_ms, 0);
}

void pulse_stop(struct pulse *pulse)
{
    struct error err = ERROR_INIT;

    group_cancel(pulse->group);
    if (!group_join(pulse->group, &err))
        fail_msg("%s", err.text);
    arena_free(pulse->arena);
    free(pulse);
}
