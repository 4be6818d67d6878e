#include "osc/serve/answer.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "osc/base/metrics.h"
#include "osc/migration.h"
#include "osc/output.h"
#include "osc/serve/exposition.h"
#include "osc/serve/page.h"

static const char nonce_here[] = "{nonce}";

static void say(struct answer *answer, const char *type, const char *policy)
{
    size_t n = 0;

    answer->headers[n].name = "Content-Type", answer->headers[n++].value = type;
    answer->headers[n].name = "Content-Security-Policy", answer->headers[n++].value = policy;
    answer->headers[n].name = "X-Content-Type-Options", answer->headers[n++].value = "nosniff";
    answer->headers[n].name = "Referrer-Policy", answer->headers[n++].value = "no-referrer";
    answer->headers[n].name = "Cache-Control", answer->headers[n++].value = "no-store";
    /* One request, one connection: so each has its time limit. */
    answer->headers[n].name = "Connection", answer->headers[n++].value = "close";
    if (answer->status == 405)
        answer->headers[n].name = "Allow", answer->headers[n++].value = "GET, HEAD";
}

static const char nothing[] = "default-src 'none'; frame-ancestors 'none'";

/* Takes the text over. */
static void give(struct answer *answer, struct text *text)
{
    answer->status = 200;
    answer->bytes = text->bytes;
    answer->length = text->length;
    answer->is_ours = true;
}

static void answer_metrics(struct answer *answer, const struct watched *watched)
{
    struct text text = TEXT_INIT;

    exposition_print(watched, &text);
    give(answer, &text);
    say(answer, "text/plain; version=0.0.4; charset=utf-8", nothing);
}

/* ---- JSON ---- */

/* Takes `value` over. */
static void give_json(struct answer *answer, json_t *value)
{
    answer->status = 200;
    answer->bytes = json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(10));
    answer->length = strlen(answer->bytes);
    answer->is_ours = true;
    json_decref(value);
    say(answer, "application/json", nothing);
}

static json_t *step_names(void)
{
    json_t *names = json_array();

    for (enum step_id s = STEP_PLAN; s < STEP_DONE; s++)
        json_array_append_new(names, json_string(step_name(s)));
    return names;
}

static void answer_status(struct answer *answer, const struct watched *watched)
{
    const struct progress *progress = watched->progress;
    const uint64_t beat_s = metrics_last_beat_s();
    json_t *object = history_now(watched->history);

    (void)json_object_update_new(
        object,
        json_pack(
            "{s:s, s:o, s:o, s:I, s:s, s:I, s:I, s:o, s:o}", "version", OSC_VERSION, "server",
            output_string(watched->server), "schema", output_string(atomic_load(&progress->schema)),
            "id", (json_int_t)atomic_load(&progress->id), "state", atomic_load(&watched->outcome),
            "started", (json_int_t)watched->started_s, "now", (json_int_t)time(NULL), "heartbeat",
            beat_s ? json_integer((json_int_t)beat_s) : json_null(), "step_names", step_names()));
    (void)json_object_update_new(object, json_pack("{s:I, s:I, s:I, s:o}", "replayed",
                                                   (json_int_t)atomic_load(&progress->replayed),
                                                   "sql_errors", (json_int_t)metrics_errors(),
                                                   "rows_differing",
                                                   (json_int_t)metrics_count(COUNT_ROWS_DIFFERING),
                                                   "events", history_events(watched->history)));
    give_json(answer, object);
}

static void answer_history(struct answer *answer, const struct watched *watched)
{
    give_json(answer, json_pack("{s:o}", "samples", history_samples(watched->history)));
}

/* ---- the page ---- */

/* Only the page's own script and style may run: they carry a word that nobody can know before. */
static void answer_page(struct answer *answer, const struct watched *watched)
{
    struct text text = TEXT_INIT;
    uint64_t bits[2] = {0};
    char nonce[40];
    const char *at = page_html, *found;

    (void)watched;
    (void)!getrandom(bits, sizeof bits, 0);
    (void)snprintf(nonce, sizeof nonce, "%016" PRIx64 "%016" PRIx64, bits[0], bits[1]);
    for (; (found = strstr(at, nonce_here)) != NULL; at = found + strlen(nonce_here)) {
        text_add_bytes(&text, at, (size_t)(found - at));
        text_add(&text, nonce);
    }
    text_add(&text, at);
    give(answer, &text);
    (void)snprintf(answer->policy, sizeof answer->policy,
                   "default-src 'none'; connect-src 'self'; img-src data:; style-src 'nonce-%s'; "
                   "script-src 'nonce-%s'; base-uri 'none'; form-action 'none'; "
                   "frame-ancestors 'none'",
                   nonce, nonce);
    say(answer, "text/html; charset=utf-8", answer->policy);
}

/* ---- paths ---- */

static const struct {
    const char *path;
    void (*answer)(struct answer *answer, const struct watched *watched);
} paths[] = {
    {"/",             answer_page   },
    {"/metrics",      answer_metrics},
    {"/status.json",  answer_status },
    {"/history.json", answer_history},
};

bool answer_find(struct answer *answer, const char *path, const struct watched *watched)
{
    *answer = (struct answer){.status = 404};
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
        if (strcmp(paths[i].path, path) == 0) {
            paths[i].answer(answer, watched);
            return true;
        }
    return false;
}

void answer_refusal(struct answer *answer, unsigned status, const char *words)
{
    *answer = (struct answer){.status = status, .bytes = (void *)words, .length = strlen(words)};
    say(answer, "text/plain; charset=utf-8", nothing);
}
