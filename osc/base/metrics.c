#include "osc/base/metrics.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MOST_BOUNDS = 14, MOST_WORDED = 64, WORD = 80 };

/* ---- what there is ---- */

/* Rows of one name stand together: HELP and TYPE come once. */
static const struct {
    enum counter counter;
    const char *name, *labels, *help;
} counters[] = {
    {COUNT_LOCKS_GENTLE,        "osc_lock_attempts_total",           "manner=\"gentle\"",
     "Attempts to lock the source; queued ones make its writers wait."                                                                },
    {COUNT_LOCKS_QUEUED,        "osc_lock_attempts_total",           "manner=\"queued\"",     ""                                      },
    {COUNT_LOCKS_DDL,           "osc_lock_attempts_total",           "manner=\"ddl\"",        ""                                      },
    {COUNT_LOCKS_GENTLE_FAILED, "osc_lock_attempts_failed_total",    "manner=\"gentle\"",
     "Of these, the ones that did not do what they were for, and gave everything back."                                               },
    {COUNT_LOCKS_QUEUED_FAILED, "osc_lock_attempts_failed_total",    "manner=\"queued\"",     ""                                      },
    {COUNT_LOCKS_DDL_FAILED,    "osc_lock_attempts_failed_total",    "manner=\"ddl\"",        ""                                      },
    {COUNT_RANGES,              "osc_verify_ranges_total",           "",                      "Key ranges compared by the verifier."  },
    {COUNT_RANGES_AGAIN,        "osc_verify_ranges_rechecked_total", "",
     "Of these, the ones looked at again, mostly because of writes in flight."                                                        },
    {COUNT_ROWS_DIFFERING,      "osc_verify_rows_differing_total",   "",
     "Rows proved to differ between source and shadow."                                                                               },
    {COUNT_VERIFIED_EQUAL,      "osc_verifications_total",           "outcome=\"equal\"",
     "Verifications of the whole table that came to a verdict."                                                                       },
    {COUNT_VERIFIED_DIFFER,     "osc_verifications_total",           "outcome=\"different\"", ""                                      },
    {COUNT_HEARTBEATS,          "osc_heartbeats_total",              "",                      "Heartbeats written to the state table."},
    {COUNT_HEARTBEATS_FAILED,   "osc_heartbeats_failed_total",       "",
     "Heartbeats that could not be written."                                                                                          },
};
static_assert(ARRAY_SIZE(counters) == COUNTERS, "every counter has its row");

/* Upper bounds in microseconds, ascending; the last bucket has none. */
static const struct {
    enum histogram histogram;
    const char *name, *help;
    uint64_t bounds[MOST_BOUNDS];
} histograms[] = {
    {TIME_CHUNK,
     "osc_copy_chunk_duration_seconds",   "Time of one chunk of the backfill, its retries included.",
     {5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000}   },
    {TIME_RANGE,
     "osc_verify_range_duration_seconds", "Time of one range of the verification.",
     {5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000}   },
    {TIME_BATCH,
     "osc_replay_batch_duration_seconds", "Time of one batch of captured writes replayed into the shadow.",
     {1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 10000000}},
    {TIME_STALL,
     "osc_cutover_stall_seconds",         "Longest time that writers may have waited for one attempt to swap: from asking for the lock "
     "to giving it back.",                                                 {500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000,
      5000000}                       },
};
static_assert(ARRAY_SIZE(histograms) == HISTOGRAMS, "every histogram has its row");

/* ---- counting ---- */

/* What is counted under words that are not known beforehand. */
struct worded {
    char words[2][WORD];
    uint64_t n;
};
struct worded_list {
    struct worded list[MOST_WORDED];
    size_t count;
};

