/*
 * The traffic as a program: writes until it is told to stop, then judges.
 * Exit: 0 nothing lost and no application error, 1 otherwise, 2 wrong usage.
 */
#include "traffic.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RENAMES_MAX = 16 };

struct command {
    struct traffic_options options;
    struct traffic_rename renames[RENAMES_MAX + 1];
    const char *ignore[RENAMES_MAX + 1];
    size_t rename_count, ignore_count;
    double seconds;
    const char *report;
    bool create_only, quiet;
};

static const char usage[] =
    "traffic --dsn URL [options]: write to a table, and witness what was acknowledged\n"
    "  --dsn URL          postgres://, mysql:// or mariadb://user[:pass]@host:port/db\n"
    "  --table NAME       (the shape's own)      --schema NAME\n"
    "  --shape NAME       users people composite text uuid quoted longname nullable\n"
    "  --create ROWS      create and fill the table first, replacing one of that name\n"
    "  --create-only      and do nothing else\n"
    "  --writers N        (8)                    --readers N   point reads (0)\n"
    "  --rate N           writes a second of all writers; 0: as fast as they go\n"
    "  --read-rate N      reads a second of all readers; 0: each rests 2 ms between two\n"
    "  --seconds N        then stop; otherwise at SIGTERM or SIGINT\n"
    "  --seed N           of the writers' choices\n"
    "  --mix LIST         standard, or operations with weights: insert,update=5\n"
    "  --isolation LEVEL  mixed, read-committed, repeatable-read or serializable\n"
    "  --may-lose-connections   a killed server is no failure of the application\n"
    "  --rename OLD=NEW   a column the schema change renames (repeatable)\n"
    "  --ignore COLUMN    never write nor compare it (repeatable)\n"
    "  --timeout SECONDS  of one statement (30)  --bulk ROWS   of a bulk update (500)\n"
    "  --report FILE      the account as JSON    --quiet\n"
    "SIGUSR1 begins a new phase: stalls and errors are counted for each.\n";

static volatile sig_atomic_t stop_wanted, mark_wanted;

static void on_stop(int number)
{
    (void)number;
    stop_wanted = 1;
}

static void on_mark(int number)
{
    (void)number;
    mark_wanted = 1;
}

static bool add_rename(struct command *c, char *text)
{
    char *equals = strchr(text, '=');
    if (!equals || c->rename_count == RENAMES_MAX)
        return false;
    *equals = '\0';
    c->renames[c->rename_count++] = (struct traffic_rename){text, equals + 1};
    return true;
}

static bool set_isolation(struct command *c, const char *name)
{
    static const char *const names[] = {"mixed", "read-committed", "repeatable-read",
                                        "serializable"};
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], name) != 0)
            continue;
        c->options.isolation = (enum traffic_isolation)i;
        return true;
    }
    return false;
}

static bool take_option(struct command *c, int option)
{
    switch (option) {
    case 'd': c->options.dsn = optarg; return true;
    case 't': c->options.table = optarg; return true;
    case 'S': c->options.schema = optarg; return true;
    case 'p': c->options.shape = optarg; return true;
    case 'c': c->options.create_rows = strtoull(optarg, NULL, 10); return true;
    case 'C': c->create_only = true; return true;
    case 'w': c->options.writers = (unsigned)strtoul(optarg, NULL, 10); return true;
    case 'R': c->options.readers = (unsigned)strtoul(optarg, NULL, 10); return true;
    case 'r': c->options.rate = strtod(optarg, NULL); return true;
    case 'E': c->options.read_rate = strtod(optarg, NULL); return true;
    case 's': c->seconds = strtod(optarg, NULL); return true;
    case 'e': c->options.seed = strtoull(optarg, NULL, 10); return true;
    case 'm': c->options.mix = optarg; return true;
    case 'I': return set_isolation(c, optarg);
    case 'L': c->options.may_lose_connections = true; return true;
    case 'n': return add_rename(c, optarg);
    case 'i':
        if (c->ignore_count < RENAMES_MAX)
            c->ignore[c->ignore_count++] = optarg;
        return true;
    case 'T':
        c->options.statement_timeout_ms = (unsigned)(strtod(optarg, NULL) * 1000);
        return true;
    case 'b': c->options.bulk_rows = (unsigned)strtoul(optarg, NULL, 10); return true;
    case 'o': c->report = optarg; return true;
    case 'q': c->quiet = true; return true;
    default: return false;
    }
}

