/*
 * What every unit test includes: cmocka and the headers it wants before it.
 */
#ifndef OSC_TESTS_UNIT_H
#define OSC_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#endif
