/*
 * Keeper: the threads beside the steps.  The heartbeat writes progress into the
 * row and reads the operators' orders out of it; whatever must stop a run from
 * outside (a read-only server, a disk almost full) is noticed here.
 */
#include <inttypes.h>
#include <string.h>

#include "osc/base/clock.h"
#include "osc/base/fail.h"
#include "osc/base/group.h"
#include "osc/base/log.h"
#include "osc/base/metrics.h"
#include "osc/control/orders.h"
#include "osc/db/dialect.h"
#include "osc/db/disk.h"
#include "osc/db/replicas.h"
#include "osc/hook_points.h"
#include "osc/leave.h"
#include "osc/long_work.h"
#include "osc/migration.h"
#include "osc/output.h"
#include "osc/progress_view.h"
#include "osc/throttle_view.h"

enum { BEAT_MS = 1000 };

static void describe_throttle(const struct progress *progress, struct text *json)
{
    struct throttle_view view;

    throttle_view_read(&view, progress);
    json_t *object = throttle_view_json(&view);
    char *words = json_dumps(object, JSON_COMPACT);
    text_printf(json, ",\"throttle\":%s}", words);
    free(words);
    json_decref(object);
}

static void describe_progress(const struct progress *progress, struct text *json)
{
    const char *step = atomic_load(&progress->step);

    text_printf(
        json,
        "{\"step\":\"%s\",\"step_number\":%u,\"steps\":%u,\"rows_copied\":%" PRIu64
        ",\"rows_expected\":%" PRIu64 ",\"units_copied\":%" PRIu64 ",\"units_expected\":%" PRIu64
        ",\"rows_verified\":%" PRIu64 ",\"backlog\":%" PRIu64 ",\"replayed\":%" PRIu64
        ",\"threads\":%u,\"attempts\":%u,\"replicas\":%u"
        ",\"replicas_unknown\":%u,\"replica_lag_ms\":%" PRIu64
        ",\"rests\":%u,\"is_at_rest\":%u,\"rests_until\":%" PRId64 ",\"heeded\":%" PRIu64,
        step ? step : "", atomic_load(&progress->step_number), atomic_load(&progress->steps),
        (uint64_t)atomic_load(&progress->rows_copied),
        (uint64_t)atomic_load(&progress->rows_expected),
        (uint64_t)atomic_load(&progress->units_copied),
        (uint64_t)atomic_load(&progress->units_expected),
        (uint64_t)atomic_load(&progress->rows_verified), (uint64_t)atomic_load(&progress->backlog),
        (uint64_t)atomic_load(&progress->replayed), atomic_load(&progress->threads),
        atomic_load(&progress->attempts), atomic_load(&progress->replicas),
        atomic_load(&progress->replicas_unknown), (uint64_t)atomic_load(&progress->replica_lag_ms),
        atomic_load(&progress->rests), (unsigned)atomic_load(&progress->is_at_rest),
        (int64_t)atomic_load(&progress->rests_until), (uint64_t)atomic_load(&progress->heeded));
    describe_throttle(progress, json);
}

/* What only a run can know that has looked for a while. */
static void describe_pace(const struct progress_view *view, struct text *json)
{
    json_t *pace = json_pack("{s:f, s:f, s:f, s:o, s:i}", "rows_per_s", view->rows_per_s, "eta_s",
                             view->eta_s, "eta_other_s", view->eta_other_s, "server_words",
                             output_string(view->server_words ? view->server_words : ""),
                             "server_permille", view->server_permille);
    char *dump = json_dumps(pace, JSON_COMPACT);

    json->bytes[--json->length] = '\0'; /* the bracket */
    text_printf(json, ",\"pace\":%s}", dump);
    free(dump);
    json_decref(pace);
}

/* Once, for the first reason, and only as long as there is something to be stopped. */
static void stop(struct migration *m, const struct error *why)
{
    if (m->stopped.kind == ERROR_NONE &&
        atomic_load(&m->request->progress->step_number) <= STEP_FINISH) {
        m->stopped = *why;
        LOG(LOG_WARN, "stopping", F("because", why->text));
        cancel_set(m->cancel);
    }
}

/*
 * Whoever may write to a read-only server all the same would go on, up to a swap
 * that the server which takes its place never hears of.
 */
static void heed_server(struct migration *m, struct db *db)
{
    struct error trouble = ERROR_INIT;

    if (!db_is_lost(db) && !server_check_writable(db, &trouble) && trouble.kind == ERROR_SERVER)
        stop(m, &trouble);
}

