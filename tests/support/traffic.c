#include "traffic_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool fail(struct traffic_error *err, const char *what, const char *which)
{
    snprintf(err->text, sizeof(err->text), "%s %s", what, which ? which : "");
    return false;
}

static const char *keep(struct traffic *t, const char *text)
{
    char *copy = must(strdup(text));
    t->owned[t->owned_count++] = copy;
    return copy;
}

static void name_columns(struct traffic *t, const struct traffic_options *options)
{
    struct target *target = &t->target;
    for (; target->shape->columns[target->column_count].name; target->column_count++) {
        const size_t i = target->column_count;
        const char *name = target->shape->columns[i].name;
        target->used[i] = true;
        target->names[0][i] = target->names[1][i] = name;
        for (const char *const *p = options->ignore; p && *p; p++)
            if (strcmp(*p, name) == 0 && i >= target->shape->key_count)
                target->used[i] = false;
        for (const struct traffic_rename *r = options->renames; r && r->from; r++) {
            if (strcmp(r->from, name) == 0) {
                target->names[1][i] = keep(t, r->to);
                t->renames = true;
            }
        }
    }
}

bool target_make(struct traffic *t, const struct traffic_options *options,
                 struct traffic_error *err)
{
    const struct link_kind *kind = link_kind_of(options->dsn);
    const char *shape = options->shape ? options->shape : "users";
    if (!kind)
        return fail(err, "the DSN must begin with postgres://, mysql:// or mariadb://", NULL);
    t->target.shape = shape_find(shape);
    if (!t->target.shape)
        return fail(err, "there is no shape", shape);
    t->dsn = must(strdup(options->dsn));
    t->target.family = kind->family;
    t->target.table = keep(t, options->table ? options->table : t->target.shape->table);
    t->target.schema = options->schema ? keep(t, options->schema) : NULL;
    name_columns(t, options);
    return true;
}

static void set_options(struct traffic *t, const struct traffic_options *options)
{
    struct traffic_options *o = &t->options;
    *o = *options;
    o->writers = o->writers ? o->writers : 8;
    o->seed = o->seed ? o->seed : 1;
    o->statement_timeout_ms = o->statement_timeout_ms ? o->statement_timeout_ms : 30000;
    o->connect_timeout_ms = o->connect_timeout_ms ? o->connect_timeout_ms : 30000;
    o->bulk_rows = o->bulk_rows ? o->bulk_rows : 500;
}

static bool parse_choice(struct traffic *t, const char *choice, struct traffic_error *err)
{
    const size_t length = strcspn(choice, ",=");
    const char *equals = choice[length] == '=' ? choice + length + 1 : NULL;
    const bool standard = length == 8 && strncmp(choice, "standard", 8) == 0;
    bool found = standard;
    for (size_t i = 0; i < operation_count; i++) {
        const struct operation *o = &operations[i];
        if (standard && !(o->flags & NEEDS_POSTGRES && t->target.family != FAMILY_POSTGRES))
            t->weights[i] = o->weight;
        if (strlen(o->name) != length || strncmp(o->name, choice, length) != 0)
            continue;
        t->weights[i] = equals ? (unsigned)strtoul(equals, NULL, 10) : o->weight;
        found = true;
    }
    return found || fail(err, "no operation is called", choice);
}

bool mix_parse(struct traffic *t, const char *mix, struct traffic_error *err)
{
    for (const char *choice = mix ? mix : "standard"; *choice;) {
        if (!parse_choice(t, choice, err))
            return false;
        choice += strcspn(choice, ",");
        choice += *choice == ',';
    }
    return true;
}

const char *const *traffic_operations(void)
{
    static const char *names[OPERATIONS_MAX + 1];
    for (size_t i = 0; i < operation_count; i++)
        names[i] = operations[i].name;
    return names;
}

static void free_traffic(struct traffic *t)
{
    for (unsigned i = 0; t->writers && i < t->options.writers; i++) {
        free(t->writers[i].made.at);
        free(t->writers[i].vacant.at);
    }
    free(t->writers);
    free(t->readers);
    witness_free(t->witness);
    meter_free(&t->meter);
    for (size_t i = 0; i < t->owned_count; i++)
        free(t->owned[i]);
    free(t->dsn);
    free(t);
}

static bool open_link(const struct traffic *t, struct link *link, bool creating,
                      struct traffic_error *err)
{
    const struct link_settings settings = {
        .dsn = t->dsn,
        .statement_timeout_ms = t->options.statement_timeout_ms,
        .create_database = creating,
    };
    if (link_open(link, &settings))
        return true;
    snprintf(err->text, sizeof(err->text), "connecting: %s %s", link->code, link->text);
    return false;
}

