/*
 * Going on with a migration that exists: resume, abort, finish.
 */
#include <inttypes.h>
#include <string.h>

#include "osc/bare.h"
#include "osc/base/clock.h"
#include "osc/base/fail.h"
#include "osc/base/log.h"
#include "osc/cutover_dialect.h"
#include "osc/db/dialect.h"
#include "osc/hook_points.h"
#include "osc/leave.h"
#include "osc/migration.h"
#include "osc/plan/catalog_dialect.h"
#include "triggers/capture.h"

enum { ANSWER_MS = 120000 };

static bool look_who_owns(struct migration *m, enum owner *owner, struct error *err)
{
    const enum step_id step = step_named(m->state.step);

    *owner = step == STEP_FINISH ? OWNER_SHADOW : OWNER_SOURCE;
    /* In a step that only another version of osc knows it may have happened, too. */
    return (step != STEP_CUTOVER && step != STEP_DONE) ||
           m->plan.dialect->cutover->owner(m->db, &m->plan, owner, err);
}

/* "" where tables have the same identity on every server that has them. */
static const char *server_of(const char *identity)
{
    const char *at = strstr(identity, " at ");

    return at ? at : "";
}

/*
 * On a replica that was promoted tables have other numbers, and triggers another
 * time of creation.  Whether somebody truncated the table, or dropped a trigger
 * for a while, cannot be told from them: the comparison of all rows must, so it
 * is not to be left out or to have happened already.  The identity comes last:
 * whoever is stopped here begins here again.
 */
static bool accept_new_server(struct migration *m, struct error *err)
{
    AUTO(text) options = TEXT_INIT;
    const char *stamp = NULL;

    LOG(LOG_WARN, "another server",
        FS("this is another server than the one where the migration began; every row will be "
           "compared before the swap"));
    m->options.verify = VERIFY_FULL;
    options_save(&m->options, &options);
    if (!capture_stamp(m->db, &m->plan, m->arena, &stamp, err) ||
        !migration_set(m, "options", &m->state.options, options.bytes, err) ||
        (step_named(m->state.step) == STEP_CUTOVER &&
         !migration_set(m, "step", &m->state.step, step_name(STEP_VERIFY), err)))
        return false; /* uncovered: the new server goes as well */
    /* Without triggers the stamp stays, and the check of it says what is missing. */
    return (!stamp || !*m->state.stamp || migration_set(m, "stamp", &m->state.stamp, stamp, err)) &&
           migration_set(m, "identity", &m->state.identity, m->plan.source->identity, err);
}

/* The source must be the table that the migration began with. */
static bool check_began_with(struct migration *m, struct error *err)
{
    const struct table *source = m->plan.source;

    if (strcmp(m->state.fingerprint, source->fingerprint) == 0) {
        if (strcmp(m->state.identity, source->identity) == 0)
            return true;
        if (strcmp(server_of(m->state.identity), server_of(source->identity)) != 0)
            return accept_new_server(m, err);
    }
    error_set(err, ERROR_REFUSED,
              "%s was altered, truncated or replaced since migration %" PRIu64 " began",
              m->plan.source->quoted, m->plan.id);
    return error_hint(err, "osc abort %" PRIu64 ", then start again", m->plan.id);
}

/* The source's name is its own still: is everything else as we left it? */
static bool look_around(struct migration *m, struct error *err)
{
    if (!migration_plan(m, m->state.schema, m->state.table, m->state.alter, err)) {
        error_hint(err, "osc abort %" PRIu64 " removes what the migration has made", m->plan.id);
        return error_prefix(err, "migration %" PRIu64, m->plan.id);
    }
    bare_recall(&m->plan, m->state.deferred);
    return check_began_with(m, err) &&
           /* the shadow is made anew unless it was finished */
           (!*m->state.deferred ||
            (migration_check_shadow(m, err) && plan_shadow(&m->plan, m->db, err) &&
             plan_check_unverified(&m->plan, m->options.verify != VERIFY_NONE, err))) &&
           (!*m->state.stamp || capture_check(m->db, &m->plan, m->state.stamp, err));
}

