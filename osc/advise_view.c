#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "osc/advise.h"
#include "osc/base/columns.h"
#include "osc/base/human.h"
#include "osc/control/rules.h"
#include "osc/db/dsn.h"

enum { LABEL = 12, WIDTH = 100 };

/* ---- words ---- */

static const char *per_second(double value, struct arena *arena)
{
    if (value < 0)
        return "?";
    if (value > 0 && value < 10)
        return arena_printf(arena, "%.1f/s", value);
    return arena_printf(arena, "%s/s", human_count((uint64_t)(value + 0.5)).text);
}

static const char *bytes_per_second(double value, struct arena *arena)
{
    return arena_printf(arena, "%s/s", human_bytes((uint64_t)(value + 0.5)).text);
}

static struct human duration_of(double seconds)
{
    return human_eta((uint64_t)(seconds + 0.5));
}

static struct arena *arena_of(const struct advice *advice)
{
    return advice->request->arena;
}

PRINTF(3, 4)
static void add(struct text *out, const char *label, const char *format, ...)
{
    char *words = NULL;
    va_list args;

    va_start(args, format);
    const int length = vasprintf(&words, format, args);
    va_end(args);
    if (length < 0)
        bug("out of memory");
    text_printf(out, "%-*s", LABEL, label);
    human_wrap(out, words, LABEL, WIDTH);
    text_add(out, "\n");
    free(words);
}

/* ---- what was seen ---- */

static void add_row(struct columns *columns, const char *what, const struct spread *spread,
                    const char *(*say)(double value, struct arena *arena), const char *usual)
{
    struct arena *arena = columns->arena;

    columns_row(columns,
                (const char *[]){arena_printf(arena, "  %s", what), say(spread->mean, arena),
                                 say(spread->least, arena), say(spread->most, arena), usual},
                "");
}

static void add_figures(struct text *out, const struct advice *advice)
{
    static const char *const heading[] = {"", "NOW", "LEAST", "MOST", "USUAL"};
    struct arena *arena = arena_of(advice);
    const struct sampling *now = &advice->now;
    struct columns columns;

    text_add(out, "\n");
    columns_start(&columns, arena, ARRAY_SIZE(heading), heading);
    add_row(&columns, advice->counts->work, &now->work, per_second,
            per_second(advice->usual_work, arena));
    add_row(&columns, "rows written", &now->rows, per_second,
            per_second(advice->usual_rows, arena));
    if (advice->table && !advice->table_missing)
        add_row(&columns, arena_printf(arena, "of these in %s", advice->table->name), &now->table,
                per_second, per_second(advice->usual_table, arena));
    add_row(&columns, advice->counts->log, &now->log, bytes_per_second, "");
    if (now->has_binlog)
        add_row(&columns, "binary log", &now->binlog, bytes_per_second, "");
    columns_print(&columns, out);
}

static const char *lag_words(const struct sampling *now, struct arena *arena)
{
    if (!now->replicas)
        return "no replica seen";
    if (now->replicas_unknown)
        return arena_printf(arena, "the lag of %u of %u replicas cannot be told",
                            now->replicas_unknown, now->replicas);
    return arena_printf(arena, "the slowest replica (of %u) was %s behind at most", now->replicas,
                        human_duration(now->lag_ms).text);
}

static void add_meanwhile(struct text *out, const struct advice *advice)
{
    struct arena *arena = arena_of(advice);
    const struct sampling *now = &advice->now;
    const char *oldest = !now->sees_transactions ? "which transactions are open is not shown to us"
                         : now->longest_ms ? arena_printf(arena, "the oldest transaction lasted %s",
                                                          human_duration(now->longest_ms).text)
                                           : "no long transaction";

    text_add(out, "\n");
    add(out, "Meanwhile", "sessions at work: %s at most; %s; %s",
        human_count(now->most_sessions).text, oldest, lag_words(now, arena));
}

/* What hardly does anything is not compared. */
static const char *comparison(const struct advice *advice)
{
    struct arena *arena = arena_of(advice);
    const double ratio = advice_ratio(advice);
    const char *since = arena_printf(arena, "in the %s since the server began to count",
                                     duration_of((double)advice->counted_s).text);

    if (ratio < 0)
        return "what is usual is not known";
    if (advice->now.work.mean < ADVISE_CALM)
        return arena_printf(arena, "fewer than %d %s a second; the mean %s is %s", ADVISE_CALM,
                            advice->counts->work, since, per_second(advice->usual_work, arena));
    return arena_printf(arena, "%.2f times the mean %s", ratio, since);
}

