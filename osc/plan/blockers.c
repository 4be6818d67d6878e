#include "osc/plan/blockers.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "osc/base/clock.h"
#include "osc/base/fail.h"
#include "osc/base/human.h"
#include "osc/base/log.h"
#include "osc/base/metrics.h"
#include "osc/db/dialect.h"

enum {
    OLD_MS = 1000, /* older transactions will not end just because we wait a moment */
    TELL_EVERY_MS = 10000,
    SHAPE_WIDTH = 80,
    LEAST_WAIT_MS = 60000, /* also where the cutover is to be over sooner */
};

struct deadline patience_deadline(const struct patience *patience)
{
    const uint64_t least = TUNED("LEAST_WAIT", LEAST_WAIT_MS);

    return deadline_in_ms(patience->total_ms > least ? patience->total_ms : least);
}

/* ---- the shape of a statement ---- */

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || (c & 0x80);
}

/* Behind the quoted text; NULL where servers differ in what ends it, or nothing does. */
static const char *behind_quotes(const char *at)
{
    const char quote = *at++;

    for (; *at; at++) {
        if (*at == '\\')
            return NULL;
        if (*at == quote && at[1] == quote)
            at++;
        else if (*at == quote)
            return at + 1;
    }
    return NULL;
}

/* What cannot be told apart for sure ends the text: a value must not be shown. */
const char *blocker_shape(const char *statement, struct arena *arena)
{
    AUTO(text) out = TEXT_INIT;

    for (const char *at = statement; at && *at;) {
        if (isspace((unsigned char)*at) || iscntrl((unsigned char)*at)) {
            while (isspace((unsigned char)*at) || iscntrl((unsigned char)*at))
                at++;
            text_add(&out, *at && out.length ? " " : "");
        } else if (*at == '\'' || *at == '"') {
            at = behind_quotes(at);
            text_add(&out, at ? "?" : "…");
        } else if (*at == '$' && !isdigit((unsigned char)at[1])) {
            text_add(&out, "…");
            break;
        } else if (isdigit((unsigned char)*at)) {
            while (is_word(*at) || *at == '.')
                at++;
            text_add(&out, "?");
        } else if (is_word(*at)) {
            const char *begin = at;
            while (is_word(*at))
                at++;
            text_add_bytes(&out, begin, (size_t)(at - begin));
        } else {
            text_add_bytes(&out, at++, 1);
        }
    }
    return human_cut(arena_string(arena, out.bytes), SHAPE_WIDTH, arena);
}

/* ---- asking ---- */

static bool read_blockers(struct rows *rows, struct blockers *found, struct error *err)
{
    struct arena *arena = found->arena;

    while (rows_next(rows, err)) {
        if (found->n == MOST_BLOCKERS) {
            found->more++;
            continue;
        }
        found->list[found->n++] = (struct blocker){
            .id = rows_u64(rows, 0),
            .user = arena_string(arena, rows_text(rows, 1)),
            .host = arena_string(arena, rows_text(rows, 2)),
            .age_ms = rows_u64(rows, 3),
            .doing = arena_string(arena, rows_text(rows, 4)),
            .query = blocker_shape(rows_text(rows, 5), arena),
            .spared = arena_string(arena, rows_text(rows, 6)),
        };
    }
    return err->kind == ERROR_NONE;
}

static const char *first_table(const struct lookout *lookout)
{
    return lookout->tables[0] ? lookout->tables[0] : lookout->plan->source->name;
}

static void bind_tables(struct sql_env *env, struct db *db, const struct lookout *lookout)
{
    AUTO(text) names = TEXT_INIT;

    text_add(&names, db_quote_literal(db, env->arena, first_table(lookout)));
    if (lookout->tables[1])
        text_printf(&names, ", %s", db_quote_literal(db, env->arena, lookout->tables[1]));
    sql_bind_literal(env, db, "name", first_table(lookout));
    sql_bind_sql(env, "names", arena_string(env->arena, names.bytes));
}

static bool ask(const struct lookout *lookout, struct db *db, const char *question,
                uint64_t older_ms, bool hidden, struct blockers *found, struct error *err)
{
    struct sql_env env = {.arena = found->arena};
    AUTO(rows) rows = ROWS_INIT;

    sql_bind_literal(&env, db, "schema", lookout->plan->source->schema);
    bind_tables(&env, db, lookout);
    sql_bind_u64(&env, "older", older_ms);
    sql_bind_sql(&env, "readers", lookout->readers_count ? "TRUE" : "FALSE");
    sql_bind_sql(&env, "hidden", hidden ? "TRUE" : "FALSE");
    return sql_query(db, &rows, question, &env, err) && read_blockers(&rows, found, err);
}

