/*
 * The options of those who watch a run from outside.
 */
#include "osc/options_rows.h"

const struct option option_metrics_file = {
    .name = "metrics-file",
    .type = OPT_PATH,
    .at = offsetof(struct options, metrics_file),
    .value = "FILE",
    .commands = FOR_ALTER | FOR_RESUME,
    .help = "Write metrics for Prometheus to this file every five seconds, whole each time: for "
            "the textfile collector of node_exporter, which wants a name that ends in .prom.",
};

const struct option option_metrics_listen = {
    .name = "metrics-listen",
    .type = OPT_TEXT,
    .at = offsetof(struct options, metrics_listen),
    .value = "ADDRESS",
    .commands = FOR_ALTER | FOR_RESUME,
    .help = "Answer over HTTP while it runs, only to be read: a page to look at (/), metrics for "
            "Prometheus (/metrics) and /status.json. 9187 is 127.0.0.1:9187; also [::1]:9187 and "
            "unix:/run/osc.sock. There is no password: any other address shows it to the network.",
};