static atomic_uint_fast64_t counts[COUNTERS];
static struct {
    atomic_uint_fast64_t buckets[MOST_BOUNDS + 1]; /* not cumulative */
    atomic_uint_fast64_t sum_us;
} times[HISTOGRAMS];
static atomic_uint_fast64_t last_beat_s;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct worded_list errors GUARDED_BY(lock);
static struct worded_list throttled GUARDED_BY(lock); /* microseconds */

void metrics_add(enum counter counter, uint64_t n)
{
    atomic_fetch_add_explicit(&counts[counter], n, memory_order_relaxed);
}

uint64_t metrics_count(enum counter counter)
{
    return atomic_load(&counts[counter]);
}

void metrics_time(enum histogram histogram, uint64_t us)
{
    const uint64_t *bounds = histograms[histogram].bounds;
    size_t at = 0;

    while (at < MOST_BOUNDS && bounds[at] && us > bounds[at])
        at++;
    atomic_fetch_add_explicit(&times[histogram].buckets[at], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&times[histogram].sum_us, us, memory_order_relaxed);
}

void metrics_beat(void)
{
    metrics_add(COUNT_HEARTBEATS, 1);
    atomic_store(&last_beat_s, (uint64_t)time(NULL));
}

uint64_t metrics_last_beat_s(void)
{
    return atomic_load(&last_beat_s);
}

/* Beyond what fits everything is counted together: labels must not grow without end. */
static void add_worded(struct worded_list *all, const char *first, const char *second, uint64_t n)
{
    size_t at = 0;

    pthread_mutex_lock(&lock);
    while (at < all->count && (strncmp(all->list[at].words[0], first, WORD - 1) != 0 ||
                               strncmp(all->list[at].words[1], second, WORD - 1) != 0))
        at++;
    if (at == MOST_WORDED)
        at--;
    if (at == all->count) {
        const bool is_last = ++all->count == MOST_WORDED;
        (void)strncpy(all->list[at].words[0], is_last ? "other" : first, WORD - 1);
        (void)strncpy(all->list[at].words[1], is_last ? "other" : second, WORD - 1);
    }
    all->list[at].n += n;
    pthread_mutex_unlock(&lock);
}

void metrics_error(const char *operation, const char *kind)
{
    add_worded(&errors, operation, kind, 1);
}

void metrics_throttled(const char *reason, uint64_t us)
{
    add_worded(&throttled, reason, "", us);
}

uint64_t metrics_errors(void)
{
    uint64_t n = 0;

    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < errors.count; i++)
        n += errors.list[i].n;
    pthread_mutex_unlock(&lock);
    return n;
}

void metrics_reset(void)
{
    for (size_t i = 0; i < COUNTERS; i++)
        atomic_store(&counts[i], 0);
    for (size_t h = 0; h < HISTOGRAMS; h++) {
        atomic_store(&times[h].sum_us, 0);
        for (size_t i = 0; i <= MOST_BOUNDS; i++)
            atomic_store(&times[h].buckets[i], 0);
    }
    atomic_store(&last_beat_s, 0);
    pthread_mutex_lock(&lock);
    errors = throttled = (struct worded_list){.count = 0};
    pthread_mutex_unlock(&lock);
}

/* ---- writing them down ---- */

static void add_escaped(struct text *out, const char *words, bool is_value)
{
    for (; *words; words++) {
        if (*words == '\n')
            text_add(out, "\\n");
        else if (*words == '\\' || (is_value && *words == '"'))
            text_printf(out, "\\%c", *words);
        else
            text_add_bytes(out, words, 1);
    }
}

void metrics_label(struct text *out, const char *name, const char *value)
{
    text_printf(out, "%s=\"", name);
    add_escaped(out, value, true);
    text_add(out, "\"");
}

void metrics_family(struct text *out, const char *name, const char *type, const char *help)
{
    text_printf(out, "# HELP %s ", name);
    add_escaped(out, help, false);
    text_printf(out, "\n# TYPE %s %s\n", name, type);
}