static void add_verdict(struct text *out, const struct advice *advice)
{
    add(out, "Now", "%s: %s. More than that a sample of %s cannot say; not which hours are quiet.",
        advice_verdict(advice), comparison(advice), duration_of(advice->now.seconds).text);
}

/* ---- the hours ---- */

static void add_choice(struct text *out, const struct advice *advice)
{
    const struct quiet_choice *choice = &advice->choice;
    struct arena *arena = arena_of(advice);
    const char *zone = advice->request->options->time_zone;

    add(out, "Quiet hours", "--window \"%s\"%s%s", advice->window, zone ? " --time-zone " : "",
        zone ? zone : "");
    add(out, "", "%u hours a week with %s %s in the mean, %s in the others", choice->hours,
        per_second(choice->inside, arena), advice->counts->work,
        per_second(choice->outside, arena));
    add(out, "", "Each of them rests on %u to %u samples of %u to %u days%s.",
        choice->least_samples, choice->most_samples, choice->least_days, choice->most_days,
        choice->is_weekly ? ""
                          : ", every day of the week counted alike as not all of them were seen");
    if (choice->least_days < 3)
        add(out, "", "That is little: what one or two days were like says little of the next.");
}

static void add_hours(struct text *out, const struct advice *advice)
{
    const struct quiet_choice *choice = &advice->choice;
    const char *hint = advice->request->options->record
                           ? ""
                           : ": osc advise --record --quiet in cron, say every ten minutes";

    text_add(out, "\n");
    switch (choice->verdict) {
    case QUIET_UNKNOWN:
        add(out, "Quiet hours",
            "unknown: %u of the day's 24 hours are in the samples kept (%u), and all must be%s",
            choice->hours_known, choice->samples, hint);
        break;
    case QUIET_ANY:
        add(out, "Quiet hours", "any: in no hour that was seen anybody would be disturbed");
        break;
    case QUIET_NONE:
        add(out, "Quiet hours",
            "none: no hour has half of the load of the mean one. The throttle is what spares the "
            "others.");
        break;
    case QUIET_SOME: add_choice(out, advice); break;
    }
    if (choice->samples)
        add(out, "Samples", "%u, from %s to %s", choice->samples,
            rules_moment(advice->zone, advice->first, arena_of(advice)),
            rules_moment(advice->zone, advice->last, arena_of(advice)));
    if (advice->senseless)
        add(out, "", "%zu lines of %s make no sense and were passed over", advice->senseless,
            advice->file);
    if (advice->is_recorded)
        add(out, "Recorded", "%s", advice->file);
}

/* ---- the table ---- */

static void add_nights(struct text *out, const struct advice *advice)
{
    if (!advice->window || advice->duration.likely_s <= 0)
        return;
    if (!advice->will_do)
        add(out, "Nights", "more than fit into a year of the quiet hours");
    else
        add(out, "Nights", "%u at that speed, if it begins now: until %s", advice->openings,
            rules_moment(advice->zone, advice->done_at, arena_of(advice)));
}

static void add_table(struct text *out, const struct advice *advice)
{
    const struct table *table = advice->table;
    const struct estimate *duration = &advice->duration;

    text_add(out, "\n");
    add(out, "Table", "%s.%s, about %s rows, %s of data and %s of indexes", table->schema,
        table->name, human_count(table->rows_estimate).text, human_bytes(table->data_bytes).text,
        human_bytes(table->index_bytes).text);
    if (duration->high_s < 2)
        add(out, "Time", "a second or two on an idle server with the table in memory");
    else
        add(out, "Time",
            "about %s (%s to %s) on an idle server with the table in memory, longer under load",
            duration_of(duration->likely_s).text, duration_of(duration->low_s).text,
            duration_of(duration->high_s).text);
    add_nights(out, advice);
    if (advice->table_missing)
        add(out, "Backlog", "unknown: %s", advice->table_missing);
    else
        add(out, "Backlog",
            "about %s writes are captured until then at the rate of now, and replayed meanwhile: "
            "%s must be replayed beside the copy",
            human_count((uint64_t)advice_captured(advice)).text,
            per_second(advice->now.table.mean, arena_of(advice)));
}

void advice_text(const struct advice *advice, struct text *out)
{
    struct arena *arena = arena_of(advice);

    add(out, "Server", "%s %s, %s", advice->vendor, advice->version, advice->request->dsn->shown);
    add(out, "Sample", "%s from %s on, in intervals: %u", duration_of(advice->now.seconds).text,
        rules_moment(advice->zone, advice->now.began, arena), advice->now.intervals);
    add_figures(out, advice);
    add_meanwhile(out, advice);
    add_verdict(out, advice);
    add_hours(out, advice);
    if (advice->table)
        add_table(out, advice);
}
