/*
 * The threads that write and read: their connections, transactions and turns.
 */
#include "traffic_private.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static void sleep_us(int64_t us)
{
    const struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    nanosleep(&t, NULL);
}

static bool is_stopping(struct traffic *t)
{
    pthread_mutex_lock(&t->lock);
    const bool stopping = t->stopping;
    pthread_mutex_unlock(&t->lock);
    return stopping;
}

/* Tries for as long as the options allow, then says so once and goes on trying until the end. */
static bool connect_patiently(struct traffic *t, struct link *link, const char *isolation,
                              const char *who)
{
    const struct link_settings settings = {
        .dsn = t->dsn,
        .statement_timeout_ms = t->options.statement_timeout_ms,
        .isolation = isolation,
    };
    const int64_t patience = meter_now_us() + (int64_t)t->options.connect_timeout_ms * 1000;
    bool said = false;
    while (!link_open(link, &settings)) {
        if (is_stopping(t))
            return false;
        if (!said && meter_now_us() > patience) {
            meter_error(&t->meter, who, link->code, link->text);
            said = true;
        }
        sleep_us(100000);
    }
    return true;
}

static bool arrive(struct traffic *t, struct link *link, const char *isolation)
{
    const bool connected = connect_patiently(t, link, isolation, "connect");
    pthread_mutex_lock(&t->lock);
    t->coming--;
    pthread_cond_broadcast(&t->changed);
    pthread_mutex_unlock(&t->lock);
    return connected;
}

static bool is_unknown_column(const struct link *link)
{
    return strcmp(link->code, "42703") == 0 || strcmp(link->code, "1054") == 0;
}

static void note_failure(struct writer *w)
{
    if (w->reply == REPLY_LOST) {
        meter_connection_lost(&w->t->meter);
    } else if (w->t->renames && is_unknown_column(&w->link)) {
        w->names ^= 1; /* the application follows the change; that is no error of ours */
    } else {
        meter_error(&w->t->meter, w->operation, w->link.code, w->link.text);
    }
}

bool writer_run(struct writer *w, struct statement *s, int64_t rows)
{
    const int64_t before = meter_now_us();
    w->reply = w->link.kind->run(&w->link, s);
    statement_free(s);
    meter_statement(&w->t->meter, meter_now_us() - before);
    if (w->reply != REPLY_OK) {
        note_failure(w);
        return false;
    }
    if (rows >= 0 && w->link.affected != (uint64_t)rows) {
        char text[120];
        snprintf(text, sizeof(text), "%llu rows were touched where %lld should have been",
                 (unsigned long long)w->link.affected, (long long)rows);
        meter_error(&w->t->meter, w->operation, "ROWS", text);
        /* The application was told; what it did not do, it must not be found to have done. */
        if (w->inside || w->link.affected == 0) {
            w->reply = REPLY_REFUSED;
            return false;
        }
    }
    return true;
}

bool writer_command(struct writer *w, const char *sql)
{
    struct statement s;
    statement_begin(&s, &w->link, false);
    statement_add(&s, sql);
    return writer_run(w, &s, -1);
}

static void settle(struct writer *w, enum outcome outcome)
{
    if (w->hot >= 0)
        ledger_hot(w->ledger, (size_t)w->hot, outcome);
    w->hot = -1;
    if (outcome == OUTCOME_ACKNOWLEDGED)
        w->last_committed = w->last_generated;
    else if (outcome == OUTCOME_REFUSED)
        w->last_generated = w->last_committed; /* a server that rebuilds the table gives it again */
    ledger_settle(w->ledger, outcome);
}

static void reconnect(struct writer *w)
{
    link_close(&w->link);
    connect_patiently(w->t, &w->link, w->isolation, "connect");
    w->inside = false;
    w->last_generated = w->last_committed;
}

static enum write_end give_up(struct writer *w)
{
    if (w->reply == REPLY_LOST) {
        /* Without COMMIT nothing of it stays; a lone statement may have committed itself. */
        const bool certain = w->inside;
        settle(w, certain ? OUTCOME_REFUSED : OUTCOME_UNKNOWN);
        reconnect(w);
        return certain ? WRITE_LOST : WRITE_UNKNOWN;
    }
    settle(w, OUTCOME_REFUSED);
    if (w->inside && !writer_command(w, "ROLLBACK"))
        reconnect(w);
    w->inside = false;
    return WRITE_REFUSED;
}