/* Is there anything to go on with? */
static bool check_unfinished(const struct migration *m, struct error *err)
{
    if (strcmp(m->state.status, "done") == 0)
        return error_set(err, ERROR_USAGE, "migration %" PRIu64 " is done: nothing to resume",
                         m->plan.id);
    if (migration_is_aborting(&m->state))
        return migration_refuse_half_aborted(&m->state, err);
    if (step_named(m->state.step) != STEP_DONE)
        return true;
    error_set(err, ERROR_REFUSED,
              "migration %" PRIu64 " is in step %s, which this version of osc does not know",
              m->plan.id, m->state.step);
    return error_hint(err, "osc %s resume %" PRIu64 " goes on, osc abort %" PRIu64 " gives it up",
                      m->state.version, m->plan.id, m->plan.id);
}

static bool resume_from(struct migration *m, enum step_id *from, struct error *err)
{
    enum owner owner = OWNER_SOURCE;

    if (!check_unfinished(m, err))
        return false;
    if (!look_who_owns(m, &owner, err))
        return false; /* uncovered: torture resumes before the swap */
    if (owner == OWNER_SOURCE && !look_around(m, err))
        return false;
    *from = owner == OWNER_SHADOW ? STEP_FINISH : step_named(m->state.step);
    if (*from < STEP_SHADOW || !*m->state.deferred)
        *from = STEP_SHADOW;
    if (owner == OWNER_UNKNOWN) {
        error_set(err, ERROR_REFUSED,
                  "%s is neither the table that migration %" PRIu64 " began with nor its shadow",
                  m->plan.source->quoted, m->plan.id);
        return error_hint(err, "osc abort %" PRIu64 " removes what the migration has made",
                          m->plan.id);
    }
    LOG(LOG_INFO, "resuming", FU("migration", m->plan.id), F("step", step_name(*from)),
        F("because",
          owner == OWNER_SHADOW ? "the swap has happened" : "the source still owns its name"));
    return true;
}

/* The row of the migration that the request means, where it may be worked on; only names are
 * planned. */
static bool find_and_name(struct migration *m, uint64_t id, enum find what, struct error *err)
{
    if (!migration_find(m, id, what, err))
        return false;
    migration_plan_names(m);
    return plan_check_primary(&m->plan, m->db, err);
}

/* What failed on the way, by nobody's fault: the same command is the next one. */
static bool again(const struct migration *m, bool good, const char *command, struct error *err)
{
    const bool comes_and_goes = err->kind == ERROR_LOST || err->kind == ERROR_TRANSIENT;

    if (good || err->kind == ERROR_USAGE || err->kind == ERROR_REFUSED || strstr(err->hint, "osc "))
        return good;
    if (m->plan.id)
        return error_hint_also(err, "osc %s %" PRIu64 " tries again", command, m->plan.id);
    return comes_and_goes ? error_hint_also(err, "osc %s tries again", command) : false;
}

bool migrate_resume(const struct request *request, uint64_t *id, struct error *err)
{
    struct migration m;
    enum step_id from = STEP_SHADOW;

    bool good = migration_open(&m, request, err) && find_and_name(&m, *id, FIND_UNDER_WAY, err) &&
                options_recall(&m.options, m.state.options, m.arena, err) &&
                hook_points_open(&m, err) && migration_take_over(&m, err) &&
                resume_from(&m, &from, err) &&
                state_adopt(m.db, m.state.schema, m.state.id, m.plan.run, err) &&
                leave_save_options(&m, err);
    if (good) {
        *id = m.plan.id;
        m.step = from;
        good = migration_run(&m, from, err);
    }
    good = again(&m, good, "resume", err);
    hook_points_close(&m, good, err);
    migration_close(&m);
    return good;
}

