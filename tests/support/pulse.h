/*
 * Pulse: how far a replica is behind, seen without osc: a row of our own is
 * written on the primary many times a second, and read on the replica.
 */
#ifndef OSC_TESTS_PULSE_H
#define OSC_TESTS_PULSE_H

#include "tests/support/pair.h"
#include "tests/support/scene.h"

struct pulse;

struct pulse *pulse_start(struct scene *scene, const struct pair *pair);
uint64_t pulse_now_ms(struct pulse *pulse);
/* The most since the start or the last call. */
uint64_t pulse_worst_ms(struct pulse *pulse);
void pulse_stop(struct pulse *pulse);

#endif
