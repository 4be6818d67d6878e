#include "osc/db/server.h"

#include <inttypes.h>

#include "osc/base/cancel.h"
#include "osc/base/clock.h"
#include "osc/base/fail.h"
#include "osc/db/dialect.h"
#include "osc/db/driver.h"

enum {
    FENCE_MS = 30000, /* how long a killed connection may take to roll back */
    FENCE_PAUSE_MS = 50,
    FENCE_KILL_EVERY_MS = 2000,
};

/* A well-mixed 64-bit hash (FNV-1a, finished as MurmurHash3 does): lock names have 64 characters.
 */
uint64_t server_hash(const char *key)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (; *key; key++)
        h = (h ^ (unsigned char)*key) * UINT64_C(1099511628211);
    h = (h ^ (h >> 33)) * UINT64_C(0xff51afd7ed558ccd);
    h = (h ^ (h >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
    return h ^ (h >> 33);
}

static const char *lock_name(struct db *db, const char *role, const char *table_key)
{
    return arena_printf(db->arena, "osc:%s:%016" PRIx64, role, server_hash(table_key));
}

static const char *run_lock(struct db *db, const char *run, const char *table_key)
{
    return lock_name(db, arena_printf(db->arena, "run-%s", run), table_key);
}

static bool name_run(struct db *db, const char *table_key, const char *run, struct error *err)
{
    uint64_t holder = 0;

    return db->dialect->server->lock_take(db, run_lock(db, run, table_key), &holder, err);
}

bool server_take_lease(struct db *db, const char *table_key, const char *run, struct error *err)
{
    uint64_t holder = 0;

    if (db->dialect->server->lock_take(db, lock_name(db, "lease", table_key), &holder, err))
        return name_run(db, table_key, run, err);
    if (err->kind != ERROR_TRANSIENT)
        return error_prefix(err, "taking the lease of %s", table_key);
    error_set(err, ERROR_REFUSED, "another run works on %s (connection %" PRIu64 ")", table_key,
              holder);
    return error_hint(err,
                      "see osc status; if that run is dead and its connection is not, end "
                      "connection %" PRIu64 " on the server and try again",
                      holder);
}

/* Waits a moment; kills the holder, again now and then as a new one may have come. */
struct fence {
    struct db *db;
    const char *name, *role, *table_key;
    struct deadline until, next_kill;
    uint64_t killed;
};

static bool fence_push(struct fence *fence, uint64_t holder, struct error *err)
{
    struct db *db = fence->db;

    if (deadline_passed(&fence->until)) {
        error_set(err, ERROR_TRANSIENT,
                  "connection %" PRIu64 " still acts as %s of %s: it was ended, but the server has "
                  "not let go of it",
                  holder, fence->role, fence->table_key);
        return error_hint(err,
                          "it probably rolls back a long statement: wait until connection "
                          "%" PRIu64 " is gone from the server's process list, then try again",
                          holder);
    }
    if (holder && (holder != fence->killed || deadline_passed(&fence->next_kill))) {
        if (!db->dialect->server->kill(db, holder, err)) {
            error_prefix(err, "ending connection %" PRIu64 ", which acts as %s of %s", holder,
                         fence->role, fence->table_key);
            return error_hint(err,
                              "end connection %" PRIu64
                              " as an administrator, or run osc as the user who owns it",
                              holder);
        }
        fence->killed = holder;
        fence->next_kill = deadline_in_ms(FENCE_KILL_EVERY_MS);
    }
    (void)cancel_sleep_ms(NULL, FENCE_PAUSE_MS);
    return true;
}

static struct fence fence_new(struct db *db, const char *table_key, const char *role)
{
    return (struct fence){
        .db = db,
        .name = lock_name(db, role, table_key),
        .role = role,
        .table_key = table_key,
        .until = deadline_in_ms(TUNED("FENCE_MS", FENCE_MS)),
    };
}

static bool take_role(struct db *db, const char *table_key, const char *role, struct error *err)
{
    struct fence fence = fence_new(db, table_key, role);
    uint64_t holder = 0;

    while (!db->dialect->server->lock_take(db, fence.name, &holder, err)) {
        if (err->kind != ERROR_TRANSIENT)
            return error_prefix(err, "taking the place of %s of %s", role, table_key);
        if (!fence_push(&fence, holder, err))
            return false;
        holder = 0;
    }
    error_clear(err);
    return true;
}

bool server_seize_lease(struct db *db, const char *table_key, const char *run, struct error *err)
{
    return take_role(db, table_key, "lease", err) && name_run(db, table_key, run, err);
}

/* The session that has the lease has the lock of its run's name, and loses both at once. */
bool server_has_lease(struct db *db, const char *table_key, const char *run, bool *has,
                      struct error *err)
{
    uint64_t holder = 0;

    if (!db->dialect->server->lock_holder(db, run_lock(db, run, table_key), &holder, err))
        return error_prefix(err, "asking who has the lease of %s", table_key);
    *has = holder != 0;
    return true;
}

static bool check_lease(struct db *db, const char *table_key, const char *run, struct error *err)
{
    bool has = false;

    if (!server_has_lease(db, table_key, run, &has, err))
        return false;
    if (has)
        return true;
    error_set(err, ERROR_SERVER,
              "the connection that had the lease of %s has ended: another run may go on in its "
              "place, this one stops",
              table_key);
    return error_hint(err, "osc status says what runs; osc resume goes on where nothing does");
}

/*
 * Who takes over has the lease first, then fences off every role.  So a role
 * taken before that is seen and ended, and one taken later sees that the lease is gone.
 * Asked also before: a run that has lost its lease is not to disturb the one that has it.
 */
bool server_fence(struct db *db, const char *table_key, const char *run, const char *role,
                  struct error *err)
{
    return check_lease(db, table_key, run, err) && take_role(db, table_key, role, err) &&
           check_lease(db, table_key, run, err);
}

bool server_fence_off(struct db *db, const char *table_key, const char *prefix, unsigned from,
                      unsigned to, struct error *err)
{
    for (unsigned i = from; i < to; i++) {
        const char *role = arena_printf(db->arena, "%s%u", prefix, i);
        struct fence fence = fence_new(db, table_key, role);
        for (;;) {
            uint64_t holder = 0;
            if (!db->dialect->server->lock_holder(db, fence.name, &holder, err))
                return error_prefix(err, "asking who acts as %s of %s", role, table_key);
            if (!holder || holder == db->id)
                break;
            if (!fence_push(&fence, holder, err))
                return false;
        }
    }
    return true;
}

bool server_check_writable(struct db *db, struct error *err)
{
    const char *reason = NULL;

    if (!db->dialect->server->read_only(db, &reason, err))
        return false;
    if (!reason)
        return true;
    error_set(err, ERROR_SERVER, "the server was switched to read-only: %s", reason);
    return error_hint(err, "osc resume goes on once it may be written again; where another server "
                           "takes its place, osc resume --dsn that one");
}

void server_libraries(struct text *out)
{
    const struct db_driver *const drivers[] = {&postgres_driver, &mysql_driver};

    for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
        drivers[i]->library(out);
        text_add(out, "\n");
    }
}
