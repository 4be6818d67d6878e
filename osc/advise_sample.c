#include "osc/advise_sample.h"

#include "osc/base/clock.h"
#include "osc/base/fail.h"
#include "osc/base/group.h"
#include "osc/base/human.h"
#include "osc/base/log.h"
#include "osc/base/status_line.h"
#include "osc/db/dialect.h"
#include "osc/db/replicas.h"

enum {
    INTERVALS = 20,
    SHORTEST_MS = 2000, /* some servers are told what a session did only once a second */
    LONGEST_MS = 10000,
    LEAST_MS = 900, /* less than this says nothing */
    SEARCH_MS = 2000,
};

struct moment {
    uint64_t at_ms;
    struct activity activity;
    struct table_activity table;
};

struct sampler {
    struct advice *advice;
    struct db *db;
    const struct sql_env *env; /* NULL: no table */
    struct deadline until;
    struct moment first, last;
    bool is_shown; /* on a terminal */
};

/* ---- looking ---- */

static bool take_look(struct sampler *s, struct moment *moment, struct error *err)
{
    const struct activity_dialect *counts = s->advice->counts;

    *moment = (struct moment){.table = {.usual_rows = -1}};
    if (!counts->look(s->db, &moment->activity, err) ||
        (s->env && !counts->look_at_table(s->db, s->env, &moment->table, err))) {
        if (!*err->hint)
            (void)error_hint(err, "nothing was changed: ask again when the server answers");
        return error_prefix(err, "looking at what the server does");
    }
    moment->at_ms = clock_ms();
    return true;
}

/* Counted later than our own, theirs may seem to run backwards. */
static double rate(uint64_t before, uint64_t now, const struct moment *a, const struct moment *b)
{
    const int64_t growth = (int64_t)(now - before);

    return growth > 0 ? (double)growth * 1000 / (double)(b->at_ms - a->at_ms) : 0;
}

struct rates {
    double work, rows, log, binlog, table;
};

static struct rates rates_of(const struct moment *a, const struct moment *b)
{
    const struct activity *from = &a->activity, *to = &b->activity;

    return (struct rates){
        .work = rate(from->work, to->work, a, b),
        .rows = rate(from->rows_written, to->rows_written, a, b),
        .log = rate(from->log_bytes, to->log_bytes, a, b),
        .binlog = rate(from->binlog_bytes, to->binlog_bytes, a, b),
        .table = rate(a->table.rows_written, b->table.rows_written, a, b),
    };
}

static void widen(struct spread *spread, double value, bool is_first)
{
    if (is_first || value < spread->least)
        spread->least = value;
    if (is_first || value > spread->most)
        spread->most = value;
}

static void add_interval(struct sampling *now, const struct rates *rates)
{
    const bool is_first = !now->intervals++;

    widen(&now->work, rates->work, is_first);
    widen(&now->rows, rates->rows, is_first);
    widen(&now->log, rates->log, is_first);
    widen(&now->binlog, rates->binlog, is_first);
    widen(&now->table, rates->table, is_first);
}

static void add_means(struct sampling *now, const struct rates *rates)
{
    now->work.mean = rates->work;
    now->rows.mean = rates->rows;
    now->log.mean = rates->log;
    now->binlog.mean = rates->binlog;
    now->table.mean = rates->table;
}

static void larger(uint64_t *most, uint64_t value)
{
    if (value > *most)
        *most = value;
}

/* What has no rate: the worst that was seen. */
static void add_moment(struct sampler *s, const struct activity *activity)
{
    struct sampling *now = &s->advice->now;
    const struct progress *progress = s->advice->request->progress;
    const unsigned replicas = atomic_load(&progress->replicas);
    const unsigned unknown = atomic_load(&progress->replicas_unknown);

    larger(&now->most_sessions, activity->sessions);
    larger(&now->longest_ms, activity->longest_ms);
    larger(&now->lag_ms, atomic_load(&progress->replica_lag_ms));
    now->replicas = replicas > now->replicas ? replicas : now->replicas;
    now->replicas_unknown = unknown > now->replicas_unknown ? unknown : now->replicas_unknown;
}

/* `work`: negative before there is a figure. */
static void show(const struct sampler *s, double work)
{
    const uint64_t left_s = (deadline_left_ms(&s->until) + 999) / 1000;
    AUTO(text) line = TEXT_INIT;

    if (!s->is_shown)
        return;
    text_printf(&line, "sampling, %s left", human_eta(left_s).text);
    if (work >= 0)
        text_printf(&line, ": %s %s/s", human_count((uint64_t)(work + 0.5)).text,
                    s->advice->counts->work);
    status_line_show(human_cut(line.bytes, status_line_columns() - 1, s->advice->request->arena));
}