static bool wish_abort(struct migration *m, struct error *err)
{
    return state_set(m->db, m->state.schema, m->state.id, "wish", "abort", err);
}

/* Whoever runs hears of it while we still look for signs of life; resume forgets it. */
static void wish_abort_early(struct migration *m)
{
    struct error ignored = ERROR_INIT;

    if (strcmp(m->state.status, "running") == 0)
        (void)!wish_abort(m, &ignored);
}

/* The running process does it: it has the lease, the connections and the locks. */
static bool ask_the_running_one(struct migration *m, struct error *err)
{
    const struct deadline until = deadline_in_ms(TUNED("ANSWER_MS", ANSWER_MS));
    bool is_asked = false;

    LOG(LOG_INFO, "asking the running process to abort", FU("migration", m->plan.id));
    while (!deadline_passed(&until)) {
        struct state_row *row = NULL;
        if (!migration_find_again(m, &row, err))
            return false;
        if (!row)
            return true;
        if (migration_is_aborting(row) ? *row->error : strcmp(row->status, "running") != 0)
            return error_set(err, ERROR_SERVER, "migration %" PRIu64 " ended otherwise: %s %s",
                             m->state.id, row->status, row->error);
        if (!is_asked && !wish_abort(m, err))
            return false; /* uncovered: the row was read a moment ago */
        is_asked = true;
        if (!cancel_sleep_ms(m->cancel, 250))
            return cancel_check(m->cancel, err); /* uncovered: ^C in this very pause */
    }
    return error_set(err, ERROR_TRANSIENT, "the running process has not answered yet");
}

static bool refuse_swapped(const struct migration *m, struct error *err)
{
    error_set(err, ERROR_USAGE, "migration %" PRIu64 " has swapped already", m->state.id);
    if (!migration_is_over(&m->state))
        return error_hint(err, "osc resume %" PRIu64 " does what is left of it", m->state.id);
    if (!*m->state.retired)
        return error_hint(err,
                          "the table as it was is gone: only another osc alter undoes the change");
    return error_hint(err, "osc finish %" PRIu64 " drops the retired table", m->state.id);
}

static bool abort_here(struct migration *m, struct error *err)
{
    enum owner owner = OWNER_SOURCE;

    if (!look_who_owns(m, &owner, err))
        return false; /* uncovered: torture aborts before the swap */
    if (owner == OWNER_SHADOW || strcmp(m->state.status, "done") == 0)
        return refuse_swapped(m, err);
    return migration_give_up(m, err);
}

/*
 * Without a row, because somebody dropped the state table: by the names of what
 * a migration makes.  The journal says of itself whose it is; the shadow looks like anybody's
 * table.
 */
static bool abort_leftovers(struct migration *m, struct error *err)
{
    const char *schema = m->plan.source->schema, *says = "", *ignored = "";
    bool journal = false, shadow = false;
    const struct catalog_dialect *catalog = m->plan.dialect->catalog;

    if (!catalog->exists(m->db, schema, m->plan.names.journal, m->arena, &journal, &says, err) ||
        !catalog->exists(m->db, schema, m->plan.names.shadow, m->arena, &shadow, &ignored, err))
        return false; /* uncovered: torture never deletes the state table */
    if (journal ? strncmp(says, "osc: ", 5) != 0 : shadow) {
        error_set(err, ERROR_REFUSED, "nothing says that %s in %s is a left-over of osc",
                  journal ? m->plan.names.journal : m->plan.names.shadow, schema);
        return error_hint(err, "look into it, and DROP TABLE it if nobody needs it");
    }
    return migration_give_up(m, err);
}

