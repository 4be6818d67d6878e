/*
 * Beside: while the server sorts indexes by one processor, the others compare rows.
 *
 * Replay rests meanwhile, so whatever is written has its entry in the journal, and a comparison
 * counts only where no entry came: what replay brings is verified after it, as ever.
 */
#ifndef OSC_BESIDE_H
#define OSC_BESIDE_H

#include "osc/migration.h"

/* Builds the shadow's indexes.  Up to m->compared the step verify need not look again. */
bool beside_build(struct migration *m, struct error *err) MUST_CHECK;

#endif
