#include "osc/long_work.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "osc/db/dialect.h"
#include "osc/db/sql.h"
#include "osc/shadow.h"

enum { MOST_WORDS = 64 };

const char *long_work_words(const char *words)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static const char *known[MOST_WORDS] GUARDED_BY(lock);
    const char *found = NULL;

    pthread_mutex_lock(&lock);
    for (size_t i = 0; !found && i < MOST_WORDS; i++) {
        if (!known[i])
            known[i] = strdup(words);
        if (known[i] && strcmp(known[i], words) == 0)
            found = known[i];
    }
    pthread_mutex_unlock(&lock);
    return found;
}

void long_work_forget(struct progress *progress)
{
    atomic_store(&progress->server_words, NULL);
}

void long_work_look(const struct plan *plan, struct db *db, struct progress *progress)
{
    const char *question = plan->dialect->shadow->long_work(db_facts(db));
    struct arena *arena = arena_new();
    struct sql_env env = {.arena = arena};
    struct error ignored = ERROR_INIT;
    struct rows rows = ROWS_INIT;
    const char *words = NULL;

    sql_bind_literal(&env, db, "schema_text", plan->source->schema);
    sql_bind_literal(&env, db, "shadow_text", plan->names.shadow);
    if (question && sql_query(db, &rows, question, &env, &ignored) && rows_next(&rows, &ignored)) {
        words = long_work_words(rows_text(&rows, 0));
        const double done = rows_is_null(&rows, 1) ? -1 : strtod(rows_text(&rows, 1), NULL);
        atomic_store(&progress->server_permille, done < 0 || done > 1000 ? -1 : (int)done);
    }
    rows_release(&rows);
    atomic_store(&progress->server_words, words);
    arena_free(arena);
}
