/*
 * Creating and filling a table of a shape.
 */
#include "traffic_private.h"

#include <stdlib.h>
#include <string.h>

static bool create_table(struct link *link, const struct target *target)
{
    const struct shape *shape = target->shape;
    struct statement s;
    statement_begin(&s, link, false);
    statement_add(&s, "CREATE TABLE ");
    target_table(target, &s);
    statement_add(&s, " (");
    for (size_t i = 0; i < target->column_count; i++) {
        target_column(target, 0, i, &s);
        statement_add(&s, " ");
        statement_add(&s, shape->columns[i].type[target->family]);
        statement_add(&s, ", ");
    }
    statement_add(&s, "PRIMARY KEY (");
    for (size_t i = 0; i < shape->key_count; i++) {
        statement_add(&s, i ? ", " : "");
        target_column(target, 0, i, &s);
    }
    statement_add(&s, target->family == FAMILY_MYSQL
                          ? ")) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4"
                          : "))");
    const bool ok = link->kind->run(link, &s) == REPLY_OK;
    statement_free(&s);
    return ok;
}

static bool drop_table(struct link *link, const struct target *target)
{
    struct statement s;
    statement_begin(&s, link, false);
    statement_add(&s, "DROP TABLE IF EXISTS ");
    target_table(target, &s);
    const bool ok = link->kind->run(link, &s) == REPLY_OK;
    statement_free(&s);
    return ok;
}

static bool create_unique(struct link *link, const struct target *target)
{
    const int email = shape_column_with(target->shape, CONTENT_EMAIL);
    const int unique = email < 0 ? shape_column_with(target->shape, CONTENT_ADDRESS) : email;
    struct statement s;
    if (unique < 0)
        return true;
    statement_begin(&s, link, false);
    statement_add(&s, "ALTER TABLE ");
    target_table(target, &s);
    statement_add(&s, " ADD UNIQUE (");
    target_column(target, 0, (size_t)unique, &s);
    statement_add(&s, ")");
    const bool ok = link->kind->run(link, &s) == REPLY_OK;
    statement_free(&s);
    return ok;
}

static bool create_index(struct link *link, const struct target *target)
{
    struct statement s;
    if (!target->shape->indexed)
        return true;
    statement_begin(&s, link, false);
    statement_add(&s, target->family == FAMILY_POSTGRES ? "CREATE INDEX ON "
                                                        : "CREATE INDEX by_status ON ");
    target_table(target, &s);
    statement_add(&s, " (");
    statement_name(&s, target->shape->indexed);
    statement_add(&s, ")");
    const bool ok = link->kind->run(link, &s) == REPLY_OK;
    statement_free(&s);
    return ok;
}

static bool load_rows(struct link *link, const struct target *target, uint64_t rows)
{
    char room[MAX_COLUMNS][VALUE_ROOM];
    struct value values[MAX_COLUMNS];
    bool ok = true;
    for (uint64_t row = 1; ok && row <= rows; row++) {
        for (size_t i = 0; i < target->column_count; i++) {
            if (i < target->shape->key_count)
                shape_key(target, i, (int64_t)row, false, room[i], &values[i]);
            else
                shape_value(target, i, row, room[i], &values[i]);
        }
        ok = link->kind->load_row(link, values, target->column_count);
    }
    return ok;
}

static bool fill_table(struct link *link, const struct target *target, uint64_t rows)
{
    const char *wraps[MAX_COLUMNS];
    struct statement into;
    statement_begin(&into, link, false);
    target_table(target, &into);
    for (size_t i = 0; i < target->column_count; i++) {
        statement_add(&into, i ? ", " : " (");
        target_column(target, 0, i, &into);
        wraps[i] = target->shape->columns[i].write[target->family];
    }
    statement_add(&into, ")");
    bool ok = link->kind->load_begin(link, into.sql, wraps);
    statement_free(&into);
    if (!ok)
        return false;
    ok = load_rows(link, target, rows);
    return link->kind->load_end(link) && ok;
}

/* What the server does by itself on the MySQL family: the next key follows the greatest. */
static bool set_sequence(struct link *link, const struct target *target, uint64_t rows)
{
    struct statement s;
    if (target->family != FAMILY_POSTGRES || !target->shape->generated_key || rows == 0)
        return true;
    statement_begin(&s, link, false);
    statement_add(&s, "ALTER TABLE ");
    target_table(target, &s);
    statement_add(&s, " ALTER COLUMN ");
    target_column(target, 0, 0, &s);
    statement_printf(&s, " RESTART WITH %llu", (unsigned long long)rows + 1);
    const bool ok = link->kind->run(link, &s) == REPLY_OK;
    statement_free(&s);
    return ok;
}

static bool gather_statistics(struct link *link, const struct target *target)
{
    struct statement s;
    statement_begin(&s, link, false);
    statement_add(&s, target->family == FAMILY_POSTGRES ? "ANALYZE " : "ANALYZE TABLE ");
    target_table(target, &s);
    const bool ok = link->kind->run(link, &s) == REPLY_OK;
    statement_free(&s);
    return ok;
}

bool target_create(struct link *link, const struct target *target, uint64_t rows,
                   struct traffic_error *err)
{
    const bool ok = drop_table(link, target) && create_table(link, target) &&
                    fill_table(link, target, rows) && create_unique(link, target) &&
                    create_index(link, target) && set_sequence(link, target, rows) &&
                    gather_statistics(link, target);
    if (!ok)
        snprintf(err->text, sizeof(err->text), "creating table %s: %s %s", target->table,
                 link->code, link->text);
    return ok;
}
