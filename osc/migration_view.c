#include "osc/migration_view.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "osc/base/human.h"
#include "osc/output.h"
#include "osc/rest_view.h"

enum { SILENT_S = 15 }; /* many heartbeats */

static const char *const names[] = {"running", "dead", "stopped", "swapped", "done", "aborting"};
static_assert(ARRAY_SIZE(names) == LIFE_ABORTING + 1, "every life has its name");

const char *life_name(enum life life)
{
    return names[life];
}

static enum life life_of(const struct state_row *row)
{
    if (strcmp(row->status, "running") == 0)
        return row->heartbeat_age_s > SILENT_S ? LIFE_DEAD : LIFE_RUNNING;
    if (strcmp(row->status, "done") == 0)
        return *row->retired ? LIFE_SWAPPED : LIFE_DONE;
    return strcmp(row->status, "aborting") == 0 ? LIFE_ABORTING : LIFE_STOPPED;
}

static uint64_t counter(const json_t *object, const char *name)
{
    const json_int_t value = json_integer_value(json_object_get(object, name));

    return value > 0 ? (uint64_t)value : 0;
}

static double real(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return json_is_number(value) && json_number_value(value) < 1e15 ? json_number_value(value) : -1;
}

static void read_pace(struct progress_view *progress, const json_t *pace, struct arena *arena)
{
    const char *words = json_string_value(json_object_get(pace, "server_words"));
    const double permille = real(pace, "server_permille");

    progress->rows_per_s = real(pace, "rows_per_s");
    progress->eta_s = real(pace, "eta_s");
    progress->eta_other_s = real(pace, "eta_other_s");
    progress->server_words = words && *words ? arena_string(arena, words) : NULL;
    progress->server_permille = permille >= 0 && permille <= 1000 ? (int)permille : -1;
}

/* The counters as the run wrote them with its last heartbeat. */
static void read_progress(struct migration_view *view, struct arena *arena)
{
    const struct state_row *row = view->row;
    struct progress_meter meter = {.step = NULL};
    struct progress progress = {.steps = 0};
    json_t *json = json_loads(row->progress, 0, NULL);

    atomic_store(&progress.table, row->table);
    atomic_store(&progress.step, row->step);
    /* The step may have gone on since the last heartbeat. */
    const char *step = json_string_value(json_object_get(json, "step"));
    if (step && strcmp(step, row->step) == 0) {
        atomic_store(&progress.step_number, (unsigned)counter(json, "step_number"));
        atomic_store(&progress.steps, (unsigned)counter(json, "steps"));
    }
    atomic_store(&progress.rows_expected, counter(json, "rows_expected"));
    atomic_store(&progress.rows_copied, counter(json, "rows_copied"));
    atomic_store(&progress.units_expected, counter(json, "units_expected"));
    atomic_store(&progress.units_copied, counter(json, "units_copied"));
    atomic_store(&progress.rows_verified, counter(json, "rows_verified"));
    atomic_store(&progress.backlog, counter(json, "backlog"));
    atomic_store(&progress.threads, (unsigned)counter(json, "threads"));
    atomic_store(&progress.attempts, (unsigned)counter(json, "attempts"));
    atomic_store(&progress.replicas, (unsigned)counter(json, "replicas"));
    atomic_store(&progress.replicas_unknown, (unsigned)counter(json, "replicas_unknown"));
    atomic_store(&progress.replica_lag_ms, counter(json, "replica_lag_ms"));
    atomic_store(&progress.rests, (unsigned)counter(json, "rests"));
    atomic_store(&progress.is_at_rest, counter(json, "is_at_rest") != 0);
    atomic_store(&progress.rests_until, (int64_t)counter(json, "rests_until"));
    throttle_view_restore(json_object_get(json, "throttle"), &progress, arena);
    progress_read(&meter, &progress, 0, &view->progress);
    /* What was measured is of the step that the run was in. */
    const bool is_current = step && strcmp(step, row->step) == 0;
    read_pace(&view->progress, is_current ? json_object_get(json, "pace") : NULL, arena);
    json_decref(json);
}

/* Both stamps are UTC and begin alike on every server: 2024-11-22 00:37:01. */
static bool read_stamp(const char *stamp, time_t *seconds)
{
    struct tm tm = {.tm_mday = 0};

    if (!strptime(stamp, "%Y-%m-%d %H:%M:%S", &tm))
        return false;
    *seconds = timegm(&tm);
    return true;
}

