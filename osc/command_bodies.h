/*
 * The body of each command.
 */
#ifndef OSC_COMMAND_BODIES_H
#define OSC_COMMAND_BODIES_H

#include "osc/command.h"

bool command_help(struct run *run, struct error *err); /* command.c         */

#endif
