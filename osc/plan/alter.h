/*
 * Alter: just enough lexing of the user's ALTER clauses.
 *
 * The server parses ALTER; we only look for what reading the catalog back
 * cannot tell: renamed columns, USING expressions, constraint names, and
 * clauses that would act on more than the table.  Comments, strings and quoted
 * names of both kinds of server are understood.
 */
#ifndef OSC_PLAN_ALTER_H
#define OSC_PLAN_ALTER_H

#include "osc/base/arena.h"
#include "osc/base/error.h"

struct name_pair {
    const char *from, *to; /* unquoted */
    struct name_pair *next;
};

struct alter_using {
    const char *column, *expression;
    struct alter_using *next;
};

/* How identifiers are quoted and folded. */
struct alter_rules {
    bool has_backquotes; /* `name`, "text" is a string, # comments, names are not folded */
};

/*
 * Refuses (ERROR_USAGE) what is not a list of clauses: nothing at all, an open
 * quote or bracket, a semicolon with more behind it, ALTER TABLE in front,
 * RENAME TO, SET SCHEMA, and partition exchange.
 */
bool alter_check(const char *alter, const struct alter_rules *rules, struct error *err) MUST_CHECK;

/* CHANGE [COLUMN] a b …, RENAME [COLUMN] a TO b; in the order written. */
struct name_pair *alter_renames(const char *alter, const struct alter_rules *rules,
                                struct arena *arena);

/* Is this column dropped by a clause?  Names are compared without case where they are not folded.
 */
bool alter_drops(const char *alter, const struct alter_rules *rules, const char *column);

/* ALTER [COLUMN] c [SET DATA] TYPE … USING expression. */
struct alter_using *alter_usings(const char *alter, const struct alter_rules *rules,
                                 struct arena *arena);

/*
 * The clauses with constraint and index names replaced (from → to, `to` is
 * quoted by the caller) where they follow CONSTRAINT, RENAME CONSTRAINT … TO,
 * DROP or ALTER CHECK, CLUSTER ON, or USING INDEX.
 */
const char *alter_with_names(const char *alter, const struct alter_rules *rules,
                             const struct name_pair *names, struct arena *arena);

/* The clauses with `to` (quoted by the caller) for the table's name where it stands before a dot.
 */
const char *alter_with_table(const char *alter, const struct alter_rules *rules, const char *table,
                             const char *to, struct arena *arena);

/*
 * The clauses cut into statements for a server that takes RENAME only alone;
 * what stands between renames stays together.
 */
struct alter_part {
    const char *clauses;
    struct alter_part *next;
};
struct alter_part *alter_parts(const char *alter, const struct alter_rules *rules,
                               struct arena *arena);

/* Does a clause start with these words (upper case, one blank between them)?  "DROP FOREIGN KEY" */
bool alter_has_clause(const char *alter, const struct alter_rules *rules, const char *words);

#endif
