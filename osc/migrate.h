/*
 * Migrate: one migration, from request to finish.
 */
#ifndef OSC_MIGRATE_H
#define OSC_MIGRATE_H

#include "osc/base/cancel.h"
#include "osc/base/progress.h"
#include "osc/options.h"
#include "osc/plan/plan.h"
#include "osc/report.h"

struct request {
    const struct options *options;
    const struct dsn *dsn;
    const char *schema; /* NULL: where the server looks first */
    const char *table, *alter;
    struct cancel *cancel;
    struct progress *progress;
    struct arena *arena; /* results live here */
};

/* Runs a whole migration.  *id: its number, 0 when none was recorded. */
bool migrate(const struct request *request, uint64_t *id, struct error *err) MUST_CHECK;

/* `id` 0: the only one there is. */
bool migrate_resume(const struct request *request, uint64_t *id, struct error *err) MUST_CHECK;

/* Before the swap: removes everything we made; asks the running process to do it when there is one.
 */
bool migrate_abort(const struct request *request, uint64_t *id, struct error *err) MUST_CHECK;

/* After the swap: drops the retired table. */
bool migrate_finish(const struct request *request, uint64_t *id, struct error *err) MUST_CHECK;

enum order { ORDER_PAUSE, ORDER_UNPAUSE, ORDER_CUTOVER, ORDER_SET };

struct order_outcome {
    bool is_running; /* somewhere there is a run … */
    bool is_heeded;  /* … and it has said that it has heard */
    uint64_t took_ms;
    const char *step, *paused;
};

/* Tells the migration what an operator wants, wherever it runs; `assignments` for ORDER_SET. */
bool migrate_order(const struct request *request, uint64_t *id, enum order order,
                   const struct words *assignments, struct order_outcome *outcome,
                   struct error *err) MUST_CHECK;

/* What migrate() would do; changes nothing.  A refusal is part of the report. */
bool migrate_plan(const struct request *request, struct plan_report *report,
                  struct error *err) MUST_CHECK;

/*
 * The plan of a migration that is under way, shadow included, for osc verify.
 * The caller gives the connection and owns it.
 */
bool migrate_load(const struct request *request, struct db *db, uint64_t *id, struct plan *plan,
                  struct error *err) MUST_CHECK;

#endif
