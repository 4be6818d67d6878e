#include "osc/db/db.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "osc/base/clock.h"
#include "osc/base/fail.h"
#include "osc/base/log.h"
#include "osc/base/metrics.h"
#include "osc/db/dialect.h"
#include "osc/db/driver.h"
#include "osc/db/server.h"

enum { CROWDED_MS = 60000 };

static const struct {
    enum error_kind kind;
    const char *hint;
} hints[] = {
    {ERROR_LOST,      "is the server running there, and are host and port right?"                    },
    {ERROR_DENIED,    "are user, password and TLS options right, and may this user log in from here?"},
    {ERROR_MISSING,   "the database in the DSN must exist"                                           },
    {ERROR_TRANSIENT, "try again when fewer clients are connected"                                   },
};

/* What the server refused is counted, whether or not somebody tries again and succeeds. */
static bool counted(const struct db *db, bool good, const struct error *err)
{
    if (!good && err->kind != ERROR_NONE)
        metrics_error(db->operation, error_kind_name(err->kind));
    return good;
}

static void name_operation(struct db *db, const char *purpose)
{
    const size_t length = strcspn(purpose, "-0123456789");

    memcpy(db->operation, purpose,
           length < sizeof db->operation ? length : sizeof db->operation - 1);
}

struct db *db_open(const struct dsn *dsn, const char *purpose, struct error *err)
{
    struct db *db = must_alloc(sizeof *db);

    db->dialect = dsn->dialect;
    db->driver = dsn->dialect->driver;
    db->dsn = dsn;
    db->arena = arena_new();
    name_operation(db, purpose);
    if (counted(db, db->driver->connect(db, dsn, purpose, err), err) &&
        db->dialect->server->setup(db, purpose, err))
        return db;
    error_prefix(err, "connecting to %s", dsn->shown);
    for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
        if (hints[i].kind == err->kind && !*err->hint)
            error_hint(err, "%s", hints[i].hint);
    db_close(db);
    return NULL;
}

struct db *db_open_patiently(const struct dsn *dsn, const char *purpose, struct cancel *cancel,
                             struct error *err)
{
    const struct deadline until = deadline_in_ms(CROWDED_MS);

    for (unsigned n = 0;; n++) {
        error_clear(err);
        struct db *db = db_open(dsn, purpose, err);
        if (db || err->kind != ERROR_TRANSIENT || deadline_passed(&until))
            return db;
        if (n == 0)
            LOG(LOG_WARN, "no connection to be had, trying again", F("for", purpose),
                F("error", err->text));
        /* uncovered: cancelled in this pause */
        if (!cancel_sleep_ms(cancel, backoff_until_ms(&until, n, 50, 2000))) {
            (void)!cancel_check(cancel, err);
            return NULL;
        }
    }
}

void db_close(struct db *db)
{
    if (!db)
        return;
    db->driver->close(db);
    arena_free(db->arena);
    free(db);
}

const struct dialect *db_dialect(const struct db *db)
{
    return db->dialect;
}

const struct facts *db_facts(const struct db *db)
{
    return db->facts;
}

uint64_t db_id(const struct db *db)
{
    return db->id;
}

bool db_is_lost(const struct db *db)
{
    return db->is_lost;
}

static atomic_uint_fast64_t statements_sent, transactions_begun;

struct db_tally db_tally(void)
{
    return (struct db_tally){atomic_load(&statements_sent), atomic_load(&transactions_begun)};
}

static void count_statement(const struct db *db)
{
    atomic_fetch_add(&statements_sent, 1);
    if (!db->is_in_transaction)
        atomic_fetch_add(&transactions_begun, 1);
}