/* The last of the room is the application's. */
static void heed_disk(struct migration *m, struct disk *disk)
{
    struct error trouble = ERROR_INIT;

    if (!disk_check(disk, &trouble))
        stop(m, &trouble);
}

static void heed_orders(struct migration *m, const struct orders *orders, bool *is_new)
{
    *is_new = orders->number != atomic_load(&m->request->progress->heeded);
    leave_take(m, orders);
    if (strcmp(orders->wish, "abort") != 0)
        return;
    LOG(LOG_INFO, "abort wished by an operator");
    atomic_store(&m->abort_wished, true);
    cancel_set(m->cancel);
}

/* Index builds and ANALYZE: statements that only the server knows about. */
static void heed_long_work(struct migration *m, struct db *db)
{
    const unsigned number = atomic_load(&m->request->progress->step_number);

    if (number == STEP_INDEXES + 1 || number == STEP_CATCH_UP + 1)
        long_work_look(&m->plan, db, m->request->progress);
    else
        long_work_forget(m->request->progress);
}

/* A heartbeat that cannot be written harms nobody: the lease is what protects. */
static bool keep(void *argument, struct cancel *cancel, struct error *err)
{
    struct migration *m = argument;
    struct arena *arena = arena_new();
    struct disk disk = {.arena = arena_new()}; /* the run's own is the main thread's */
    struct db *db = NULL;
    struct progress_meter meter = {.step = NULL};
    struct progress_view pace;
    bool knows_disk = false, has_news = false;

    do {
        AUTO(text) json = TEXT_INIT;
        struct error trouble = ERROR_INIT;
        struct orders orders;
        has_news = false;
        arena_reset(arena);
        describe_progress(m->request->progress, &json);
        progress_read(&meter, m->request->progress, clock_ms(), &pace);
        describe_pace(&pace, &json);
        if (db && db_is_lost(db)) {
            db_close(db);
            db = NULL;
        }
        if (!db && (db = db_open(&m->dsn, "keeper", &trouble)) != NULL && !knows_disk)
            knows_disk = disk_find(db, &disk, &trouble);
        heed_disk(m, &disk);
        if (!db || !state_beat(db, m->plan.source->schema, m->plan.id, json.bytes, arena, &orders,
                               &trouble)) {
            metrics_add(COUNT_HEARTBEATS_FAILED, 1);
            LOG(LOG_WARN, "heartbeat not written", F("error", trouble.text));
        } else {
            metrics_beat();
            heed_orders(m, &orders, &has_news);
        }
        if (db)
            heed_server(m, db);
        if (db && !db_is_lost(db))
            heed_long_work(m, db);
        /* Whoever has given an order waits to see it heeded. */
    } while (cancel_sleep_ms(cancel, has_news ? 0 : TUNED("BEAT_MS", BEAT_MS)));
    db_close(db);
    arena_free(disk.arena);
    arena_free(arena);
    (void)err;
    return true;
}

static void note_lag(void *throttle, bool is_known, uint64_t lag_ms)
{
    throttle_note_lag(throttle, is_known, lag_ms);
}

/* Beside the heartbeat, which waits for nobody. */
static bool watch_replicas(void *argument, struct cancel *cancel, struct error *err)
{
    const struct migration *m = argument;
    const struct replicas_job job = {
        .primary = &m->dsn,
        .limits = &m->limits,
        .heartbeat = &m->heartbeat,
        .progress = m->request->progress,
        .owner = m->throttle,
        .seen = note_lag,
    };

    replicas_watch(&job, cancel);
    (void)err;
    return true;
}

bool migration_keep(struct migration *m, struct error *err)
{
    m->keeper = group_new(NULL);
    m->limits = options_limits(&m->options);
    m->heartbeat = state_heartbeat_words(m->db, m->state.schema, m->state.id, m->arena);
    const struct throttle_job throttle = {
        .dsn = &m->dsn,
        .progress = m->request->progress,
        .threads = migration_threads(m),
        .minds_company = !m->options.threads,
        .limits = &m->limits,
        .heartbeat = &m->heartbeat,
    };
    m->throttle = throttle_start(&throttle, err);
    return m->throttle && group_start(m->keeper, "keeper", keep, m, err) &&
           group_start(m->keeper, "replicas", watch_replicas, m, err) &&
           (!m->hooks || group_start(m->keeper, "hooks", hook_points_watch, m, err));
}

void migration_keep_no_more(struct migration *m)
{
    struct error ignored = ERROR_INIT;

    if (!m->keeper)
        return;
    group_cancel(m->keeper);
    (void)!group_join(m->keeper, &ignored);
    throttle_stop(m->throttle);
    m->keeper = NULL;
    m->throttle = NULL;
}
