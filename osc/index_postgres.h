/*
 * Indexes of PostgreSQL tables: read from one, written for another.
 */
#ifndef OSC_INDEX_POSTGRES_H
#define OSC_INDEX_POSTGRES_H

#include "osc/plan/plan.h"
#include "osc/statements.h"

struct index {
    const char *name;
    const char *verb;       /* CREATE [UNIQUE] INDEX; NULL: made by its constraint alone */
    const char *tail;       /* of the definition: USING … */
    const char *tablespace; /* quoted */
    const char *constraint; /* PRIMARY KEY, UNIQUE, or the whole definition; NULL: plain index */
    const char *deferrable; /* DEFERRABLE …, or "" */
    const char *statistics; /* 1:100,2:300: targets of columns, or "" */
    const char *comment, *constraint_comment; /* as literals, or NULL */
    bool is_clustered, is_replica_identity;
    uint64_t effort; /* of building it: how one compares with the others of its table */
};

/* All indexes of the table `class` (an SQL expression), in the order of their making. */
bool indexes_read(struct db *db, const char *class, struct arena *arena, struct index **indexes,
                  size_t *n, struct error *err) MUST_CHECK;

/* CREATE INDEX under another name on another table (both quoted); NULL when the constraint makes
 * it. */
const char *index_create(const struct index *index, const char *name, const char *table,
                         struct arena *arena);
/* ALTER TABLE … ADD CONSTRAINT, or NULL. */
const char *index_attach(const struct index *index, const char *name, const char *table,
                         struct arena *arena);
/* The rest: marks, comments, statistics targets; may be run again. */
void index_finish(const struct index *index, const char *schema, const char *name,
                  const char *table, struct statements *statements);

#endif