/* The first word only: the rest may hold values. */
static void log_statement(const char *statement, uint64_t started_us, uint64_t affected, bool good)
{
    char verb[16] = "";

    if (!log_wants(LOG_DEBUG))
        return;
    statement += strspn(statement, " \n\t(");
    memcpy(verb, statement, strnlen(statement, sizeof verb - 1));
    verb[strcspn(verb, " \n\t(")] = '\0';
    LOG(LOG_DEBUG, "statement", F("verb", verb), F("outcome", good ? "done" : "failed"),
        FR("ms", (double)(clock_us() - started_us) / 1000), FU("rows", affected));
}

static bool check_usable(struct db *db, struct error *err)
{
    if (db->is_reading)
        bug("a statement was sent while rows of the one before were unread");
    return db->is_lost ? error_set(err, ERROR_LOST, "the connection is lost") : true;
}

void db_record(struct db *db, struct text *script, bool runs)
{
    db->script = script;
    db->is_rehearsal = script && !runs;
}

#ifdef OSC_TESTING
/* The server ends this connection; what it was doing is rolled back. */
static void break_connection(struct db *db)
{
    struct error ignored = ERROR_INIT;
    struct db *killer = db_open(db->dsn, "killer", &ignored);
    if (killer)
        (void)!db->dialect->server->kill(killer, db->id, &ignored);
    db_close(killer);
}

/* True when the call may go on; `is_over` says that it ran already. */
static bool suffer_fault(struct db *db, unsigned number, bool is_over, struct error *err)
{
    const char fault = fault_wanted(number);

    if (fault == (is_over ? 'K' : 'k'))
        (void)kill(getpid(), SIGKILL); /* uncovered: whoever is killed leaves no count */
    if (fault == 'b' && !is_over)
        break_connection(db);
    if (fault != 'a' || !is_over)
        return true;
    break_connection(db);
    db->is_lost = true;
    return error_set(err, ERROR_LOST, "the reply was lost");
}
#define FAULT_NUMBER() const unsigned fault_number = fault_count()
#define FAULT(db, is_over, err) suffer_fault((db), fault_number, (is_over), (err))
#else
#define FAULT_NUMBER() ((void)0)
#define FAULT(db, is_over, err) true
#endif

bool db_exec(struct db *db, const char *statement, uint64_t *affected, struct error *err)
{
    const uint64_t started = clock_us();
    uint64_t count = 0;

    FAULT_NUMBER();
    if (!check_usable(db, err) || !FAULT(db, false, err))
        return false;
    count_statement(db);
    if (db->script)
        text_printf(db->script, "%s;\n", statement);
    const bool good =
        db->is_rehearsal ||
        counted(db, db->driver->exec(db, statement, &count, err) && FAULT(db, true, err), err);
    log_statement(statement, started, count, good);
    if (good && affected)
        *affected = count;
    return good;
}

bool db_query(struct db *db, struct rows *rows, const char *statement, struct error *err)
{
    const uint64_t started = clock_us();
    struct rows fresh = ROWS_INIT;

    error_clear(err); /* rows_next() says nothing at the end: callers look at the kind */
    FAULT_NUMBER();
    if (!check_usable(db, err) || !FAULT(db, false, err))
        return false;
    count_statement(db);
    const bool good = counted(db, db->driver->query(db, &fresh, statement, err), err);
    log_statement(statement, started, 0, good);
    if (!good)
        return false;
    *rows = fresh;
    rows->db = db;
    db->is_reading = true;
    if (!FAULT(db, true, err)) {
        rows_release(rows);
        return false;
    }
    return true;
}

bool rows_next(struct rows *rows, struct error *err)
{
    if (rows->db && counted(rows->db, rows->db->driver->next(rows, err), err))
        return true;
    rows_release(rows);
    return false;
}

void rows_release(struct rows *rows)
{
    if (!rows->db)
        return;
    rows->db->driver->finish(rows);
    rows->db->is_reading = false;
    *rows = (struct rows)ROWS_INIT;
}

static void check_column(const struct rows *rows, unsigned column)
{
    if (!rows->db || !rows->values || column >= rows->columns)
        bug("column %u of %u was asked for", column, rows->columns);
}

