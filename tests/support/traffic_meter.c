#include "traffic_meter.h"

#include "traffic_link.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t meter_now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static size_t bucket_of(uint64_t us)
{
    if (us < 16)
        return (size_t)us;
    const unsigned octave = 63u - (unsigned)__builtin_clzll(us);
    return (octave - 3) * 16 + (size_t)(us >> (octave - 4) & 15);
}

static double bucket_us(size_t bucket)
{
    if (bucket < 16)
        return (double)bucket;
    return (double)((16 + bucket % 16) << (bucket / 16 - 1)) * 1.03; /* its middle */
}

static void observe(struct histogram *h, int64_t us)
{
    const uint64_t taken = us > 0 ? (uint64_t)us : 0;
    h->count++;
    h->buckets[bucket_of(taken)]++;
    if (taken > h->most)
        h->most = taken;
}

static double quantile_ms(const struct histogram *h, double q)
{
    uint64_t below = 0;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        below += h->buckets[i];
        if (below > 0 && (double)below >= q * (double)h->count) {
            const double us = bucket_us(i);
            return (us < (double)h->most ? us : (double)h->most) / 1000;
        }
    }
    return 0;
}

static struct traffic_latency latency_of(const struct histogram *h)
{
    return (struct traffic_latency){
        .count = h->count,
        .p50_ms = quantile_ms(h, 0.50),
        .p95_ms = quantile_ms(h, 0.95),
        .p99_ms = quantile_ms(h, 0.99),
        .max_ms = (double)h->most / 1000,
    };
}

static struct meter_phase *current_phase(struct meter *m)
{
    return m->phases[m->phase_count - 1];
}

static void begin_phase(struct meter *m, const char *label)
{
    const int64_t now = meter_now_us();
    if (m->phase_count > 0)
        current_phase(m)->end_us = now;
    if (m->phase_count == TRAFFIC_MAX_PHASES)
        return;
    struct meter_phase *phase = must(calloc(1, sizeof(*phase)));
    strncpy(phase->label, label, sizeof(phase->label) - 1);
    phase->start_us = now;
    m->phases[m->phase_count++] = phase;
}

void meter_init(struct meter *m)
{
    struct timespec wall;
    clock_gettime(CLOCK_REALTIME, &wall);
    *m = (struct meter){.start_us = meter_now_us()};
    m->start_unix = (double)wall.tv_sec + (double)wall.tv_nsec / 1e9;
    m->progress_us = m->start_us;
    pthread_mutex_init(&m->lock, NULL);
    begin_phase(m, "start");
}

void meter_free(struct meter *m)
{
    for (size_t i = 0; i < m->phase_count; i++)
        free(m->phases[i]);
    free(m->seconds);
    free(m->slices);
    pthread_mutex_destroy(&m->lock);
}

void meter_mark(struct meter *m, const char *label)
{
    pthread_mutex_lock(&m->lock);
    begin_phase(m, label);
    pthread_mutex_unlock(&m->lock);
}

void meter_write_begins(struct meter *m, int64_t scheduled_us)
{
    pthread_mutex_lock(&m->lock);
    if (m->wanted++ == 0)
        m->progress_us = scheduled_us;
    pthread_mutex_unlock(&m->lock);
}

void meter_standstill(struct meter *m)
{
    pthread_mutex_lock(&m->lock);
    m->progress_us = meter_now_us();
    pthread_mutex_unlock(&m->lock);
}

static void take_stall(struct meter *m, struct traffic_stall *longest, int64_t us)
{
    if ((double)us / 1000 <= longest->ms)
        return;
    longest->ms = (double)us / 1000;
    longest->at_s = (double)(m->progress_us - m->start_us) / 1e6;
    longest->at_unix = m->start_unix + longest->at_s;
    memcpy(longest->phase, current_phase(m)->label, sizeof(longest->phase));
}

static void count_second(struct meter *m, int64_t now)
{
    const size_t second = (size_t)((now - m->start_us) / 1000000);
    if (second >= m->second_room) {
        const size_t room = (second + 1) * 2;
        m->seconds = must(realloc(m->seconds, room * sizeof(*m->seconds)));
        memset(m->seconds + m->second_room, 0, (room - m->second_room) * sizeof(*m->seconds));
        m->second_room = room;
    }
    if (second >= m->second_count)
        m->second_count = second + 1;
    m->seconds[second]++;
}

static struct traffic_slice *slice_at(struct meter *m, int64_t now)
{
    const size_t slice = (size_t)((now - m->start_us) / 1000 / TRAFFIC_SLICE_MS);
    if (slice >= m->slice_room) {
        const size_t room = (slice + 1) * 2;
        m->slices = must(realloc(m->slices, room * sizeof(*m->slices)));
        memset(m->slices + m->slice_room, 0, (room - m->slice_room) * sizeof(*m->slices));
        m->slice_room = room;
    }
    if (slice >= m->slice_count)
        m->slice_count = slice + 1;
    return &m->slices[slice];
}

static void count_slice(uint32_t *count, double *most_ms, int64_t us)
{
    (*count)++;
    if ((double)us / 1000 > *most_ms)
        *most_ms = (double)us / 1000;
}

