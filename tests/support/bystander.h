/*
 * Bystander: an application that writes to the table t all the while, on a
 * connection of its own, and must not see an error.  Everything it does is
 * undone when it stops, by arithmetic on what it knows to have done: a write
 * that was lost, doubled or undone shows in the table.
 */
#ifndef OSC_TESTS_BYSTANDER_H
#define OSC_TESTS_BYSTANDER_H

#include "tests/support/scene.h"

struct bystander;

/* The table is t (id, u unique, v), and has rows with id = u from 30 to 34. */
struct bystander *bystander_start(struct scene *scene);

/* Fails the test when it saw an error. */
void bystander_stop(struct bystander *bystander);

#endif
