#include "osc/serve/exposition.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "osc/base/metrics.h"
#include "osc/migration.h"

/* One sample without labels of its own. */
static void one(struct text *out, const char *labels, const char *name, const char *type,
                const char *help, double value)
{
    metrics_family(out, name, type, help);
    metrics_sample(out, name, labels, "", value);
}

#define COUNTER(name, help, value) one(out, labels, (name), "counter", (help), (double)(value))
#define GAUGE(name, help, value) one(out, labels, (name), "gauge", (help), (double)(value))
#define READ(field) atomic_load(&progress->field)

static void print_info(const struct watched *watched, const char *labels, struct text *out)
{
    AUTO(text) more = TEXT_INIT;

    text_printf(&more, "id=\"%" PRIu64 "\",", (uint64_t)atomic_load(&watched->progress->id));
    metrics_label(&more, "version", OSC_VERSION);
    metrics_family(out, "osc_migration_info", "gauge",
                   "The migration that this run works on, and the version of osc.");
    metrics_sample(out, "osc_migration_info", labels, more.bytes, 1);
}

/* One sample for each of `names`: 1 for the one that holds, 0 for the others. */
static void print_choice(struct text *out, const char *labels, const char *metric,
                         const char *label, const char *const *names, const char *holds)
{
    for (; *names; names++) {
        AUTO(text) more = TEXT_INIT;
        metrics_label(&more, label, *names);
        metrics_sample(out, metric, labels, more.bytes, strcmp(*names, holds) == 0);
    }
}

static void print_state(const struct watched *watched, const char *labels, struct text *out)
{
    static const char *const states[] = {"running", "done", "failed", NULL};
    const char *names[STEP_DONE + 1] = {NULL};
    const char *step = atomic_load(&watched->progress->step);

    for (enum step_id s = STEP_PLAN; s < STEP_DONE; s++)
        names[s] = step_name(s);
    metrics_family(out, "osc_migration_state", "gauge", "1 for the state of this run.");
    print_choice(out, labels, "osc_migration_state", "state", states,
                 atomic_load(&watched->outcome));
    metrics_family(out, "osc_migration_step", "gauge", "1 for the step reached.");
    print_choice(out, labels, "osc_migration_step", "step", names,
                 step ? step : step_name(STEP_PLAN));
}

static void print_copy(const struct progress *progress, const char *labels, struct text *out)
{
    const double rows = (double)READ(rows_copied), expected = (double)READ(rows_expected);

    COUNTER("osc_rows_copied_total", "Rows that the backfill inserted into the shadow.", rows);
    GAUGE("osc_rows_expected", "Rows of the source, as the server estimates them.", expected);
    COUNTER("osc_copied_bytes_total",
            "Bytes of these rows in the source, by the average that the server reports.",
            expected > 0 ? rows * ((double)READ(bytes_expected) / expected) : 0);
    COUNTER("osc_copy_units_total", "Positions (keys or pages) that the backfill is past.",
            READ(units_copied));
    GAUGE("osc_copy_units_expected", "Positions of the whole table.", READ(units_expected));
    COUNTER("osc_rows_verified_total", "Rows of the source that were compared.",
            READ(rows_verified));
    GAUGE("osc_copy_threads", "Connections that copy now.", READ(threads));
}

static void print_flow(const struct progress *progress, const char *labels, struct text *out)
{
    GAUGE("osc_backlog_entries", "Captured writes that wait to be replayed.", READ(backlog));
    COUNTER("osc_replayed_entries_total", "Captured writes replayed into the shadow.",
            READ(replayed));
    GAUGE("osc_replicas", "Replicas that the server tells of.", READ(replicas));
    GAUGE("osc_replicas_unknown", "Of these, the ones whose lag nobody can tell.",
          READ(replicas_unknown));
    GAUGE("osc_replica_lag_seconds", "Of the slowest replica that is known.",
          (double)READ(replica_lag_ms) / 1000);
    GAUGE("osc_at_rest",
          "1 while it rests: paused, outside its window, or the swap waits for a word.",
          READ(is_at_rest));
    COUNTER("osc_cutover_rounds_total", "Rounds of attempts to swap the tables.", READ(attempts));
}

/* What the throttle looks at, each with its limit. */
static void print_signals(const struct progress *progress, const char *labels, struct text *out)
{
    static const struct {
        const char *name, *help;
    } families[] = {
        {"osc_throttle_signal",         "What the throttle looks at, in the unit of its label."},
        {"osc_throttle_signal_limit",   "Beyond it copy and verification are slowed down."     },
        {"osc_throttle_signal_unknown", "1 when it could not be asked: counts as too much."    },
    };

    GAUGE("osc_throttle_duty_ratio", "Part of full speed that copy and verification are given now.",
          (double)READ(duty_percent) / 100);
    for (size_t family = 0; family < ARRAY_SIZE(families); family++) {
        metrics_family(out, families[family].name, "gauge", families[family].help);
        for (size_t i = 0; i < MOST_SIGNALS; i++) {
            const char *name = READ(signals[i].name);
            if (!name) /* not all exist on every server, or have a limit */
                continue;
            const char *unit = READ(signals[i].unit);
            const double values[] = {(double)READ(signals[i].value), (double)READ(signals[i].limit),
                                     READ(signals[i].is_unknown)};
            AUTO(text) more = TEXT_INIT;
            metrics_label(&more, "signal", name);
            text_add(&more, ",");
            metrics_label(&more, "unit", unit ? unit : "");
            metrics_sample(out, families[family].name, labels, more.bytes, values[family]);
        }
    }
}

static uint64_t resident_bytes(void)
{
    unsigned long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (!file) /* uncovered: only where there is no /proc */
        return 0;
    if (fscanf(file, "%lu %lu", &size, &resident) != 2)
        resident = 0; /* uncovered: the kernel's format is fixed */
    (void)fclose(file);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static void print_process(const struct watched *watched, const char *labels, struct text *out)
{
    struct rusage usage = {.ru_maxrss = 0};

    (void)getrusage(RUSAGE_SELF, &usage);
    GAUGE("osc_start_time_seconds", "When this run began.", watched->started_s);
    COUNTER("osc_process_cpu_seconds_total", "CPU time of osc itself.",
            seconds(usage.ru_utime) + seconds(usage.ru_stime));
    GAUGE("osc_process_resident_memory_bytes", "Memory of osc itself.", resident_bytes());
}

void exposition_print(const struct watched *watched, struct text *out)
{
    const struct progress *progress = watched->progress;
    const char *schema = READ(schema), *table = READ(table);
    AUTO(text) labels = TEXT_INIT;

    metrics_label(&labels, "server", watched->server);
    text_add(&labels, ",");
    metrics_label(&labels, "schema", schema ? schema : "");
    text_add(&labels, ",");
    metrics_label(&labels, "table", table ? table : "");
    print_info(watched, labels.bytes, out);
    print_state(watched, labels.bytes, out);
    print_copy(progress, labels.bytes, out);
    print_flow(progress, labels.bytes, out);
    print_signals(progress, labels.bytes, out);
    metrics_print(out, labels.bytes);
    print_process(watched, labels.bytes, out);
}
