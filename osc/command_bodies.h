/*
 * The body of each command, and what bodies share.
 */
#ifndef OSC_COMMAND_BODIES_H
#define OSC_COMMAND_BODIES_H

#include "osc/command.h"
#include "osc/migrate.h"

bool command_help(struct run *run, struct error *err);       /* command.c         */
bool command_completion(struct run *run, struct error *err); /* command.c */
bool command_config(struct run *run, struct error *err);     /* command_config.c  */
bool command_alter(struct run *run, struct error *err);      /* command_migrate.c */
bool command_resume(struct run *run, struct error *err);     /* command_migrate.c */
bool command_finish(struct run *run, struct error *err);     /* command_migrate.c */
bool command_abort(struct run *run, struct error *err);      /* command_migrate.c */
bool command_advise(struct run *run, struct error *err);     /* command_advise.c  */
bool command_plan(struct run *run, struct error *err);       /* command_plan.c    */
bool command_verify(struct run *run, struct error *err);     /* command_verify.c  */
bool command_status(struct run *run, struct error *err);     /* command_status.c  */
bool command_history(struct run *run, struct error *err);    /* command_status.c  */
bool command_pause(struct run *run, struct error *err);      /* command_order.c   */
bool command_unpause(struct run *run, struct error *err);    /* command_order.c   */
bool command_cutover(struct run *run, struct error *err);    /* command_order.c   */
bool command_set(struct run *run, struct error *err);        /* command_order.c   */

/* command_request.c: what the words of the command line ask for. */
bool command_request(struct run *run, struct request *request, struct error *err) MUST_CHECK;
bool command_table(struct run *run, const char *word, const char **schema, const char **table,
                   struct error *err) MUST_CHECK;
/* [SCHEMA.]ID or [SCHEMA.]TABLE, when given: run->id or *table, and *schema. */
bool command_id(struct run *run, const char **schema, const char **table,
                struct error *err) MUST_CHECK;

#endif
