/*
 * The options of osc advise.
 */
#include "osc/options_rows.h"

const struct option option_record = {
    .name = "record",
    .type = OPT_FLAG,
    .at = offsetof(struct options, record),
    .commands = FOR_ADVISE,
    .help = "Keep the sample in a file of this host (~/.local/state/osc/activity, or under "
            "XDG_STATE_HOME), from which later ones learn the quiet hours; with --quiet print "
            "nothing, as for cron. Nothing is written to the server.",
};

const struct option option_sample = {
    .name = "sample",
    .type = OPT_DURATION,
    .at = offsetof(struct options, sample_ms),
    .value = "TIME",
    .standard = "1m",
    .least = 2000,
    .most = UINT64_C(3600) * 1000,
    .commands = FOR_ADVISE,
    .help = "How long to look at what the server does; Ctrl-C ends it early, and what was seen is "
            "reported all the same.",
};
