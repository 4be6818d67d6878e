#include "osc/plan/catalog_mysql.h"

const struct check mysql_checks[] = {
    {NULL, NULL},
};
