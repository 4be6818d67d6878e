/*
 * The account of the traffic, for people and as JSON.
 */
#include "traffic.h"

#include <inttypes.h>
#include <stdio.h>

#include <jansson.h>

static void print_latency(FILE *out, const char *what, const struct traffic_latency *l)
{
    if (l->count > 0)
        fprintf(out, "  %-12s p50 %.1f  p95 %.1f  p99 %.1f  max %.1f ms  (%" PRIu64 ")\n", what,
                l->p50_ms, l->p95_ms, l->p99_ms, l->max_ms, l->count);
}

static void print_verdict(FILE *out, const struct traffic_verdict *v)
{
    if (!v->checked) {
        fprintf(out, "  NOT CHECKED: %s\n", v->problem);
        return;
    }
    fprintf(out,
            "  witness      %" PRIu64 " rows read, %" PRIu64 " touched by writers: lost %" PRIu64
            ", stale %" PRIu64 ", wrong %" PRIu64 ", doubled %" PRIu64 ", resurrected %" PRIu64
            ", unexpected %" PRIu64 ", torn %" PRIu64 "\n",
            v->rows, v->witnessed, v->lost, v->stale, v->wrong, v->doubled, v->resurrected,
            v->unexpected, v->torn);
    for (size_t i = 0; i < v->difference_count; i++)
        fprintf(out, "    %s %s\n", v->differences[i].kind, v->differences[i].text);
}

void traffic_print(const struct traffic_report *r, FILE *out)
{
    const struct traffic_counters *c = &r->counters;
    fprintf(out, "Traffic on %s, shape %s, %u writers, %.1f s\n", r->server, r->shape, r->writers,
            r->seconds);
    fprintf(out,
            "  writes       %" PRIu64 " committed (%.0f/s), %" PRIu64 " refused, %" PRIu64
            " unknown, %" PRIu64 " application errors, %" PRIu64 " connections lost\n",
            c->commits, r->seconds > 0 ? (double)c->commits / r->seconds : 0, c->refused,
            c->unknown, c->errors, c->connections_lost);
    print_latency(out, "transaction", &r->write);
    print_latency(out, "statement", &r->statement);
    print_latency(out, "point read", &r->read);
    fprintf(out, "  longest stall %.1f ms at %.1f s (%s)\n", r->stall.ms, r->stall.at_s,
            r->stall.phase);
    for (size_t i = 0; r->phase_count > 1 && i < r->phase_count; i++) {
        const struct traffic_phase *p = &r->phases[i];
        fprintf(out,
                "    %-16s %7.1f s  %8" PRIu64 " commits  %3" PRIu64
                " errors  p50 %.1f  p99 %.1f  max %.1f  stall %.1f ms\n",
                p->label, p->seconds, p->commits, p->errors, p->write.p50_ms, p->write.p99_ms,
                p->write.max_ms, p->stall.ms);
    }
    for (size_t i = 0; i < r->failure_count; i++) {
        const struct traffic_failure *f = &r->failures[i];
        fprintf(out, "    error %s in %s, %" PRIu64 " times, first at %.1f s (%s): %s\n", f->code,
                f->operation, f->count, f->first_s, f->phase, f->text);
    }
    print_verdict(out, &r->verdict);
    fprintf(out, "  verdict      %s\n", traffic_passed(r) ? "PASSED" : "FAILED");
}

static json_t *latency_json(const struct traffic_latency *l)
{
    return json_pack("{s:I,s:f,s:f,s:f,s:f}", "count", (json_int_t)l->count, "p50_ms", l->p50_ms,
                     "p95_ms", l->p95_ms, "p99_ms", l->p99_ms, "max_ms", l->max_ms);
}

static json_t *stall_json(const struct traffic_stall *s)
{
    return json_pack("{s:f,s:f,s:f,s:s}", "ms", s->ms, "at_s", s->at_s, "at_unix", s->at_unix,
                     "phase", s->phase);
}

