#include "osc/advise.h"
#include "osc/command_bodies.h"
#include "osc/output.h"

bool command_advise(struct run *run, struct error *err)
{
    struct request request;
    struct advice advice;
    AUTO(text) out = TEXT_INIT;

    if (!command_request(run, &request, err) ||
        (run->words.count &&
         !command_table(run, run->words.list[0], &request.schema, &request.table, err)) ||
        !advise(&request, &advice, err))
        return false;
    if (run->options.record && run->options.quiet)
        return true;
    if (run->options.json)
        return advice_json(&advice, err);
    advice_text(&advice, &out);
    return output_text(&out, err);
}