/* ---- for a while ---- */

static uint64_t pause_ms(const struct sampler *s)
{
    const uint64_t part = TUNED("SAMPLE_MS", s->advice->request->options->sample_ms) / INTERVALS;
    const uint64_t every = part < SHORTEST_MS ? SHORTEST_MS : part > LONGEST_MS ? LONGEST_MS : part;
    const uint64_t left = deadline_left_ms(&s->until);

    return left < every ? left : every;
}

/* An interval that was cut off counts in the mean alone. */
static bool look_again(struct sampler *s, struct error *err)
{
    struct moment moment;

    if (!take_look(s, &moment, err))
        return false;
    add_moment(s, &moment.activity);
    if (moment.at_ms - s->last.at_ms < LEAST_MS)
        return true;
    const struct rates rates = rates_of(&s->last, &moment);
    add_interval(&s->advice->now, &rates);
    show(s, rates.work);
    s->last = moment;
    return true;
}

/* However early it is ended, something is to be told: another Ctrl-C ends the process. */
static bool look_a_last_time(struct sampler *s, struct error *err)
{
    struct cancel *never = cancel_new(NULL);

    while (clock_ms() - s->last.at_ms < LEAST_MS)
        (void)cancel_sleep_ms(never, LEAST_MS);
    cancel_free(never);
    return look_again(s, err);
}

static bool sample(struct sampler *s, struct error *err)
{
    struct cancel *cancel = s->advice->request->cancel;
    bool goes_on = true;

    if (!take_look(s, &s->first, err))
        return false;
    s->last = s->first;
    show(s, -1);
    while (goes_on && !deadline_passed(&s->until)) {
        goes_on = cancel_sleep_ms(cancel, pause_ms(s));
        if (!look_again(s, err))
            return false;
    }
    return s->advice->now.intervals || look_a_last_time(s, err);
}

static void conclude(struct sampler *s)
{
    struct advice *advice = s->advice;
    const struct activity *last = &s->last.activity;
    const struct rates means = rates_of(&s->first, &s->last);

    add_means(&advice->now, &means);
    advice->now.seconds = (double)(s->last.at_ms - s->first.at_ms) / 1000;
    advice->now.has_binlog = s->first.activity.has_binlog && last->has_binlog;
    advice->now.sees_transactions = last->sees_transactions;
    advice->usual_work = last->usual_work;
    advice->usual_rows = last->usual_rows;
    advice->counted_s = last->counted_s;
    advice->usual_table = s->last.table.usual_rows;
    advice->table_missing = s->last.table.missing;
}

/* ---- with an eye on the replicas ---- */

static bool watch_replicas(void *argument, struct cancel *cancel, struct error *err UNUSED)
{
    const struct replicas_job *job = argument;

    replicas_watch(job, cancel);
    return true;
}

/* Before that there seem to be none, and the search is work that is not the application's. */
static void await_replicas(const struct request *request)
{
    const struct deadline until = deadline_in_ms(SEARCH_MS);

    while (!atomic_load(&request->progress->replicas_sought) && !deadline_passed(&until) &&
           cancel_sleep_ms(request->cancel, 5))
        ;
}

static bool sample_beside_replicas(struct sampler *s, struct error *err)
{
    const struct request *request = s->advice->request;
    const struct limits limits = options_limits(request->options);
    struct replicas_job job = {
        .primary = request->dsn, .limits = &limits, .progress = request->progress};
    struct error ignored = ERROR_INIT;
    struct group *group = group_new(NULL);

    bool good = group_start(group, "replicas", watch_replicas, &job, err);
    if (good) {
        await_replicas(request);
        s->until = deadline_in_ms(TUNED("SAMPLE_MS", request->options->sample_ms));
        good = sample(s, err);
    }
    group_cancel(group);
    (void)!group_join(group, &ignored);
    return good;
}

bool advise_sample(struct advice *advice, struct db *db, struct error *err)
{
    const struct options *options = advice->request->options;
    struct sql_env env = {.arena = advice->request->arena};
    struct sampler s = {.advice = advice, .db = db};

    s.is_shown = status_line_possible() && !options->quiet && !options->json;
    if (advice->table) {
        sql_bind_literal(&env, db, "schema", advice->table->schema);
        sql_bind_literal(&env, db, "table", advice->table->name);
        s.env = &env;
    }
    advice->now.began = clock_calendar();
    if (s.is_shown)
        status_line_start();
    else
        LOG(LOG_INFO, "sampling", F("for", human_setting(options->sample_ms).text));
    const bool good = sample_beside_replicas(&s, err);
    if (s.is_shown)
        status_line_stop();
    if (good)
        conclude(&s);
    return good;
}
