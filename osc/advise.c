#include "osc/advise.h"

#include "osc/advise_sample.h"
#include "osc/base/clock.h"
#include "osc/db/dialect.h"
#include "osc/db/server.h"
#include "osc/plan/catalog_dialect.h"
#include "osc/samples.h"

/* ---- the hours ---- */

/* Asked before the sample is taken, which may be an hour. */
static bool has_place(const struct advice *advice, struct error *err)
{
    if (advice->file)
        return true;
    error_set(err, ERROR_USAGE, "there is no place to keep the sample in");
    return error_hint(err, "set HOME or XDG_STATE_HOME");
}

static bool record(struct advice *advice, struct error *err)
{
    const struct sampling *now = &advice->now;
    const struct sample sample = {
        .at = now->began, .seconds = now->seconds, .work = now->work.mean, .rows = now->rows.mean};

    advice->is_recorded = samples_add(advice->file, &sample, err);
    return advice->is_recorded;
}

static bool find_quiet_hours(struct advice *advice, struct error *err)
{
    struct arena *arena = advice->request->arena;
    struct quiet_week week = {{{0}}};
    struct samples samples = {.n = 0};
    AUTO(text) window = TEXT_INIT;

    if (advice->file && !samples_load(advice->file, clock_calendar(), arena, &samples, err))
        return false;
    for (size_t i = 0; i < samples.n; i++)
        quiet_note(&week, advice->zone, samples.list[i].at, samples.list[i].seconds,
                   samples.list[i].work);
    quiet_choose(&week, ADVISE_CALM, &advice->choice);
    advice->senseless = samples.senseless;
    if (samples.n) {
        advice->first = samples.list[0].at;
        advice->last = samples.list[samples.n - 1].at;
    }
    if (advice->choice.verdict == QUIET_SOME) {
        quiet_write(advice->choice.open, &window);
        advice->window = arena_string(arena, window.bytes);
    }
    return true;
}

/* ---- the table ---- */

static bool find_table(struct advice *advice, struct db *db, struct error *err)
{
    const struct request *request = advice->request;
    struct table *table = NULL;

    if (!request->table)
        return true;
    if (!db_dialect(db)->catalog->load(db, request->schema, request->table, request->arena, &table,
                                       err))
        return false;
    advice->table = table;
    return true;
}

static bool foretell(struct advice *advice, struct db *db, struct error *err)
{
    const struct plan plan = {
        .dialect = db_dialect(db), .facts = db_facts(db), .source = advice->table};
    struct window window;

    if (!advice->table)
        return true;
    if (!estimate_duration(db, &plan, true, &advice->duration, err) ||
        (advice->window && !window_parse(advice->window, &window, err)))
        return false;
    if (advice->window && advice->duration.likely_s > 0)
        advice->will_do = quiet_openings(&window, advice->zone, clock_calendar(),
                                         (int64_t)advice->duration.likely_s + 1, &advice->openings,
                                         &advice->done_at);
    return true;
}

/* ---- what it comes to ---- */

double advice_ratio(const struct advice *advice)
{
    return advice->usual_work > 0 ? advice->now.work.mean / advice->usual_work : -1;
}

const char *advice_verdict(const struct advice *advice)
{
    const double ratio = advice_ratio(advice);

    return advice->now.work.mean < ADVISE_CALM ? "quiet"
           : ratio < 0                         ? "unknown"
           : ratio < 0.67                      ? "quieter than usual"
           : ratio > 1.5                       ? "busier than usual"
                                               : "as usual";
}

/* The triggers note what is written between the windows, too. */
double advice_captured(const struct advice *advice)
{
    const double seconds =
        advice->will_do ? (double)(advice->done_at - clock_calendar()) : advice->duration.likely_s;

    return advice->now.table.mean * seconds;
}

bool advise(const struct request *request, struct advice *advice, struct error *err)
{
    const struct options *options = request->options;
    struct db *db = db_open(request->dsn, "advise", err);

    if (!db)
        return false;
    *advice = (struct advice){
        .request = request,
        .vendor = db_facts(db)->vendor,
        .version = arena_string(request->arena, db_facts(db)->version),
        .counts = db_dialect(db)->activity,
        .zone = zone_open(options->time_zone, request->arena, err),
        .file = samples_file(request->dsn, request->arena),
    };
    const bool good = advice->zone && (!options->record || has_place(advice, err)) &&
                      find_table(advice, db, err) && advise_sample(advice, db, err) &&
                      (!options->record || record(advice, err)) && find_quiet_hours(advice, err) &&
                      foretell(advice, db, err);
    db_close(db);
    return good;
}