void metrics_sample(struct text *out, const char *name, const char *labels, const char *more,
                    double value)
{
    text_add(out, name);
    if (*labels || *more)
        text_printf(out, "{%s%s%s}", labels, *labels && *more ? "," : "", more);
    /* Whole numbers exactly, as far as a double holds them. */
    if (value == floor(value) && fabs(value) < 9e15)
        text_printf(out, " %.0f\n", value);
    else
        text_printf(out, " %.9g\n", value);
}

static void print_counters(struct text *out, const char *labels)
{
    for (size_t i = 0; i < COUNTERS; i++) {
        if (*counters[i].help)
            metrics_family(out, counters[i].name, "counter", counters[i].help);
        metrics_sample(out, counters[i].name, labels, counters[i].labels,
                       (double)atomic_load(&counts[counters[i].counter]));
    }
}

static void print_buckets(struct text *out, enum histogram h, const char *labels, uint64_t *n)
{
    AUTO(text) name = TEXT_INIT;

    text_printf(&name, "%s_bucket", histograms[h].name);
    for (size_t i = 0; i <= MOST_BOUNDS; i++) {
        char le[40] = "le=\"+Inf\"";
        const bool is_last = i == MOST_BOUNDS || !histograms[h].bounds[i];
        *n += atomic_load(&times[h].buckets[i]);
        if (!is_last)
            (void)snprintf(le, sizeof le, "le=\"%g\"", (double)histograms[h].bounds[i] / 1e6);
        metrics_sample(out, name.bytes, labels, le, (double)*n);
        if (is_last)
            return;
    }
}

static void print_histogram(struct text *out, enum histogram h, const char *labels)
{
    AUTO(text) name = TEXT_INIT;
    uint64_t n = 0; /* what the buckets said: the next chunk may end between two looks */

    metrics_family(out, histograms[h].name, "histogram", histograms[h].help);
    print_buckets(out, h, labels, &n);
    text_printf(&name, "%s_sum", histograms[h].name);
    metrics_sample(out, name.bytes, labels, "", (double)atomic_load(&times[h].sum_us) / 1e6);
    text_clear(&name);
    text_printf(&name, "%s_count", histograms[h].name);
    metrics_sample(out, name.bytes, labels, "", (double)n);
}

static void print_worded(struct text *out, const struct worded_list *all, const char *name,
                         const char *const *words, double unit, const char *labels)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < all->count; i++) {
        AUTO(text) more = TEXT_INIT;
        metrics_label(&more, words[0], all->list[i].words[0]);
        if (words[1]) {
            text_add(&more, ",");
            metrics_label(&more, words[1], all->list[i].words[1]);
        }
        metrics_sample(out, name, labels, more.bytes, (double)all->list[i].n * unit);
    }
    pthread_mutex_unlock(&lock);
}

static void print_words(struct text *out, const char *labels)
{
    static const char *const of_errors[] = {"operation", "kind"};
    static const char *const of_throttle[] = {"reason", NULL};

    metrics_family(out, "osc_sql_errors_total", "counter",
                   "Errors of the server, by the operation that met them and their kind.");
    print_worded(out, &errors, "osc_sql_errors_total", of_errors, 1, labels);
    metrics_family(out, "osc_throttled_seconds_total", "counter",
                   "Time that copy and verification were held back, by reason: its rate is the "
                   "part of full speed that was not used.");
    print_worded(out, &throttled, "osc_throttled_seconds_total", of_throttle, 1e-6, labels);
}

void metrics_print(struct text *out, const char *labels)
{
    print_counters(out, labels);
    for (enum histogram h = 0; h < HISTOGRAMS; h++)
        print_histogram(out, h, labels);
    print_words(out, labels);
    metrics_family(out, "osc_heartbeat_timestamp_seconds", "gauge",
                   "When the heartbeat was last written to the state table.");
    metrics_sample(out, "osc_heartbeat_timestamp_seconds", labels, "",
                   (double)metrics_last_beat_s());
}
