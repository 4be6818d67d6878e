#include "osc/migration.h"

#include <inttypes.h>
#include <string.h>
#include <sys/random.h>

#include "osc/base/clock.h"
#include "osc/base/fail.h"
#include "osc/base/group.h"
#include "osc/base/log.h"
#include "osc/control/orders.h"
#include "osc/db/dialect.h"
#include "osc/db/interruptible.h"
#include "osc/plan/own.h"
#include "osc/shadow.h"

enum {
    MOST_WORKERS = 64,
    MOST_LANES = 16,
    MOST_BUILDERS = 16,
    SILENCE_MS = 10000, /* a run whose heart has not beaten for so long may be relieved */
    LOOK_MS = 200,
    LAST_WORDS = 2, /* of a run that is dead */
};

/* What no other run is called, on any host. */
static const char *name_run(struct arena *arena, struct error *err)
{
    uint64_t bits = 0;

    if (getrandom(&bits, sizeof bits, 0) == sizeof bits)
        return arena_printf(arena, "%016" PRIx64, bits);
    /* uncovered: the system always has random bits */
    error_set(err, ERROR_SYSTEM, "the system has no random bits for us");
    return NULL; /* uncovered: the same */
}

bool migration_open(struct migration *m, const struct request *request, struct error *err)
{
    *m = (struct migration){.request = request, .dsn = *request->dsn, .options = *request->options};
    m->arena = request->arena;
    m->plan.arena = m->arena;
    m->grace = grace_new();
    m->cancel = cancel_new(request->cancel);
    m->plan.run = name_run(m->arena, err);
    m->db = m->plan.run ? db_open(request->dsn, "control", err) : NULL;
    return m->db != NULL;
}

void migration_close(struct migration *m)
{
    migration_keep_no_more(m);
    db_close(m->db);
    standing_orders_free(m->standing);
    grace_free(m->grace);
    cancel_free(m->cancel);
}

bool migration_plan(struct migration *m, const char *schema, const char *table, const char *alter,
                    struct error *err)
{
    if (!plan_source(&m->plan, m->db, schema, table, alter, err))
        return false;
    m->dsn.database = m->plan.source->schema;
    return true;
}

void migration_plan_names(struct migration *m)
{
    plan_names(&m->plan, m->db, m->state.schema, m->state.table, m->state.identity);
    m->dsn.database = m->plan.source->schema;
}

/* ---- finding one that exists ---- */

bool migration_is_over(const struct state_row *row)
{
    return strcmp(row->status, "done") == 0;
}

bool migration_is_aborting(const struct state_row *row)
{
    return strcmp(row->status, "aborting") == 0;
}

bool migration_refuse_half_aborted(const struct state_row *row, struct error *err)
{
    error_set(err, ERROR_REFUSED,
              "the abort of migration %" PRIu64 " of %s was begun and has not ended", row->id,
              row->table);
    return error_hint(err, "osc abort %" PRIu64 " removes the rest; %s is in use as before",
                      row->id, row->table);
}

static bool fits(const struct state_row *row, const struct request *request, uint64_t id,
                 enum find what)
{
    if (id)
        return row->id == id;
    if (what == FIND_RETIRED && (strcmp(row->status, "done") != 0 || !*row->retired))
        return false;
    return (what == FIND_RETIRED || !migration_is_over(row)) &&
           (!request->table || strcmp(row->table, request->table) == 0);
}

static bool find_nothing(const struct request *request, uint64_t id, enum find what,
                         struct error *err)
{
    const char *of = request->table ? " of " : "", *table = request->table ? request->table : "";

    if (id)
        error_set(err, ERROR_USAGE, "there is no migration %" PRIu64 " in this database", id);
    else if (what == FIND_RETIRED)
        error_set(err, ERROR_USAGE, "no retired table%s%s is left in this database", of, table);
    else
        error_set(err, ERROR_USAGE, "no migration%s%s is under way in this database", of, table);
    return error_hint(err, "osc history");
}

bool migration_find(struct migration *m, uint64_t id, enum find what, struct error *err)
{
    const struct request *request = m->request;
    struct state_row *rows = NULL;
    const struct state_row *found = NULL;
    size_t n = 0;

    m->n_fit = 0;
    if (!state_list(m->db, request->schema, m->arena, &rows, &n, err))
        return false;
    for (size_t i = 0; i < n; i++)
        if (fits(&rows[i], request, id, what)) {
            found = &rows[i];
            m->n_fit++;
        }
    if (!found)
        return find_nothing(request, id, what, err);
    if (m->n_fit > 1) {
        error_set(err, ERROR_USAGE, "more than one migration fits: name its ID");
        return error_hint(err, "osc status lists them; SCHEMA.ID tells two of one number apart");
    }
    /* What stands in the row is carried out. */
    if (!own_check(m->db, found->schema, STATE_TABLE, "", err))
        return false;
    m->state = *found;
    m->plan.id = found->id;
    return true;
}

/*
 * Whether the keeper of the run that has the lease still writes into the row.  What a run had
 * sent when it was killed may come late: two connections of it write there, one statement each.
 */
