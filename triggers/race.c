#include "triggers/race.h"

#include <inttypes.h>
#include <math.h>

#include "osc/base/fail.h"
#include "osc/base/human.h"
#include "osc/base/log.h"
#include "triggers/journal.h"

enum { LOOK_EVERY_MS = 10000, MOST_COUNTED = 2000000 /* to count more takes too long */ };

static uint64_t most_counted(void)
{
    return TUNED("COUNTED", MOST_COUNTED);
}

void race_begin(struct race *race, const struct replay_job *job)
{
    const uint64_t now = clock_ms();

    *race = (struct race){
        .job = job,
        .next_ms = now + TUNED("RACE", LOOK_EVERY_MS),
        .last_ms = now,
        .stuck_ms = now,
        .backlog = UINT64_MAX,
        .least = UINT64_MAX,
        .replayed = atomic_load(&job->progress->replayed),
    };
}

/* Rates since the backlog was shortest: between two looks there may have been nothing. */
bool race_lost(const struct race *race, struct error *err)
{
    const char *name = race->job->plan->source->name;
    const uint64_t replayed = atomic_load(&race->job->progress->replayed) - race->least_replayed;
    const double seconds = (double)(clock_ms() - race->stuck_ms + 1) / 1000,
                 out = (double)replayed / seconds,
                 in = fmax(0, out + ((double)race->backlog - (double)race->least) / seconds);

    if (race->least != UINT64_MAX)
        error_set(err, ERROR_TRANSIENT,
                  "writes to %s come faster than they are replayed: %s entries/s come, %s/s are "
                  "replayed, %s%s wait",
                  name, human_count((uint64_t)in).text, human_count((uint64_t)out).text,
                  race->backlog >= most_counted() ? "about " : "", human_count(race->backlog).text);
    else
        /* uncovered: lost before it was measured */
        error_set(err, ERROR_TRANSIENT, "writes to %s come faster than they are replayed", name);
    return error_hint(err, "let the application write less for a while, or give more --threads, "
                           "then osc resume; nothing is lost meanwhile, but the journal grows");
}

static void measure(struct race *race, uint64_t backlog)
{
    const uint64_t now = clock_ms(), replayed = atomic_load(&race->job->progress->replayed);
    const double seconds = (double)(now - race->last_ms + 1) / 1000;
    const bool is_known = race->backlog != UINT64_MAX;

    race->out = (double)(replayed - race->replayed) / seconds;
    race->in =
        is_known ? fmax(0, race->out + ((double)backlog - (double)race->backlog) / seconds) : 0;
    race->backlog = backlog;
    race->replayed = replayed;
    race->last_ms = now;
}

bool race_goes_on(struct race *race, struct db *db, struct error *err)
{
    struct error ignored = ERROR_INIT; /* to look is not worth a failure */
    uint64_t backlog = race->backlog;

    if (clock_ms() < race->next_ms || db_is_lost(db))
        return true;
    (void)!journal_backlog(db, race->job->plan, most_counted(), &backlog, &ignored);
    measure(race, backlog);
    race->next_ms = clock_ms() + TUNED("RACE", LOOK_EVERY_MS);
    if (backlog < race->least - race->least / 50) {
        race->least = backlog;
        race->least_replayed = race->replayed;
        race->stuck_ms = clock_ms();
        return true;
    }
    LOG(LOG_WARN, "the backlog does not shrink", F("table", race->job->plan->source->name),
        FU("entries", backlog), FR("come_per_s", race->in), FR("replayed_per_s", race->out),
        FR("for_s", (double)(clock_ms() - race->stuck_ms) / 1000));
    return clock_ms() - race->stuck_ms < race->job->patience.total_ms || race_lost(race, err);
}