/* The table's own schema where it still exists, else the one that was named. */
static bool name_leftovers(struct migration *m, struct error *err)
{
    const struct request *request = m->request;
    struct table *table = NULL;

    if (!db_dialect(m->db)->catalog->load(m->db, request->schema, request->table, m->arena, &table,
                                          err)) {
        if (err->kind != ERROR_MISSING || !request->schema)
            return false;
        error_clear(err);
    }
    m->state.schema = table ? table->schema : request->schema;
    m->state.table = table ? table->name : request->table;
    m->state.identity = "";
    migration_plan_names(m);
    return true;
}

static bool abort_by_name(struct migration *m, struct error *err)
{
    struct error nothing_found = *err;

    error_clear(err);
    /* Who sees the new columns and wants the old ones must not hear that all is well. */
    if (migration_find(m, 0, FIND_RETIRED, err))
        return refuse_swapped(m, err);
    if (m->n_fit || err->kind != ERROR_USAGE)
        return false;
    error_clear(err);
    if (!name_leftovers(m, err) || !plan_check_primary(&m->plan, m->db, err) ||
        !migration_take_over(m, err) || !abort_leftovers(m, err))
        return error_prefix(err, "%s", nothing_found.text);
    LOG(LOG_WARN, "no record of a migration; what is left of one, if anything, was removed",
        F("table", m->plan.source->quoted));
    return true;
}

bool migrate_abort(const struct request *request, uint64_t *id, struct error *err)
{
    struct migration m;

    if (!migration_open(&m, request, err)) {
        (void)again(&m, false, "abort", err);
        migration_close(&m);
        return false;
    }
    bool good = find_and_name(&m, *id, FIND_UNDER_WAY, err);
    if (good) {
        *id = m.plan.id;
        wish_abort_early(&m);
        if (migration_take_over(&m, err)) {
            good = abort_here(&m, err);
        } else {
            good = err->kind == ERROR_REFUSED; /* somebody has the lease */
            if (good) {
                error_clear(err);
                good = ask_the_running_one(&m, err);
            }
        }
    } else if (err->kind == ERROR_USAGE && !m.n_fit && request->table && !*id) {
        good = abort_by_name(&m, err);
    }
    good = again(&m, good, "abort", err);
    migration_close(&m);
    return good;
}

bool migrate_finish(const struct request *request, uint64_t *id, struct error *err)
{
    struct migration m;

    bool good = migration_open(&m, request, err) && find_and_name(&m, *id, FIND_RETIRED, err);
    if (good && strcmp(m.state.status, "done") != 0) {
        good = error_set(err, ERROR_USAGE, "migration %" PRIu64 " is not over: %s", m.state.id,
                         m.state.status);
        error_hint(err, "osc resume %" PRIu64 " or osc abort %" PRIu64, m.state.id, m.state.id);
    }
    good = good && migration_take_over(&m, err) &&
           (!*m.state.retired || migration_drop_retired(&m, err));
    good = again(&m, good, "finish", err);
    *id = good ? m.plan.id : 0;
    migration_close(&m);
    return good;
}

static bool not_yet(const struct migration *m, struct error *err)
{
    error_set(err, ERROR_REFUSED, "migration %" PRIu64 " has not copied every row yet (step %s)",
              m->plan.id, m->state.step);
    return error_hint(err, "osc status %" PRIu64 " says how far it is", m->plan.id);
}

bool migrate_load(const struct request *request, struct db *db, uint64_t *id, struct plan *plan,
                  struct error *err)
{
    struct migration m = {.request = request, .arena = request->arena, .db = db};

    m.plan.arena = request->arena;
    if (!migration_find(&m, *id, FIND_UNDER_WAY, err) ||
        !migration_plan(&m, m.state.schema, m.state.table, m.state.alter, err))
        return false;
    if (step_named(m.state.step) <= STEP_COPY)
        return not_yet(&m, err);
    bare_recall(&m.plan, m.state.deferred);
    if (!plan_shadow(&m.plan, db, err))
        return false;
    if (m.plan.is_bare)
        return not_yet(&m, err);
    *id = m.plan.id;
    *plan = m.plan;
    return true;
}