static bool parse(struct command *c, int argc, char **argv)
{
    static const struct option options[] = {
        {"dsn",                  required_argument, NULL, 'd'},
        {"table",                required_argument, NULL, 't'},
        {"schema",               required_argument, NULL, 'S'},
        {"shape",                required_argument, NULL, 'p'},
        {"create",               required_argument, NULL, 'c'},
        {"create-only",          no_argument,       NULL, 'C'},
        {"writers",              required_argument, NULL, 'w'},
        {"readers",              required_argument, NULL, 'R'},
        {"rate",                 required_argument, NULL, 'r'},
        {"read-rate",            required_argument, NULL, 'E'},
        {"seconds",              required_argument, NULL, 's'},
        {"seed",                 required_argument, NULL, 'e'},
        {"mix",                  required_argument, NULL, 'm'},
        {"isolation",            required_argument, NULL, 'I'},
        {"may-lose-connections", no_argument,       NULL, 'L'},
        {"rename",               required_argument, NULL, 'n'},
        {"ignore",               required_argument, NULL, 'i'},
        {"timeout",              required_argument, NULL, 'T'},
        {"bulk",                 required_argument, NULL, 'b'},
        {"report",               required_argument, NULL, 'o'},
        {"quiet",                no_argument,       NULL, 'q'},
        {NULL,                   0,                 NULL, 0  },
    };
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        if (!take_option(c, option))
            return false;
    c->options.renames = c->renames;
    c->options.ignore = c->ignore;
    return optind == argc && c->options.dsn;
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void watch(const struct command *c, struct traffic *t)
{
    const double begin = now_s();
    unsigned phases = 0;
    while (!stop_wanted && (c->seconds <= 0 || now_s() - begin < c->seconds)) {
        const struct timespec tick = {.tv_nsec = 20000000};
        nanosleep(&tick, NULL);
        if (mark_wanted) {
            char label[24];
            mark_wanted = 0;
            snprintf(label, sizeof(label), "phase %u", ++phases);
            traffic_mark(t, label);
        }
    }
}

static int run(const struct command *c)
{
    struct traffic_error err = {0};
    if (c->create_only) {
        const bool made = traffic_create(&c->options, c->options.create_rows, &err);
        if (!made)
            fprintf(stderr, "traffic: %s\n", err.text);
        return made ? 0 : 1;
    }
    struct traffic *t = traffic_start(&c->options, &err);
    if (!t) {
        fprintf(stderr, "traffic: %s\n", err.text);
        return 1;
    }
    if (!c->quiet) {
        puts("traffic: writing");
        fflush(stdout);
    }
    watch(c, t);
    struct traffic_report *report = traffic_stop(t);
    if (!c->quiet)
        traffic_print(report, stdout);
    int code = traffic_passed(report) ? 0 : 1;
    if (c->report && !traffic_write_json(report, c->report, &err)) {
        fprintf(stderr, "traffic: %s\n", err.text);
        code = 1;
    }
    traffic_report_free(report);
    return code;
}

int main(int argc, char **argv)
{
    struct command c = {0};
    if (!parse(&c, argc, argv)) {
        fputs(usage, stderr);
        return 2;
    }
    signal(SIGINT, on_stop);
    signal(SIGTERM, on_stop);
    signal(SIGUSR1, on_mark);
    signal(SIGPIPE, SIG_IGN);
    return run(&c);
}