static struct traffic *new_traffic(const struct traffic_options *options, struct traffic_error *err)
{
    struct traffic *t = must(calloc(1, sizeof(*t)));
    set_options(t, options);
    meter_init(&t->meter);
    if (target_make(t, options, err) && mix_parse(t, options->mix, err))
        return t;
    free_traffic(t);
    return NULL;
}

bool traffic_create(const struct traffic_options *options, uint64_t rows, struct traffic_error *err)
{
    struct link link;
    struct traffic *t = new_traffic(options, err);
    if (!t)
        return false;
    bool ok = open_link(t, &link, true, err);
    if (ok) {
        ok = target_create(&link, &t->target, rows, err);
        link_close(&link);
    }
    free_traffic(t);
    return ok;
}

/* The two ends of the writer's own region: no gap lock of a neighbour reaches past them. */
static bool put_up_fences(struct writer *w)
{
    const int64_t first = witness_region(w->index), last = first + REGION_ROWS - 1;
    const uint64_t most = (UINT64_C(1) << 52) - 1;
    for (int side = 0; side < 2; side++) {
        const int64_t ordinal = side ? last : first;
        struct image image = {0};
        struct statement s;
        if (!ledger_image(w->ledger, ordinal, &image) || image.present)
            continue;
        image.present = true;
        for (size_t i = w->t->target.shape->key_count; i < w->t->target.column_count; i++)
            image.generation[i] = generation_of_writer(w->index, side ? most : 0);
        ledger_plan(w->ledger, ordinal, &image);
        statement_begin(&s, &w->link, false);
        add_insert(w, &s, "INSERT", false);
        add_row(w, &s, ordinal, &image, false);
        const bool ok = w->link.kind->run(&w->link, &s) == REPLY_OK;
        statement_free(&s);
        ledger_settle(w->ledger, ok ? OUTCOME_ACKNOWLEDGED : OUTCOME_REFUSED);
        if (!ok)
            return false;
    }
    return true;
}

static const char *isolation_of(enum traffic_isolation wish, unsigned writer)
{
    if (wish == TRAFFIC_SERIALIZABLE)
        return "SERIALIZABLE";
    return wish == TRAFFIC_REPEATABLE_READ || (wish == TRAFFIC_MIXED && writer % 2 == 1)
               ? "REPEATABLE READ"
               : NULL;
}

static bool make_writers(struct traffic *t, struct link *link, struct traffic_error *err)
{
    const bool fresh = t->options.create_rows > 0;
    t->writers = must(calloc(t->options.writers, sizeof(*t->writers)));
    t->readers = must(calloc(t->options.readers + 1, sizeof(*t->readers)));
    for (unsigned i = 0; i < t->options.writers; i++) {
        struct writer *w = &t->writers[i];
        *w = (struct writer){.t = t, .index = i, .hot = -1};
        w->ledger = witness_ledger(t->witness, i);
        w->isolation = isolation_of(t->options.isolation, i);
        w->prepared = i % 4 >= 2;
        w->random = (t->options.seed * 1000 + i + 1) * UINT64_C(0x9e3779b97f4a7c15);
        /* What earlier traffic has used up must not come again. */
        w->generations = fresh ? 0 : (uint64_t)time(NULL) << 18;
        w->next_ordinal = witness_region(i) + 1;
        if (!fresh)
            w->next_ordinal += (int64_t)(time(NULL) % 90000000) * 10;
        w->link = *link;
        const bool ok = put_up_fences(w);
        *link = w->link;
        if (!ok)
            return fail(err, "inserting a row:", link->text);
    }
    return true;
}

static bool prepare(struct traffic *t, struct traffic_error *err)
{
    struct link link;
    if (!open_link(t, &link, t->options.create_rows > 0, err))
        return false;
    const uint64_t rows = t->options.create_rows;
    link.kind->server_name(&link, t->server, sizeof(t->server));
    t->witness = witness_new(&t->target, t->options.writers);
    bool ok = rows == 0 || target_create(&link, &t->target, rows, err);
    if (ok && rows > 0)
        witness_expect_fresh(t->witness, rows);
    else if (ok)
        ok = witness_expect_found(t->witness, &link, err);
    ok = ok && make_writers(t, &link, err);
    link_close(&link);
    return ok;
}

static void start_thread(pthread_t *thread, void *(*body)(void *), void *context)
{
    if (pthread_create(thread, NULL, body, context) != 0)
        abort();
}

