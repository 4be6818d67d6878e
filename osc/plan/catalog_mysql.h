/*
 * What the files of the MySQL family share about tables.
 */
#ifndef OSC_PLAN_CATALOG_MYSQL_H
#define OSC_PLAN_CATALOG_MYSQL_H

#include "osc/plan/catalog_dialect.h"

extern const struct check mysql_checks[], mysql_server_checks[];

/* The column of this name, in whatever case; NULL: none. */
const struct column *mysql_column(const struct table *table, const char *name);

#endif
