#include "test_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

const struct test_server *server;

void wait_ms(long ms)
{
    const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

bool is_postgres(void)
{
    return strncmp(server->name, "postgres", 8) == 0;
}

void open_scene(struct scene *s)
{
    const struct link_settings settings = {
        .dsn = server->dsn, .statement_timeout_ms = 20000, .create_database = true};
    *s = (struct scene){0};
    if (!link_open(&s->link, &settings))
        fail_msg("%s: %s %s", server->name, s->link.code, s->link.text);
}

static bool take_value(void *context, const struct value *values, size_t count)
{
    struct scene *s = context;
    (void)count;
    snprintf(s->value, sizeof(s->value), "%s", values[0].text ? values[0].text : "NULL");
    return true;
}

void sql(struct scene *s, const char *format, ...)
{
    char text[1000];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    s->link.on_row = take_value;
    s->link.row_context = s;
    if (link_run(&s->link, text) != REPLY_OK)
        fail_msg("%s: %s: %s %s", server->name, text, s->link.code, s->link.text);
}

struct traffic *begin(const struct traffic_options *options)
{
    struct traffic_error err = {0};
    struct traffic *t = traffic_start(options, &err);
    if (!t)
        fail_msg("%s: %s", server->name, err.text);
    return t;
}

static uint64_t count(struct traffic *t, size_t offset)
{
    struct traffic_counters counters = {0};
    uint64_t value;
    traffic_counters(t, &counters);
    memcpy(&value, (const char *)&counters + offset, sizeof(value));
    return value;
}

void await_counter(struct traffic *t, size_t offset, uint64_t more)
{
    const uint64_t enough = count(t, offset) + more;
    for (int i = 0; i < 6000 && count(t, offset) < enough; i++)
        wait_ms(10);
    assert_true(count(t, offset) >= enough);
}

void play(struct scene *s, const char *mix, uint64_t commits, double rate)
{
    const struct traffic_options options = {
        .dsn = server->dsn, .mix = mix, .rate = rate, .writers = 4, .create_rows = ROWS};
    struct traffic_counters counters = {0};
    open_scene(s);
    s->traffic = begin(&options);
    await_more(s->traffic, commits, commits);
    traffic_pause(s->traffic);
    traffic_counters(s->traffic, &counters);
    assert_int_equal(counters.errors, 0);
}

struct traffic_verdict look(const struct scene *s)
{
    struct traffic_verdict v;
    traffic_check(s->traffic, &v);
    traffic_pause(s->traffic);
    assert_true(v.checked);
    return v;
}

uint64_t differences(const struct traffic_verdict *v)
{
    return v->lost + v->stale + v->wrong + v->doubled + v->resurrected + v->unexpected + v->torn;
}

void show(const struct traffic_verdict *v)
{
    for (size_t i = 0; i < v->difference_count; i++)
        print_message("  %s %s\n", v->differences[i].kind, v->differences[i].text);
}

void expect_one(struct scene *s, const char *kind, const char *key)
{
    const struct traffic_verdict v = look(s);
    char text[240];
    if (differences(&v) != 1)
        show(&v);
    assert_int_equal(differences(&v), 1);
    assert_string_equal(v.differences[0].kind, kind);
    snprintf(text, sizeof(text), "id=%s:", key);
    assert_non_null(strstr(v.differences[0].text, text));
}

void end(struct scene *s)
{
    struct traffic_report *report = traffic_stop(s->traffic);
    traffic_report_free(report);
    sql(s, "DROP TABLE IF EXISTS users");
    sql(s, "DROP TABLE IF EXISTS users_copy");
    link_close(&s->link);
}