static uint64_t seconds_taken(const struct state_row *row)
{
    time_t from, to;

    if (!read_stamp(row->started, &from) || !read_stamp(row->finished, &to) || to < from)
        return 0;
    return to > from ? (uint64_t)(to - from) : 1;
}

static void explain_running(struct migration_view *view, struct arena *arena)
{
    const struct state_row *row = view->row;
    struct rest_view rest;

    rest_view_read(&rest, row, &view->progress, view->name, arena);
    view->situation =
        arena_printf(arena, "runs on %s, process %" PRIu64 "%s%s%s%s%s", row->host, row->pid,
                     *row->wish ? "; it was told to abort" : "", *rest.words ? "\n" : "",
                     rest.words, *rest.forecast ? "\n" : "", rest.forecast);
    if (!*row->wish)
        view->next = arena_printf(arena, "%s%sosc abort %s stops it and cleans up", rest.next,
                                  *rest.next ? " | " : "", view->name);
}

static void explain(struct migration_view *view, struct arena *arena)
{
    const struct state_row *row = view->row;
    const char *silence = arena_string(arena, human_eta(row->heartbeat_age_s).text);

    view->next = "";
    switch (view->life) {
    case LIFE_RUNNING: explain_running(view, arena); return;
    case LIFE_DEAD:
        view->situation = arena_printf(arena, "no sign of life from %s, process %" PRIu64 " for %s",
                                       row->host, row->pid, silence);
        break;
    case LIFE_STOPPED:
        if (strcmp(row->step, "finish") == 0) {
            view->situation = arena_printf(
                arena, "stopped %s ago, after the swap: only the clean-up is missing", silence);
            view->next = arena_printf(arena, "osc resume %s", view->name);
            return;
        }
        view->situation =
            arena_printf(arena, "stopped %s ago; the table is in use as before", silence);
        break;
    case LIFE_SWAPPED:
        view->situation = arena_printf(arena, "done; %s holds the table as it was", row->retired);
        view->next = arena_printf(arena, "osc finish %s drops it", view->name);
        return;
    case LIFE_DONE: view->situation = "done, nothing is left of it"; return;
    case LIFE_ABORTING:
        view->situation = "part of it is removed already; the table is in use as before";
        view->next = arena_printf(arena, "osc abort %s removes the rest", view->name);
        return;
    }
    if (*row->paused)
        view->situation = arena_printf(arena,
                                       "%s\npaused by %s: it rests after osc resume until "
                                       "osc unpause %s",
                                       view->situation, row->paused, view->name);
    view->next = arena_printf(arena, "osc resume %s | osc abort %s", view->name, view->name);
}

void migration_view_read(struct migration_view *view, const struct state_row *row, const char *name,
                         struct arena *arena)
{
    *view = (struct migration_view){
        .row = row, .name = name, .life = life_of(row), .took_s = seconds_taken(row)};
    read_progress(view, arena);
    explain(view, arena);
}

json_t *migration_view_json(const struct migration_view *view)
{
    const struct state_row *row = view->row;
    const struct {
        const char *name, *value;
    } texts[] = {
        {"schema",    row->schema      },
        {"table",     row->table       },
        {"alter",     row->alter       },
        {"state",     names[view->life]},
        {"step",      row->step        },
        {"error",     row->error       },
        {"retired",   row->retired     },
        {"paused",    row->paused      },
        {"let_go",    row->let_go      },
        {"host",      row->host        },
        {"version",   row->version     },
        {"started",   row->started     },
        {"updated",   row->updated     },
        {"finished",  row->finished    },
        {"situation", view->situation  },
        {"next",      view->next       },
    };
    json_t *object = json_object();
    json_t *progress = progress_json(&view->progress);

    json_object_set_new(object, "id", json_integer((json_int_t)row->id));
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        json_object_set_new(object, texts[i].name, output_string(texts[i].value));
    json_object_set_new(object, "pid", json_integer((json_int_t)row->pid));
    json_object_set_new(object, "heartbeat_age_s", json_integer((json_int_t)row->heartbeat_age_s));
    json_object_set_new(object, "age_s", json_integer((json_int_t)row->age_s));
    /* These two say the same one level up. */
    (void)json_object_del(progress, "event");
    (void)json_object_del(progress, "table");
    json_object_set_new(object, "progress", progress);
    return object;
}
