/*
 * A server made of words: answers a statement by the first line of its script whose
 * words are in it.  Scripted by SQL text and rows, never by the order of calls.
 */
#ifndef OSC_TESTS_DB_FAKE_H
#define OSC_TESTS_DB_FAKE_H

#include "osc/db/driver.h"

struct fake_answer {
    const char *words;
    const char *rows;  /* values end at |, rows at a newline; ~ is NULL */
    const char *names; /* of the columns, in the same way; NULL: nobody asks */
    enum error_kind error;
    const char *code; /* of the error */
};

/* The last answer has the words NULL.  A statement without an answer fails the test. */
void fake_open(struct db *db, const struct dialect *dialect, const struct fake_answer *answers);
void fake_close(struct db *db);

/* For dialects: nobody answers at the host "dead". */
extern const struct db_driver fake_driver;

#endif