static enum write_end commit(struct writer *w)
{
    if (writer_command(w, "COMMIT")) {
        settle(w, OUTCOME_ACKNOWLEDGED);
        w->inside = false;
        return WRITE_COMMITTED;
    }
    if (w->reply == REPLY_LOST)
        w->inside = false; /* the commit may have happened */
    return give_up(w);
}

static enum write_end roll_back(struct writer *w)
{
    settle(w, OUTCOME_REFUSED);
    if (!writer_command(w, "ROLLBACK"))
        return give_up(w);
    w->inside = false;
    return WRITE_ROLLED_BACK;
}

static bool has_operation(const struct writer *w, const struct operation *o)
{
    return w->t->weights[o - operations] > 0;
}

bool operation_allowed(const struct operation *o, const struct writer *w)
{
    const struct target *target = &w->t->target;
    const struct shape *shape = target->shape;
    const int unique = shape_column_with(shape, CONTENT_EMAIL);
    const enum content key = shape->columns[shape->key_count - 1].content;
    return !((o->flags & NEEDS_UNIQUE && (unique < 0 || !target->used[unique])) ||
             (o->flags & NEEDS_INTEGER_KEY && key != CONTENT_KEY_INTEGER) ||
             (o->flags & NEEDS_CODE_KEY && key != CONTENT_KEY_CODE) ||
             (o->flags & NEEDS_GENERATED_KEY && !shape->generated_key) ||
             (o->flags & NEEDS_READ_COMMITTED && w->isolation) ||
             (o->flags & NEEDS_MYSQL && target->family != FAMILY_MYSQL));
}

const struct operation *operation_choose(struct writer *w, unsigned except)
{
    unsigned total = 0, choice;
    for (size_t i = 0; i < operation_count; i++)
        if (has_operation(w, &operations[i]) && !(operations[i].flags & except) &&
            operation_allowed(&operations[i], w))
            total += w->t->weights[i];
    if (total == 0)
        return NULL;
    choice = (unsigned)(writer_random(w) % total);
    for (size_t i = 0; i < operation_count; i++) {
        if (!has_operation(w, &operations[i]) || operations[i].flags & except ||
            !operation_allowed(&operations[i], w))
            continue;
        if (choice < w->t->weights[i])
            return &operations[i];
        choice -= w->t->weights[i];
    }
    return NULL;
}

static enum step run_operation(struct writer *w, const struct operation *o)
{
    w->operation = o->name;
    const enum step step = o->run(w);
    if (step == STEP_DONE)
        meter_operation(&w->t->meter, (size_t)(o - operations));
    return step;
}

static enum step run_some(struct writer *w, size_t count)
{
    enum step result = STEP_NOTHING;
    for (size_t i = 0; i < count && ledger_planned(w->ledger) < 100; i++) {
        const struct operation *o = operation_choose(w, ALONE);
        const enum step step = o ? run_operation(w, o) : STEP_NOTHING;
        if (step == STEP_FAILED)
            return step;
        if (step == STEP_DONE)
            result = step;
    }
    return result;
}

enum step run_transaction(struct writer *w)
{
    return run_some(w, 2 + writer_random(w) % 5);
}

enum step run_savepoint(struct writer *w)
{
    if (run_some(w, 1) == STEP_FAILED || !writer_command(w, "SAVEPOINT half"))
        return STEP_FAILED;
    const size_t mark = ledger_planned(w->ledger);
    if (run_some(w, 2) == STEP_FAILED)
        return STEP_FAILED;
    ledger_unplan(w->ledger, mark);
    if (!writer_command(w, "ROLLBACK TO SAVEPOINT half"))
        return STEP_FAILED;
    return run_some(w, 1) == STEP_FAILED ? STEP_FAILED : STEP_DONE;
}

enum write_end writer_transaction(struct writer *w, const struct operation *o)
{
    w->operation = o->name;
    const bool single = o->flags & SINGLE && (o->flags & ALONE || writer_random(w) % 3);
    if (!single && !(w->inside = writer_command(w, "BEGIN")))
        return give_up(w);
    const enum step step = run_operation(w, o);
    if (step == STEP_FAILED)
        return give_up(w);
    if (o->flags & ROLLS_BACK || (!single && step == STEP_NOTHING))
        return roll_back(w);
    if (!single)
        return commit(w);
    settle(w, OUTCOME_ACKNOWLEDGED);
    return step == STEP_DONE ? WRITE_COMMITTED : WRITE_NOTHING;
}