/* ---- telling ---- */

static const char *age_of(const struct blocker *blocker)
{
    static _Thread_local struct human age;

    age = human_duration(blocker->age_ms);
    return blocker->age_ms ? age.text : "a time we may not see";
}

static void describe(const struct blockers *found, struct text *out)
{
    for (size_t i = 0; i < found->n; i++) {
        const struct blocker *b = &found->list[i];
        text_printf(out, "\n  ");
        if (b->id)
            text_printf(out, "%" PRIu64 " ", b->id);
        text_printf(out, "%s%s%s, %s for %s%s%s", b->user, *b->host ? "@" : "", b->host, b->doing,
                    age_of(b), *b->query ? ": " : "", b->query);
    }
    if (found->more)
        text_printf(out, "\n  and %zu more", found->more);
}

static uint64_t identity(const struct blockers *found)
{
    uint64_t hash = found->n + found->more;

    for (size_t i = 0; i < found->n; i++)
        hash =
            hash * UINT64_C(1099511628211) + server_hash(found->list[i].doing) + found->list[i].id;
    return hash;
}

/* One line each, when they are others than before, and now and then. */
static void tell(struct lookout *lookout, const struct blockers *found)
{
    const uint64_t hash = identity(found);
    const bool kills = lookout->patience->kill_after_ms != 0;

    if (hash == lookout->told_hash && clock_ms() < lookout->told_ms + TELL_EVERY_MS)
        return;
    lookout->told_hash = hash;
    lookout->told_ms = clock_ms();
    for (size_t i = 0; i < found->n; i++) {
        const struct blocker *b = &found->list[i];
        LOG(LOG_INFO, "table held",
            FS(found->is_guess ? "table may be held by others" : "table is held by others"),
            F("table", first_table(lookout)), FU("id", b->id), F("user", b->user),
            F("host", b->host), F("age", age_of(b)), F("doing", b->doing), F("query", b->query),
            F("spared_because", kills ? b->spared : ""));
    }
    if (found->more)
        LOG(LOG_INFO, "and by more", FU("others", found->more));
}

/* ---- ending ---- */

static bool was_ended(const struct lookout *lookout, uint64_t id)
{
    for (unsigned i = 0; i < ARRAY_SIZE(lookout->ended); i++)
        if (lookout->ended[i] == id)
            return true;
    return false;
}

static void end_one(struct lookout *lookout, struct db *db, const struct blocker *b)
{
    const struct blocker_dialect *dialect = lookout->plan->dialect->blockers;
    struct error refusal = ERROR_INIT;

    if (dialect->kill(db, b, lookout->patience->kill_after_ms, &refusal)) {
        lookout->ended[lookout->n_ended++ % ARRAY_SIZE(lookout->ended)] = b->id;
        LOG(LOG_WARN, "blocker killed", F("table", first_table(lookout)), FU("id", b->id),
            F("user", b->user), F("host", b->host), F("age", age_of(b)), F("doing", b->doing),
            F("query", b->query));
        return;
    }
    if (refusal.kind == ERROR_DENIED)
        lookout->missing = lookout->plan->facts->kill_right;
    LOG(LOG_WARN, "blocker not killed", FU("id", b->id), F("user", b->user),
        F("error", refusal.text), F("hint", lookout->missing ? lookout->missing : ""));
}

/* Only those whom the server shows to be in the way: a suspect may be innocent. */
static void end_old_ones(struct lookout *lookout, struct db *db, const struct blockers *found)
{
    const uint64_t after_ms = lookout->patience->kill_after_ms;

    for (size_t i = 0; after_ms && !found->is_guess && i < found->n; i++) {
        const struct blocker *b = &found->list[i];
        if (b->id && !*b->spared && b->age_ms >= after_ms && !was_ended(lookout, b->id))
            end_one(lookout, db, b);
    }
}

/* ---- the lookout ---- */

/* *can_see: the server tells who holds; where a plugin does, it may be gone since we connected. */
static bool ask_for_holders(struct lookout *lookout, struct db *db, uint64_t older_ms, bool is_late,
                            struct blockers *found, bool *can_see, struct error *err)
{
    const char *holders = lookout->plan->dialect->blockers->holders(lookout->plan->facts);

