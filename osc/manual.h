/*
 * Manual: the man page and the shells' completions, from the tables of commands
 * and options.  Nothing in them is written by hand.
 */
#ifndef OSC_MANUAL_H
#define OSC_MANUAL_H

#include "osc/command.h"
#include "osc/options_table.h"

void manual_page(struct text *out); /* osc.1, for groff's man macros */
void manual_bash(struct text *out); /* to be read by bash, 4.0 or newer */
void manual_zsh(struct text *out);  /* the function _osc for zsh's fpath */

/* Adds the first sentence of an option's help. */
void manual_gist(struct text *out, const char *help);

#endif
