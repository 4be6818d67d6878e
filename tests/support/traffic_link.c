#include "traffic_link.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *must(void *allocated)
{
    if (!allocated) {
        fputs("traffic: out of memory\n", stderr);
        abort();
    }
    return allocated;
}

const struct link_kind *link_kind_of(const char *dsn)
{
    static const struct {
        const char *scheme;
        const struct link_kind *kind;
    } schemes[] = {
        {"postgres://",   &link_postgres},
        {"postgresql://", &link_postgres},
        {"mysql://",      &link_mysql   },
        {"mariadb://",    &link_mysql   },
    };
    for (size_t i = 0; dsn && i < sizeof(schemes) / sizeof(schemes[0]); i++)
        if (strncmp(dsn, schemes[i].scheme, strlen(schemes[i].scheme)) == 0)
            return schemes[i].kind;
    return NULL;
}

bool link_open(struct link *link, const struct link_settings *settings)
{
    const struct link_kind *kind = link_kind_of(settings->dsn);
    *link = (struct link){.kind = kind};
    if (!kind) {
        link_fail(link, "DSN", "the DSN must begin with postgres://, mysql:// or mariadb://");
        return false;
    }
    link->open = kind->connect(link, settings);
    if (!link->open)
        kind->close(link);
    return link->open;
}

void link_close(struct link *link)
{
    if (link->kind)
        link->kind->close(link);
    link->open = false;
}

enum reply link_run(struct link *link, const char *sql)
{
    struct statement s;
    statement_begin(&s, link, false);
    statement_add(&s, sql);
    enum reply reply = link->kind->run(link, &s);
    statement_free(&s);
    return reply;
}

void link_fail(struct link *link, const char *code, const char *text)
{
    snprintf(link->code, sizeof(link->code), "%s", code && *code ? code : "?");
    snprintf(link->text, sizeof(link->text), "%s", text && *text ? text : "no text");
    for (char *c = link->text; *c; c++)
        if (*c == '\n')
            *c = ' ';
}

void statement_begin(struct statement *s, const struct link *link, bool prepared)
{
    *s = (struct statement){.link = link, .prepared = prepared};
    s->room = 512;
    s->sql = must(malloc(s->room));
    s->sql[0] = '\0';
}

static void forget_parameters(struct statement *s)
{
    for (size_t i = 0; i < s->parameter_count; i++)
        free((void *)(uintptr_t)s->parameters[i].text);
    free(s->parameters);
    s->parameters = NULL;
    s->parameter_count = 0;
    s->parameter_room = 0;
}

void statement_free(struct statement *s)
{
    forget_parameters(s);
    free(s->sql);
    s->sql = NULL;
}

void statement_bytes(struct statement *s, const char *bytes, size_t length)
{
    if (s->length + length + 1 > s->room) {
        while (s->length + length + 1 > s->room)
            s->room *= 2;
        s->sql = must(realloc(s->sql, s->room));
    }
    memcpy(s->sql + s->length, bytes, length);
    s->length += length;
    s->sql[s->length] = '\0';
}

void statement_add(struct statement *s, const char *sql)
{
    statement_bytes(s, sql, strlen(sql));
}

void statement_printf(struct statement *s, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof(text))
        abort(); /* only short, bounded texts come this way */
    statement_bytes(s, text, (size_t)length);
}

void statement_name(struct statement *s, const char *name)
{
    const char quote = s->link->kind->name_quote;
    statement_bytes(s, &quote, 1);
    for (const char *c = name; *c; c++) {
        if (*c == quote)
            statement_bytes(s, &quote, 1);
        statement_bytes(s, c, 1);
    }
    statement_bytes(s, &quote, 1);
}

void statement_value(struct statement *s, const struct value *v)
{
    if (!s->prepared) {
        if (!v->text)
            statement_add(s, "NULL");
        else if (v->number)
            statement_bytes(s, v->text, v->length);
        else
            s->link->kind->escape(s->link, s, v);
        return;
    }
    if (s->parameter_count == s->parameter_room) {
        s->parameter_room = s->parameter_room ? s->parameter_room * 2 : 16;
        s->parameters = must(realloc(s->parameters, s->parameter_room * sizeof(*s->parameters)));
    }
    struct value *copy = &s->parameters[s->parameter_count++];
    *copy = (struct value){.length = v->length, .number = v->number};
    if (v->text) {
        char *text = must(malloc(v->length + 1));
        memcpy(text, v->text, v->length);
        text[v->length] = '\0';
        copy->text = text;
    }
    if (s->link->kind->family == FAMILY_POSTGRES)
        statement_printf(s, "$%zu", s->parameter_count);
    else
        statement_add(s, "?");
}

void statement_wrapped(struct statement *s, const char *wrap, const struct value *v)
{
    const char *hole = wrap ? strstr(wrap, "%s") : NULL;
    if (!hole) {
        statement_value(s, v);
        return;
    }
    statement_bytes(s, wrap, (size_t)(hole - wrap));
    statement_value(s, v);
    statement_add(s, hole + 2);
}

uint64_t statement_hash(const struct statement *s)
{
    uint64_t hash = 1469598103934665603u;
    for (size_t i = 0; i < s->length; i++)
        hash = (hash ^ (unsigned char)s->sql[i]) * 1099511628211u;
    return hash;
}
