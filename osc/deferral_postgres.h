/*
 * Deferral: what a shadow still needs, while it is being written down.
 */
#ifndef OSC_DEFERRAL_POSTGRES_H
#define OSC_DEFERRAL_POSTGRES_H

#include "osc/shadow_postgres.h"

struct deferral {
    struct maker *maker;
    json_t *build;  /* indexes to create, the longest first: name, tablespace, statement */
    json_t *attach; /* constraints to add: name, statement */
    struct statements finish;  /* marks and comments; may be run again */
    struct statements retire;  /* swap: the source's names out of the way */
    struct statements promote; /* swap: the shadow gets the names */
    struct statements enable;  /* swap: once the shadow is the source */
    struct statements off;     /* now */
    struct name_pair *given;   /* the shadow's names → those of after the swap */
};

/* names_postgres.c */

const char *quoted(const struct maker *maker, const char *name);
/* The source's name for what goes by `temporary` (quoted) in the shadow; NULL: it is new. */
const char *original(const struct name_pair *pairs, const char *temporary);
/* Where a part of the source goes in the swap; quoted. */
const char *retired_name(const struct maker *maker, const char *suffix, size_t number);
/* From the swap on, the shadow's part `from` is called `to`. */
void give(struct deferral *d, const char *from, const char *to);
/* A name that the server made from the shadow's: what it would have chosen for the source. */
bool choose_name(struct deferral *d, const char *name, const char **chosen,
                 struct error *err) MUST_CHECK;

/* newcolumns_postgres.c */

void defer_defaults(struct deferral *d);

/* sequences_postgres.c */

bool defer_sequences(struct deferral *d, struct error *err) MUST_CHECK;

#endif