/* [writes, slowest in ms, reads, slowest in ms] */
static json_t *slices_json(const struct traffic_report *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->slice_count; i++) {
        const struct traffic_slice *s = &r->slices[i];
        json_array_append_new(list, json_pack("[i,f,i,f]", (int)s->writes, s->write_max_ms,
                                              (int)s->reads, s->read_max_ms));
    }
    return list;
}

static json_t *phases_json(const struct traffic_report *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->phase_count; i++) {
        const struct traffic_phase *p = &r->phases[i];
        json_array_append_new(
            list, json_pack("{s:s,s:f,s:f,s:I,s:I,s:o,s:o,s:o}", "label", p->label, "start_s",
                            p->start_s, "seconds", p->seconds, "commits", (json_int_t)p->commits,
                            "errors", (json_int_t)p->errors, "write", latency_json(&p->write),
                            "read", latency_json(&p->read), "stall", stall_json(&p->stall)));
    }
    return list;
}

static json_t *failures_json(const struct traffic_report *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->failure_count; i++) {
        const struct traffic_failure *f = &r->failures[i];
        json_array_append_new(list,
                              json_pack("{s:s,s:s+,s:s,s:s,s:f,s:I}", "code", f->code, "text",
                                        f->text, "", "operation", f->operation, "phase", f->phase,
                                        "first_s", f->first_s, "count", (json_int_t)f->count));
    }
    return list;
}

static json_t *verdict_json(const struct traffic_verdict *v)
{
    json_t *list = json_array();
    for (size_t i = 0; i < v->difference_count; i++) {
        json_t *text = json_string(v->differences[i].text);
        json_array_append_new(list, json_pack("{s:s,s:o}", "kind", v->differences[i].kind, "text",
                                              text ? text : json_string("(not UTF-8)")));
    }
    return json_pack(
        "{s:b,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o}", "checked", v->checked, "problem",
        v->problem, "rows", (json_int_t)v->rows, "witnessed", (json_int_t)v->witnessed, "lost",
        (json_int_t)v->lost, "stale", (json_int_t)v->stale, "wrong", (json_int_t)v->wrong,
        "doubled", (json_int_t)v->doubled, "resurrected", (json_int_t)v->resurrected, "unexpected",
        (json_int_t)v->unexpected, "torn", (json_int_t)v->torn, "differences", list);
}

static json_t *counters_json(const struct traffic_counters *c)
{
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "transactions",
                     (json_int_t)c->transactions, "statements", (json_int_t)c->statements,
                     "commits", (json_int_t)c->commits, "refused", (json_int_t)c->refused,
                     "unknown", (json_int_t)c->unknown, "reads", (json_int_t)c->reads, "errors",
                     (json_int_t)c->errors, "connections_lost", (json_int_t)c->connections_lost);
}

bool traffic_write_json(const struct traffic_report *r, const char *path, struct traffic_error *err)
{
    json_t *seconds = json_array(), *operations = json_object();
    for (size_t i = 0; i < r->second_count; i++)
        json_array_append_new(seconds, json_integer((json_int_t)r->commits_per_second[i]));
    for (size_t i = 0; i < r->operation_count; i++)
        json_object_set_new(operations, r->operations[i].name,
                            json_integer((json_int_t)r->operations[i].done));
    json_t *all = json_pack(
        "{s:b,s:s,s:s,s:i,s:f,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:i,s:o,s:o,s:o}", "passed",
        traffic_passed(r), "server", r->server, "shape", r->shape, "writers", (int)r->writers,
        "seconds", r->seconds, "counters", counters_json(&r->counters), "write",
        latency_json(&r->write), "statement", latency_json(&r->statement), "read",
        latency_json(&r->read), "stall", stall_json(&r->stall), "phases", phases_json(r),
        "failures", failures_json(r), "commits_per_second", seconds, "slice_ms", TRAFFIC_SLICE_MS,
        "slices", slices_json(r), "operations", operations, "verdict", verdict_json(&r->verdict));
    const bool ok = all && json_dump_file(all, path, JSON_INDENT(2)) == 0;
    json_decref(all);
    if (!ok)
        snprintf(err->text, sizeof(err->text), "writing %s failed", path);
    return ok;
}
