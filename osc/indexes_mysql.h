/*
 * Indexes that are built after the backfill, as SHOW CREATE TABLE writes them.
 */
#ifndef OSC_INDEXES_MYSQL_H
#define OSC_INDEXES_MYSQL_H

#include "osc/plan/plan.h"

struct index_line {
    const char *name;
    const char *text; /* KEY `a` (`a`) USING BTREE … : what follows ADD */
    struct index_line *next;
};

struct deferral {
    const char *definition; /* of the finished shadow */
    struct index_line *indexes;
};

/* Which indexes of the shadow can wait: not the primary key, the migration key, the one that
 * AUTO_INCREMENT needs, nor what cannot be built in place. */
struct deferral deferral_choose(const struct plan *plan, const char *definition);

const char *deferral_save(const struct deferral *deferral, struct arena *arena);
bool deferral_load(const char *saved, struct arena *arena, struct deferral *deferral,
                   struct error *err) MUST_CHECK;

/* One line of a definition, without the comma between lines. */
struct line {
    const char *start;
    size_t length;
};

bool next_line(const char **at, struct line *line); /* false at the end */

/* The first back-quoted name, as it is stored; NULL when there is none.  `behind`: after it. */
const char *quoted_name(const char *at, const char *end, struct arena *arena, const char **behind);

/* Does the definition have the same lines, whatever their order? */
bool definition_is_same(const char *a, const char *b);

/* What is left of it: the first line, the columns and the options of the table. */
const char *definition_without_indexes(const char *definition, struct arena *arena);

/* Behind the first line, which names the table. */
const char *definition_body(const char *definition);

#endif