/* What the caller does to the server next, all of them are to meet. */
static void await_arrivals(struct traffic *t)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += t->options.connect_timeout_ms / 1000;
    pthread_mutex_lock(&t->lock);
    while (t->coming > 0 && pthread_cond_timedwait(&t->changed, &t->lock, &until) != ETIMEDOUT)
        continue;
    pthread_mutex_unlock(&t->lock);
}

struct traffic *traffic_start(const struct traffic_options *options, struct traffic_error *err)
{
    struct traffic *t = new_traffic(options, err);
    if (!t)
        return NULL;
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->changed, NULL);
    if (t->options.writers > 256) {
        fail(err, "at most 256 writers", NULL);
        free_traffic(t);
        return NULL;
    }
    if (!prepare(t, err)) {
        free_traffic(t);
        return NULL;
    }
    meter_free(&t->meter);
    meter_init(&t->meter); /* time begins now */
    t->coming = t->options.writers + t->options.readers;
    for (unsigned i = 0; i < t->options.writers; i++)
        start_thread(&t->writers[i].thread, writer_main, &t->writers[i]);
    for (unsigned i = 0; i < t->options.readers; i++) {
        t->readers[i] = (struct reader){.t = t, .index = i};
        start_thread(&t->readers[i].thread, reader_main, &t->readers[i]);
    }
    await_arrivals(t);
    return t;
}

void traffic_mark(struct traffic *t, const char *label)
{
    meter_mark(&t->meter, label);
}

void traffic_counters(struct traffic *t, struct traffic_counters *out)
{
    pthread_mutex_lock(&t->meter.lock);
    *out = t->meter.counters;
    pthread_mutex_unlock(&t->meter.lock);
}

void traffic_pause(struct traffic *t)
{
    pthread_mutex_lock(&t->lock);
    t->pausing = true;
    while (t->working > 0)
        pthread_cond_wait(&t->changed, &t->lock);
    pthread_mutex_unlock(&t->lock);
}

void traffic_resume(struct traffic *t)
{
    meter_standstill(&t->meter);
    pthread_mutex_lock(&t->lock);
    t->pausing = false;
    t->next_slot_us = t->next_read_us = 0;
    pthread_cond_broadcast(&t->changed);
    pthread_mutex_unlock(&t->lock);
}

static void compare(struct traffic *t, struct traffic_verdict *verdict)
{
    struct link link;
    struct traffic_error err;
    *verdict = (struct traffic_verdict){0};
    if (!open_link(t, &link, false, &err)) {
        memcpy(verdict->problem, err.text, sizeof(verdict->problem));
        return;
    }
    witness_check(t->witness, &link, verdict);
    link_close(&link);
}

bool traffic_check(struct traffic *t, struct traffic_verdict *verdict)
{
    traffic_pause(t);
    compare(t, verdict);
    traffic_resume(t);
    return traffic_verdict_clean(verdict);
}

static void stop_threads(struct traffic *t)
{
    pthread_mutex_lock(&t->lock);
    t->stopping = true;
    pthread_cond_broadcast(&t->changed);
    pthread_mutex_unlock(&t->lock);
    for (unsigned i = 0; i < t->options.writers; i++)
        pthread_join(t->writers[i].thread, NULL);
    for (unsigned i = 0; i < t->options.readers; i++)
        pthread_join(t->readers[i].thread, NULL);
}

struct traffic_report *traffic_stop(struct traffic *t)
{
    struct traffic_report *report = must(calloc(1, sizeof(*report)));
    stop_threads(t);
    meter_report(&t->meter, report);
    snprintf(report->shape, sizeof(report->shape), "%s", t->target.shape->name);
    memcpy(report->server, t->server, sizeof(report->server));
    report->writers = t->options.writers;
    report->may_lose_connections = t->options.may_lose_connections;
    for (size_t i = 0; i < operation_count; i++) {
        if (t->meter.operations[i] == 0)
            continue;
        struct traffic_operation *o = &report->operations[report->operation_count++];
        snprintf(o->name, sizeof(o->name), "%s", operations[i].name);
        o->done = t->meter.operations[i];
    }
    compare(t, &report->verdict);
    pthread_cond_destroy(&t->changed);
    pthread_mutex_destroy(&t->lock);
    free_traffic(t);
    return report;
}

void traffic_report_free(struct traffic_report *report)
{
    if (!report)
        return;
    free(report->commits_per_second);
    free(report->slices);
    free(report);
}

bool traffic_passed(const struct traffic_report *report)
{
    return traffic_verdict_clean(&report->verdict) && report->counters.errors == 0 &&
           (report->may_lose_connections || report->counters.connections_lost == 0);
}