static void take_progress(struct meter *m, int64_t scheduled_us, int64_t now, bool committed)
{
    struct meter_phase *phase = current_phase(m);
    take_stall(m, &m->stall, now - m->progress_us);
    take_stall(m, &phase->stall, now - m->progress_us);
    m->progress_us = now;
    observe(&m->write, now - scheduled_us);
    observe(&phase->write, now - scheduled_us);
    struct traffic_slice *slice = slice_at(m, now);
    count_slice(&slice->writes, &slice->write_max_ms, now - scheduled_us);
    if (committed) {
        m->counters.commits++;
        phase->commits++;
        count_second(m, now);
    }
}

void meter_write_ends(struct meter *m, int64_t scheduled_us, enum write_end end)
{
    pthread_mutex_lock(&m->lock);
    m->wanted--;
    m->counters.transactions++;
    m->counters.refused += end == WRITE_REFUSED;
    m->counters.unknown += end == WRITE_UNKNOWN;
    if (end == WRITE_COMMITTED || end == WRITE_ROLLED_BACK)
        take_progress(m, scheduled_us, meter_now_us(), end == WRITE_COMMITTED);
    pthread_mutex_unlock(&m->lock);
}

void meter_statement(struct meter *m, int64_t us)
{
    pthread_mutex_lock(&m->lock);
    m->counters.statements++;
    observe(&m->statement, us);
    pthread_mutex_unlock(&m->lock);
}

void meter_read(struct meter *m, int64_t scheduled_us)
{
    pthread_mutex_lock(&m->lock);
    const int64_t now = meter_now_us();
    struct traffic_slice *slice = slice_at(m, now);
    m->counters.reads++;
    observe(&m->read, now - scheduled_us);
    observe(&current_phase(m)->read, now - scheduled_us);
    count_slice(&slice->reads, &slice->read_max_ms, now - scheduled_us);
    pthread_mutex_unlock(&m->lock);
}

void meter_operation(struct meter *m, size_t operation)
{
    pthread_mutex_lock(&m->lock);
    m->operations[operation]++;
    pthread_mutex_unlock(&m->lock);
}

static struct traffic_failure *find_failure(struct meter *m, const char *operation,
                                            const char *code, const char *text)
{
    for (size_t i = 0; i < m->failure_count; i++) {
        struct traffic_failure *f = &m->failures[i];
        if (strcmp(f->code, code) == 0 && strcmp(f->operation, operation) == 0)
            return f;
    }
    if (m->failure_count == TRAFFIC_MAX_FAILURES)
        return NULL;
    struct traffic_failure *f = &m->failures[m->failure_count++];
    snprintf(f->code, sizeof(f->code), "%s", code);
    snprintf(f->text, sizeof(f->text), "%s", text);
    snprintf(f->operation, sizeof(f->operation), "%s", operation);
    memcpy(f->phase, current_phase(m)->label, sizeof(f->phase));
    f->first_s = (double)(meter_now_us() - m->start_us) / 1e6;
    return f;
}

void meter_error(struct meter *m, const char *operation, const char *code, const char *text)
{
    pthread_mutex_lock(&m->lock);
    m->counters.errors++;
    current_phase(m)->errors++;
    struct traffic_failure *f = find_failure(m, operation, code, text);
    if (f)
        f->count++;
    pthread_mutex_unlock(&m->lock);
}

void meter_connection_lost(struct meter *m)
{
    pthread_mutex_lock(&m->lock);
    m->counters.connections_lost++;
    pthread_mutex_unlock(&m->lock);
}

static void report_phases(const struct meter *m, struct traffic_report *report, int64_t now)
{
    report->phase_count = m->phase_count;
    for (size_t i = 0; i < m->phase_count; i++) {
        const struct meter_phase *from = m->phases[i];
        const int64_t end = from->end_us ? from->end_us : now;
        struct traffic_phase *to = &report->phases[i];
        memcpy(to->label, from->label, sizeof(to->label));
        to->start_s = (double)(from->start_us - m->start_us) / 1e6;
        to->seconds = (double)(end - from->start_us) / 1e6;
        to->commits = from->commits;
        to->errors = from->errors;
        to->write = latency_of(&from->write);
        to->read = latency_of(&from->read);
        to->stall = from->stall;
    }
}

void meter_report(struct meter *m, struct traffic_report *report)
{
    pthread_mutex_lock(&m->lock);
    const int64_t now = meter_now_us();
    report->seconds = (double)(now - m->start_us) / 1e6;
    report->counters = m->counters;
    report->write = latency_of(&m->write);
    report->statement = latency_of(&m->statement);
    report->read = latency_of(&m->read);
    report->stall = m->stall;
    report_phases(m, report, now);
    report->failure_count = m->failure_count;
    memcpy(report->failures, m->failures, sizeof(report->failures));
    report->second_count = m->second_count;
    report->commits_per_second = must(calloc(m->second_count + 1, sizeof(uint32_t)));
    if (m->second_count > 0)
        memcpy(report->commits_per_second, m->seconds, m->second_count * sizeof(uint32_t));
    report->slice_count = m->slice_count;
    report->slices = must(calloc(m->slice_count + 1, sizeof(*report->slices)));
    if (m->slice_count > 0)
        memcpy(report->slices, m->slices, m->slice_count * sizeof(*report->slices));
    pthread_mutex_unlock(&m->lock);
}
