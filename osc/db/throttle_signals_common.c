/*
 * Signals that every server has, and those of the operator's own.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "osc/db/throttle_signals.h"

/* ---- the rows ---- */

static enum reading read_lag(struct look *look, uint64_t *value, struct error *err)
{
    const struct progress *progress = look->progress;
    const unsigned nameless = atomic_load(&progress->replicas_nameless);

    *value = atomic_load(&progress->replica_lag_ms);
    if (!atomic_load(&progress->replicas))
        return READING_NONE;
    if (atomic_load(&progress->replicas_unknown) <= nameless)
        return atomic_load(&progress->replicas) > nameless ? READING_KNOWN : READING_NONE;
    error_set(err, ERROR_TRANSIENT, "a replica cannot be asked how far behind it is");
    return READING_UNKNOWN;
}

static enum reading read_commit(struct look *look, uint64_t *value, struct error *err UNUSED)
{
    *value = look->commit_us / 1000;
    return look->commit_us ? READING_KNOWN : READING_NONE;
}

/* Percent of the room that is to stay free which is used up. */
static enum reading read_disk(struct look *look, uint64_t *value, struct error *err)
{
    bool has_room = disk_check(&look->disk, err);

    error_clear(err);
    for (size_t i = 0; i < look->disk.n; i++) {
        const uint64_t free_bytes = look->disk.places[i].free_bytes;
        const double part = 100 * (double)look->limits->min_free / (double)(free_bytes + 1);
        const uint64_t percent = part < 1e6 ? (uint64_t)part : 1000000;
        *value = percent > *value ? percent : *value;
    }
    return look->disk.n || !has_room ? READING_KNOWN : READING_NONE;
}

/* Of the server's host, which we know where its files are ours to see. */
static enum reading read_load(struct look *look, uint64_t *value, struct error *err UNUSED)
{
    double load = 0;
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);

    if (!look->disk.n || processors < 1 || getloadavg(&load, 1) != 1)
        return READING_NONE;
    *value = (uint64_t)(100 * load / (double)processors);
    return READING_KNOWN;
}

static enum reading read_query(struct look *look, uint64_t *value, struct error *err)
{
    AUTO(rows) rows = ROWS_INIT;

    if (!look->db) {
        error_set(err, ERROR_LOST, "the server does not answer");
        return READING_UNKNOWN;
    }
    if (!db_query(look->db, &rows, look->limits->query, err))
        return READING_UNKNOWN;
    if (!rows_next(&rows, err) || rows_is_null(&rows, 0))
        return err->kind == ERROR_NONE ? READING_KNOWN : READING_UNKNOWN;
    const char *answer = rows_text(&rows, 0);
    *value = *answer && strcmp(answer, "f") != 0 && !(*answer == '0' && strtod(answer, NULL) == 0);
    while (rows_next(&rows, err))
        ;
    return err->kind == ERROR_NONE ? READING_KNOWN : READING_UNKNOWN;
}

static enum reading read_flag_file(struct look *look, uint64_t *value, struct error *err UNUSED)
{
    *value = access(look->limits->flag_file, F_OK) == 0;
    return READING_KNOWN;
}

const struct signal common_signals[] = {
    {.name = "replica lag",
     .unit = "ms",
     .reason = "a replica lags",
     LIMITED_BY(lag_ms),
     .is_late = true,
     .read = read_lag},
    {.name = "commit",
     .unit = "ms",
     .reason = "commits take long",
     LIMITED_BY(commit_ms),
     .is_soft = true,
     .read = read_commit},
    {.name = "disk reserve",
     .unit = "%",
     .reason = "the disk is nearly full",
     LIMITED_BY(min_free),
     .limit_is = 100,
     .read = read_disk},
    {.name = "load",
     .unit = "%",
     .reason = "the host is busy",
     LIMITED_BY(load),
     .is_soft = true,
     .read = read_load},
    {.name = "query",
     .unit = "",
     .reason = "--throttle-query says so",
     LIMITED_BY(query),
     .limit_is = 1,
     .read = read_query},
    {.name = "flag file",
     .unit = "",
     .reason = "the flag file is there",
     LIMITED_BY(flag_file),
     .limit_is = 1,
     .read = read_flag_file},
    {.name = "http",
     .unit = "",
     .reason = "--throttle-http says so",
     LIMITED_BY(http),
     .limit_is = 1,
     .read = signal_http},
    {.name = NULL    },
};