/* False: the traffic ends. */
static bool sleep_until(struct traffic *t, int64_t moment_us)
{
    for (int64_t left; !is_stopping(t); sleep_us(left < 50000 ? left : 50000))
        if ((left = moment_us - meter_now_us()) <= 0)
            return true;
    return false;
}

/* The next moment at which a write is due; waits out a pause. */
static bool take_turn(struct traffic *t, int64_t *scheduled_us)
{
    pthread_mutex_lock(&t->lock);
    while (t->pausing && !t->stopping)
        pthread_cond_wait(&t->changed, &t->lock);
    *scheduled_us = meter_now_us();
    if (t->options.rate > 0) {
        if (t->next_slot_us <= 0)
            t->next_slot_us = (double)*scheduled_us;
        *scheduled_us = (int64_t)t->next_slot_us;
        t->next_slot_us += 1e6 / t->options.rate;
    }
    pthread_mutex_unlock(&t->lock);
    (void)sleep_until(t, *scheduled_us);
    pthread_mutex_lock(&t->lock);
    const bool paused = t->pausing;
    while (t->pausing && !t->stopping)
        pthread_cond_wait(&t->changed, &t->lock);
    if (paused)
        *scheduled_us = meter_now_us();
    const bool go = !t->stopping;
    t->working += go;
    pthread_mutex_unlock(&t->lock);
    return go;
}

static void end_turn(struct traffic *t)
{
    pthread_mutex_lock(&t->lock);
    t->working--;
    pthread_cond_broadcast(&t->changed);
    pthread_mutex_unlock(&t->lock);
}

void *writer_main(void *context)
{
    struct writer *w = context;
    struct traffic *t = w->t;
    int64_t scheduled_us;
    if (!arrive(t, &w->link, w->isolation))
        return NULL;
    while (take_turn(t, &scheduled_us)) {
        const struct operation *o = operation_choose(w, 0);
        meter_write_begins(&t->meter, scheduled_us);
        const enum write_end end = o ? writer_transaction(w, o) : WRITE_NOTHING;
        meter_write_ends(&t->meter, scheduled_us, end);
        end_turn(t);
        if (end == WRITE_REFUSED || end == WRITE_NOTHING)
            sleep_us(1000); /* an error that repeats must not become a storm */
    }
    link_close(&w->link);
    return NULL;
}

/* The next moment at which a read is due; false: the traffic ends. */
static bool await_read(struct traffic *t, int64_t *scheduled_us)
{
    pthread_mutex_lock(&t->lock);
    *scheduled_us = meter_now_us();
    if (t->options.read_rate > 0) {
        if (t->next_read_us <= 0)
            t->next_read_us = (double)*scheduled_us;
        *scheduled_us = (int64_t)t->next_read_us;
        t->next_read_us += 1e6 / t->options.read_rate;
    }
    pthread_mutex_unlock(&t->lock);
    return sleep_until(t, *scheduled_us);
}

static bool read_once(struct reader *r, struct link *link, unsigned *names, uint64_t *random,
                      int64_t scheduled_us)
{
    struct traffic *t = r->t;
    struct statement s;
    struct writer probe = {.t = t, .link = *link, .names = *names, .random = *random};
    statement_begin(&s, link, false);
    target_select(&t->target, *names, &s);
    const uint64_t rows = witness_rows(t->witness);
    add_key_match(&probe, &s, 1 + (int64_t)(writer_random(&probe) % (rows ? rows : 1)), false);
    *random = probe.random;
    const enum reply reply = link->kind->run(link, &s);
    statement_free(&s);
    if (reply == REPLY_OK)
        meter_read(&t->meter, scheduled_us);
    else if (reply == REPLY_LOST)
        meter_connection_lost(&t->meter);
    else if (t->renames && is_unknown_column(link))
        *names ^= 1;
    else
        meter_error(&t->meter, "read", link->code, link->text);
    return reply != REPLY_LOST;
}

void *reader_main(void *context)
{
    struct reader *r = context;
    struct link link;
    unsigned names = 0;
    uint64_t random = (r->index + 1) * UINT64_C(0x9e3779b97f4a7c15);
    if (!arrive(r->t, &link, NULL))
        return NULL;
    for (int64_t scheduled_us; await_read(r->t, &scheduled_us);) {
        if (!read_once(r, &link, &names, &random, scheduled_us)) {
            link_close(&link);
            if (!connect_patiently(r->t, &link, NULL, "connect"))
                return NULL;
        }
        if (r->t->options.read_rate <= 0)
            sleep_us(2000);
    }
    link_close(&link);
    return NULL;
}