    *can_see = holders && ask(lookout, db, holders, older_ms, is_late, found, err);
    if (err->kind == ERROR_MISSING)
        error_clear(err);
    return err->kind == ERROR_NONE;
}

bool lookout_is_clear(struct lookout *lookout, struct db *db, struct error *err)
{
    struct blockers found = {.arena = arena_new()};
    bool can_see = false;
    AUTO(text) names = TEXT_INIT;

    bool good = ask_for_holders(lookout, db, OLD_MS, false, &found, &can_see, err);
    lookout->has_named = good && found.n;
    if (lookout->has_named) {
        tell(lookout, &found);
        end_old_ones(lookout, db, &found);
        describe(&found, &names);
        good = error_set(err, ERROR_TRANSIENT, "others hold %s:%s",
                         lookout->tables[0] ? lookout->tables[0] : lookout->plan->source->quoted,
                         names.bytes);
    }
    arena_free(found.arena);
    return good;
}

/* Who has stayed through the attempt; a prepared transaction may hold only rows. */
static bool find_culprits(struct lookout *lookout, struct db *db, struct blockers *found,
                          struct error *err)
{
    const struct blocker_dialect *dialect = lookout->plan->dialect->blockers;
    const uint64_t lock_ms = lookout->patience->lock_ms;
    const uint64_t older_ms = lock_ms < OLD_MS ? lock_ms : OLD_MS;
    bool can_see = false;

    if (!ask_for_holders(lookout, db, older_ms, true, found, &can_see, err))
        return false;
    if (found->n)
        return true;
    found->is_guess = true;
    if (!can_see && lookout->patience->kill_after_ms)
        lookout->missing = lookout->plan->facts->sight_right;
    return ask(lookout, db, dialect->suspects(lookout->plan->facts), older_ms, true, found, err);
}

void lookout_explain(struct lookout *lookout, struct db *db, struct error *err)
{
    struct blockers found = {.arena = arena_new()};
    struct error ignored = ERROR_INIT, failure = *err;
    AUTO(text) names = TEXT_INIT;

    if (lookout->has_named) {
        arena_free(found.arena);
        return;
    }
    if (db_is_lost(db) || !find_culprits(lookout, db, &found, &ignored))
        LOG(LOG_DEBUG, "who holds the table cannot be asked", F("error", ignored.text));
    if (found.n) {
        tell(lookout, &found);
        describe(&found, &names);
        error_set(err, failure.kind, "%s; %s:%s", failure.text,
                  found.is_guess ? "perhaps because of one of these" : "in the way are",
                  names.bytes);
    }
    arena_free(found.arena);
}

bool lookout_advise(const struct lookout *lookout, const char *before, const char *next,
                    struct error *err)
{
    if (lookout->missing)
        return error_hint(err, "%s%s, then %s", before, lookout->missing, next);
    return error_hint(err, "%send what is in the way%s or raise --cutover-timeout, then %s", before,
                      lookout->patience->kill_after_ms ? "" : ", use --kill-blockers-after", next);
}

bool lookout_persist(struct lookout *lookout, lock_attempt *attempt, bool at_once, struct db *db,
                     struct error *err)
{
    const struct patience *patience = lookout->patience;
    const struct deadline until = deadline_in_ms(patience->total_ms);

    for (unsigned n = 0;; n++) {
        error_clear(err);
        if ((n == 0 && at_once) || lookout_is_clear(lookout, db, err)) {
            metrics_add(COUNT_LOCKS_DDL, 1);
            if (attempt(db, lookout->plan, patience->lock_ms, err))
                return true;
            metrics_add(COUNT_LOCKS_DDL_FAILED, 1);
            if (err->kind == ERROR_TRANSIENT)
                lookout_explain(lookout, db, err);
        }
        if (err->kind != ERROR_TRANSIENT)
            return false;
        if (deadline_passed(&until))
            return error_prefix(err, "not within %s", human_setting(patience->total_ms).text);
        LOG(LOG_DEBUG, "table is busy, trying again", F("table", first_table(lookout)),
            FU("attempt", n + 1), F("error", err->text));
        if (!cancel_sleep_ms(patience->cancel, backoff_until_ms(&until, n, 50, 5000)))
            return cancel_check(patience->cancel, err); /* uncovered: cancelled in this pause */
    }
}
