/*
 * The two rows that say which words each kind of server understands.
 */
#include "osc/db/dialect.h"

#include "copier/copy_dialect.h"
#include "osc/activity.h"
#include "osc/cutover_dialect.h"
#include "osc/db/driver.h"
#include "osc/db/server.h"
#include "osc/estimate.h"
#include "osc/plan/blockers.h"
#include "osc/plan/catalog_dialect.h"
#include "osc/shadow.h"
#include "osc/state.h"
#include "triggers/capture_dialect.h"
#include "verifier/checksum_dialect.h"

const struct dialect mysql_dialect = {
    .name = "mysql",
    .driver = &mysql_driver,
    .server = &mysql_server,
    .catalog = &mysql_catalog,
    .blockers = &mysql_blockers,
    .shadow = &mysql_shadow,
    .copy = &mysql_copy,
    .capture = &mysql_capture,
    .checksum = &mysql_checksum,
    .cutover = &mysql_cutover,
    .state = &mysql_state,
    .estimate = &mysql_estimate,
    .activity = &mysql_activity,
};

const struct dialect postgres_dialect = {
    .name = "postgres",
    .driver = &postgres_driver,
    .server = &postgres_server,
    .catalog = &postgres_catalog,
    .blockers = &postgres_blockers,
    .shadow = &postgres_shadow,
    .copy = &postgres_copy,
    .capture = &postgres_capture,
    .checksum = &postgres_checksum,
    .cutover = &postgres_cutover,
    .state = &postgres_state,
    .estimate = &postgres_estimate,
    .activity = &postgres_activity,
};