const char *rows_name(const struct rows *rows, unsigned column)
{
    if (!rows->db || column >= rows->columns)
        bug("column %u of %u was asked for", column, rows->columns);
    return rows->db->driver->name(rows, column);
}

const char *rows_text(const struct rows *rows, unsigned column)
{
    check_column(rows, column);
    return rows->values[column] ? rows->values[column] : "";
}

bool rows_is_null(const struct rows *rows, unsigned column)
{
    check_column(rows, column);
    return !rows->values[column];
}

uint64_t rows_u64(const struct rows *rows, unsigned column)
{
    const char *text = rows_text(rows, column);
    char *end = NULL;

    errno = 0;
    const uint64_t value = strtoull(text, &end, 10);
    if (*end || errno || *text == '-')
        bug("column %u should be a number without sign", column);
    return value;
}

int64_t rows_i64(const struct rows *rows, unsigned column)
{
    const char *text = rows_text(rows, column);
    char *end = NULL;

    errno = 0;
    const int64_t value = strtoll(text, &end, 10);
    if (*end || errno)
        bug("column %u should be a whole number", column);
    return value;
}

bool rows_bool(const struct rows *rows, unsigned column)
{
    static const char *const yes[] = {"t", "true", "1", "yes", "y", "on"};
    const char *text = rows_text(rows, column);

    for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
        if (strcasecmp(text, yes[i]) == 0)
            return true;
    return false;
}

bool db_value(struct db *db, struct arena *arena, const char **value, const char *statement,
              struct error *err)
{
    struct rows rows = ROWS_INIT;
    const char *found = NULL;

    if (!db_query(db, &rows, statement, err))
        return false;
    if (rows_next(&rows, err) && !rows_is_null(&rows, 0))
        found = arena_copy(arena, rows.values[0], rows.lengths[0]);
    rows_release(&rows);
    if (err->kind == ERROR_NONE)
        *value = found;
    return err->kind == ERROR_NONE;
}

bool db_value_u64(struct db *db, uint64_t *value, const char *statement, struct error *err)
{
    struct rows rows = ROWS_INIT;
    uint64_t found = 0;

    if (!db_query(db, &rows, statement, err))
        return false;
    if (rows_next(&rows, err))
        found = rows_u64(&rows, 0);
    rows_release(&rows);
    if (err->kind == ERROR_NONE)
        *value = found;
    return err->kind == ERROR_NONE;
}

bool db_begin(struct db *db, struct error *err)
{
    db->is_in_transaction = db_exec(db, db->dialect->server->begin, NULL, err);
    return db->is_in_transaction;
}

bool db_commit(struct db *db, struct error *err)
{
    const bool good = db_exec(db, "COMMIT", NULL, err);

    db->is_in_transaction = false;
    return good;
}

void db_rollback(struct db *db)
{
    struct error ignored = ERROR_INIT;

    if (!db->is_lost && !db_exec(db, "ROLLBACK", NULL, &ignored))
        LOG(LOG_DEBUG, "rollback failed", F("error", ignored.text));
    db->is_in_transaction = false;
}

void db_interrupt(struct db *db)
{
    db->driver->interrupt(db);
}

void db_add_literal(struct db *db, struct text *out, const char *bytes, size_t length)
{
    db->driver->add_literal(db, out, bytes, length);
}

void db_add_name(struct db *db, struct text *out, const char *name)
{
    db->driver->add_name(out, name);
}

const char *db_quote_literal(struct db *db, struct arena *arena, const char *string)
{
    AUTO(text) out = TEXT_INIT;

    if (!string)
        return "NULL";
    db_add_literal(db, &out, string, strlen(string));
    return arena_copy(arena, out.bytes, out.length);
}

const char *db_quote_name(struct db *db, struct arena *arena, const char *name)
{
    AUTO(text) out = TEXT_INIT;

    db_add_name(db, &out, name);
    return arena_copy(arena, out.bytes, out.length);
}
