#include "osc/advise.h"
#include "osc/output.h"

static json_t *real_or_null(double value)
{
    return value < 0 ? json_null() : json_real(value);
}

static json_t *spread_of(const struct spread *spread, double usual)
{
    return json_pack("{s:f, s:f, s:f, s:o}", "mean", spread->mean, "least", spread->least, "most",
                     spread->most, "usual", real_or_null(usual));
}

static json_t *lag_of(const struct sampling *now)
{
    return now->replicas && !now->replicas_unknown ? json_integer((json_int_t)now->lag_ms)
                                                   : json_null();
}

static json_t *sample_of(const struct advice *advice)
{
    const struct sampling *now = &advice->now;
    json_t *binlog = now->has_binlog ? spread_of(&now->binlog, -1) : json_null();
    json_t *longest =
        now->sees_transactions ? json_integer((json_int_t)now->longest_ms) : json_null();

    return json_pack("{s:I, s:f, s:i, s:s, s:o, s:o, s:o, s:o, s:I, s:o, s:i, s:i, s:o}", "at",
                     (json_int_t)now->began, "seconds", now->seconds, "intervals",
                     (int)now->intervals, "work_is", advice->counts->work, "work",
                     spread_of(&now->work, advice->usual_work), "rows_written",
                     spread_of(&now->rows, advice->usual_rows), "log_bytes",
                     spread_of(&now->log, -1), "binlog_bytes", binlog, "sessions",
                     (json_int_t)now->most_sessions, "longest_transaction_ms", longest, "replicas",
                     (int)now->replicas, "replicas_unknown", (int)now->replicas_unknown,
                     "replica_lag_ms", lag_of(now));
}

static json_t *hours_of(const struct advice *advice)
{
    static const char *const verdicts[] = {"unknown", "any", "none", "some"};
    static_assert(ARRAY_SIZE(verdicts) == QUIET_SOME + 1, "every verdict has its word");
    const struct quiet_choice *choice = &advice->choice;

    return json_pack("{s:s, s:o, s:s, s:b, s:i, s:i, s:i, s:f, s:f, s:[i, i], s:[i, i], s:o, s:b}",
                     "quiet", verdicts[choice->verdict], "window", output_string(advice->window),
                     "time_zone", zone_name(advice->zone), "is_weekly", (int)choice->is_weekly,
                     "samples", (int)choice->samples, "hours_known", (int)choice->hours_known,
                     "hours", (int)choice->hours, "work_inside", choice->inside, "work_outside",
                     choice->outside, "samples_of_an_hour", (int)choice->least_samples,
                     (int)choice->most_samples, "days_of_an_hour", (int)choice->least_days,
                     (int)choice->most_days, "file", output_string(advice->file), "recorded",
                     (int)advice->is_recorded);
}

static json_t *table_of(const struct advice *advice)
{
    const struct table *table = advice->table;
    const struct estimate *duration = &advice->duration;

    if (!table)
        return json_null();
    json_t *written =
        advice->table_missing ? json_null() : spread_of(&advice->now.table, advice->usual_table);
    json_t *captured = advice->table_missing ? json_null() : json_real(advice_captured(advice));
    json_t *nights = advice->will_do ? json_integer(advice->openings) : json_null();
    json_t *done = advice->will_do ? json_integer(advice->done_at) : json_null();
    return json_pack("{s:o, s:o, s:I, s:I, s:I, s:{s:f, s:f, s:f}, s:o, s:o, s:o, s:o, s:o}",
                     "schema", output_string(table->schema), "table", output_string(table->name),
                     "rows_estimate", (json_int_t)table->rows_estimate, "data_bytes",
                     (json_int_t)table->data_bytes, "index_bytes", (json_int_t)table->index_bytes,
                     "seconds_estimate", "low", duration->low_s, "likely", duration->likely_s,
                     "high", duration->high_s, "written", written, "not_counted",
                     output_string(advice->table_missing), "captured", captured, "nights", nights,
                     "done_at", done);
}

bool advice_json(const struct advice *advice, struct error *err)
{
    json_t *counted = advice->counted_s ? json_integer((json_int_t)advice->counted_s) : json_null();

    return output_json(json_pack("{s:s, s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:o}", "event", "advice",
                                 "server", advice->vendor, "server_version", advice->version,
                                 "sample", sample_of(advice), "now", advice_verdict(advice),
                                 "times_the_usual", real_or_null(advice_ratio(advice)),
                                 "usual_seconds", counted, "hours", hours_of(advice), "migration",
                                 table_of(advice)),
                       err);
}