static bool look_for_heartbeat(struct migration *m, bool *beats, struct error *err)
{
    const uint64_t silence_ms = TUNED("SILENCE_MS", SILENCE_MS);
    struct deadline until = deadline_in_ms(silence_ms);
    const char *last = NULL, *now = NULL;
    unsigned moves = 0;
    const bool was_running = strcmp(m->state.status, "running") == 0;
    bool is_running = was_running;

    while (is_running == was_running && moves <= LAST_WORDS && !deadline_passed(&until)) {
        if (!state_heartbeat(m->db, m->state.schema, m->state.id, m->arena, &now, err) ||
            !state_is_running(m->db, m->state.schema, m->state.id, m->arena, &is_running, err))
            return false;
        if (last && strcmp(last, now) != 0) {
            moves++;
            until = deadline_in_ms(silence_ms);
        }
        last = now;
        if (!cancel_sleep_ms(m->cancel, LOOK_MS))
            return cancel_check(m->cancel, err); /* uncovered: cancelled in this pause */
    }
    *beats = moves > LAST_WORDS || is_running != was_running; /* it has just ended or begun */
    return true;
}

/*
 * The silence is only the reason for it.  What makes it safe is that the server
 * ends the connections of the other run, and lets none of them act again.
 */
static bool take_lease(struct migration *m, struct error *err)
{
    const char *key = m->plan.table_key;
    struct error trouble = ERROR_INIT;
    bool beats = true;

    if (server_take_lease(m->db, key, m->plan.run, err))
        return true;
    if (err->kind != ERROR_REFUSED || !m->state.id)
        return false;
    if (!look_for_heartbeat(m, &beats, &trouble)) {
        if (trouble.kind != ERROR_MISSING) /* else the other run has just ended with its row */
            *err = trouble;
        return false;
    }
    if (beats)
        return false;
    LOG(LOG_WARN, "a run that gives no sign of life is relieved", F("table", key),
        F("because", err->text));
    error_clear(err);
    return server_seize_lease(m->db, key, m->plan.run, err);
}

bool migration_find_again(struct migration *m, struct state_row **found, struct error *err)
{
    struct state_row *rows = NULL;
    size_t n = 0;

    *found = NULL;
    if (!state_list(m->db, m->state.schema, m->arena, &rows, &n, err))
        return false;
    for (size_t i = 0; i < n; i++)
        if (rows[i].id == m->state.id)
            *found = &rows[i];
    return true;
}

bool migration_read_again(struct migration *m, struct error *err)
{
    struct state_row *found = NULL;

    if (!migration_find_again(m, &found, err))
        return false;
    if (found) {
        m->state = *found;
        return true;
    }
    error_set(err, ERROR_USAGE, "migration %" PRIu64 " was aborted meanwhile", m->state.id);
    return error_hint(err, "osc history");
}

bool migration_take_over(struct migration *m, struct error *err)
{
    static const struct {
        const char *prefix;
        unsigned n;
    } roles[] = {
        {"copy-",    MOST_WORKERS },
        {"replay-",  MOST_LANES   },
        {"index-",   MOST_BUILDERS},
        {"cutover-", 2            },
    };

    if (!take_lease(m, err))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
        if (!server_fence_off(m->db, m->plan.table_key, roles[i].prefix, 0, roles[i].n, err))
            return false;
    /* The row was read before the lease was ours: the other run may have come further since. */
    return !m->state.id || migration_read_again(m, err);
}

/* ---- the durable row ---- */

bool migration_set(struct migration *m, const char *column, const char **field, const char *value,
                   struct error *err)
{
    if (!state_set(m->db, m->state.schema, m->state.id, column, value, err))
        return false;
    *field = arena_string(m->arena, value);
    return true;
}

/* ---- what several steps need ---- */

unsigned migration_threads(const struct migration *m)
{
    return options_threads(&m->options);
}

struct replay_job migration_replay_job(struct migration *m)
{
    /* Side by side only where lanes know the shadow's keys apart, too. */
    const unsigned threads = m->plan.key_may_merge ? 1 : migration_threads(m);

    return (struct replay_job){
        .plan = &m->plan,
        .dsn = &m->dsn,
        .grace = m->grace,
        .progress = m->request->progress,
        .throttle = m->throttle,
        .lanes = threads < 4 ? threads : 4,
        .patience = migration_patience(m),
    };
}

struct verify_job migration_verify_job(struct migration *m, struct cancel *cancel)
{
    return (struct verify_job){
        .plan = &m->plan,
        .dsn = &m->dsn,
        .throttle = m->throttle,
        .threads = migration_threads(m),
        .chunk_time_ms = m->options.chunk_time_ms,
        .cancel = cancel,
        .progress = m->request->progress,
        .has_journal = true,
        .max_reported = 20,
        .after = &m->compared,
    };
}

static bool analyze(struct db *db, void *migration, struct error *err)
{
    const struct migration *m = migration;

    return m->plan.dialect->shadow->analyze(db, &m->plan, err);
}

bool migration_analyze(struct migration *m, struct error *err)
{
    return interruptible(m->db, m->cancel, analyze, m, err);
}

bool migration_with_replay(struct migration *m, struct replay_job *job,
                           bool (*work)(struct migration *m, struct cancel *cancel,
                                        struct error *err),
                           struct error *err)
{
    struct group *group = group_new(m->cancel);
    struct error mine = ERROR_INIT, theirs = ERROR_INIT;

    bool good = group_start(group, "replay", replay_service, job, &mine) &&
                work(m, group_token(group), &mine);
    group_cancel(group);
    const bool replayed = group_join(group, &theirs);
    if (!replayed && (good || mine.kind == ERROR_CANCELLED))
        *err = theirs; /* replay failed, and our work was only cancelled because of it */
    else if (!good)
        *err = mine;
    return good && replayed;
}

struct patience migration_patience(const struct migration *m)
{
    return (struct patience){
        .lock_ms = m->options.lock_timeout_ms,
        .total_ms = m->options.cutover_timeout_ms,
        .kill_after_ms = m->options.kill_blockers_after_ms,
        .cancel = m->cancel,
    };
}
