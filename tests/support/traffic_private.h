/*
 * The inside of the traffic, for its own files.
 */
#ifndef OSC_TESTS_TRAFFIC_PRIVATE_H
#define OSC_TESTS_TRAFFIC_PRIVATE_H

#include "traffic.h"
#include "traffic_meter.h"
#include "witness.h"

struct ordinals { /* a list that grows, read at random */
    int64_t *at;
    size_t count, room;
};

struct writer {
    struct traffic *t;
    unsigned index;
    pthread_t thread;
    struct link link;
    struct ledger *ledger;
    bool prepared;
    const char *isolation; /* NULL: READ COMMITTED */
    unsigned names;        /* which column names the table had when last asked */
    uint64_t random;
    uint64_t generations; /* counts those it has given out */
    int64_t next_ordinal;
    struct ordinals made;   /* ordinals outside the created rows, present or not */
    struct ordinals vacant; /* ordinals that may be absent again */
    const char *operation;
    enum reply reply;       /* of the last statement */
    bool inside;            /* a transaction is open */
    int hot;                /* the hot row that the current statement counts up, or -1 */
    int64_t last_generated; /* the server must never give out a smaller key */
    int64_t last_committed; /* of these; later ones may be given out again, as nobody has them */
};

struct reader {
    struct traffic *t;
    unsigned index;
    pthread_t thread;
};

struct traffic {
    struct traffic_options options;
    char *dsn;
    struct target target;
    char *owned[2 + 4 * MAX_COLUMNS]; /* copies of option strings */
    size_t owned_count;
    bool renames;
    unsigned weights[OPERATIONS_MAX];
    struct witness *witness;
    struct meter meter;
    char server[64];
    pthread_mutex_t lock; /* guards the pause, the stop and the schedule */
    pthread_cond_t changed;
    bool stopping, pausing;
    unsigned working; /* writers inside a transaction */
    unsigned coming;  /* writers and readers that have not connected yet */
    double next_slot_us, next_read_us;
    struct writer *writers;
    struct reader *readers;
};

/* What one operation came to; the reply says why when it failed. */
enum step { STEP_DONE, STEP_NOTHING, STEP_FAILED };

enum {
    SINGLE = 1,     /* one statement: may run without BEGIN */
    ALONE = 2,      /* never inside a larger transaction */
    ROLLS_BACK = 4, /* its transaction ends with ROLLBACK */
    NEEDS_UNIQUE = 8,
    NEEDS_INTEGER_KEY = 16,
    NEEDS_READ_COMMITTED = 32,
    NEEDS_MYSQL = 64,
    NEEDS_POSTGRES = 128, /* in the standard mix; elsewhere by name only */
    NEEDS_CODE_KEY = 256,
    NEEDS_GENERATED_KEY = 512,
};

struct operation {
    const char *name;
    unsigned weight, flags;
    enum step (*run)(struct writer *w);
};

extern const struct operation operations[];
extern const size_t operation_count;

bool operation_allowed(const struct operation *o, const struct writer *w);
/* Chooses among the allowed operations of the mix, without those that have a flag of except. */
const struct operation *operation_choose(struct writer *w, unsigned except);

bool mix_parse(struct traffic *t, const char *mix, struct traffic_error *err);

uint64_t writer_random(struct writer *w);
uint64_t writer_generation(struct writer *w);
/* Runs a statement; rows is how many it must have touched, or -1. */
bool writer_run(struct writer *w, struct statement *s, int64_t rows);
bool writer_command(struct writer *w, const char *sql);
void ordinals_add(struct ordinals *o, int64_t ordinal);

void writer_statement(struct writer *w, struct statement *s);
void add_key_match(struct writer *w, struct statement *s, int64_t ordinal, bool respelled);
void add_key_in(struct writer *w, struct statement *s, const int64_t *ordinals,
                const struct image *images, size_t count);
void add_insert(struct writer *w, struct statement *s, const char *verb, bool without_key);
void add_row(struct writer *w, struct statement *s, int64_t ordinal, const struct image *image,
             bool without_key);
void add_assignment(struct writer *w, struct statement *s, size_t column, int64_t ordinal,
                    const struct image *image);

bool pick_block(struct writer *w, int64_t *first, size_t *count);
bool pick_present(struct writer *w, int64_t *ordinal, struct image *image);
bool pick_absent(struct writer *w, int64_t *ordinal, struct image *image);
void new_image(struct writer *w, struct image *image);
/* Gives some columns other than the key a new value; with_unique: perhaps unique ones too. */
void change_some(struct writer *w, struct image *image, bool *changed, bool with_unique);

enum write_end writer_transaction(struct writer *w, const struct operation *o);
enum step run_transaction(struct writer *w);
enum step run_savepoint(struct writer *w);

void *writer_main(void *writer);
void *reader_main(void *reader);

bool target_make(struct traffic *t, const struct traffic_options *options,
                 struct traffic_error *err);
bool target_create(struct link *link, const struct target *target, uint64_t rows,
                   struct traffic_error *err);

#endif
