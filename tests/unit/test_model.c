/*
 * The protocol holds in every interleaving of a small model of it, and each
 * mutant of the model is caught.
 */
#include "tests/unit/unit.h"

#include "osc/base/macro.h"
#include "tests/support/protocol.h"

static const struct writer pairs[][PROTOCOL_WRITERS] = {
    {{{{OP_UPDATE, 0, 0}, {OP_DELETE, 1, 0}}, false},
     {{{OP_MOVE, 1, 1}, {OP_UPDATE, 0, 0}}, false}                                                      },
    {{{{OP_DELETE, 0, 0}, {OP_INSERT, 0, 1}}, false},    {{{OP_UPDATE, 1, 0}, {OP_NONE, 0, 0}}, true}   },
    {{{{OP_MOVE, 0, 1}, {OP_MOVE, 0, 0}}, false},        {{{OP_DELETE, 1, 0}, {OP_INSERT, 1, 0}}, false}},
    {{{{OP_DELETE, 1, 0}, {OP_REKEY, 0, 0}}, false},     {{{OP_INSERT, 0, 1}, {OP_NONE, 0, 0}}, false}  },
    {{{{OP_REKEY, 0, 0}, {OP_UPDATE, 1, 0}}, false},
     {{{OP_INSERT, 1, 1}, {OP_DELETE, 0, 0}}, false}                                                    },
    {{{{OP_TOUCH_MOVE, 1, 0}, {OP_NONE, 0, 0}}, false},
     {{{OP_TOUCH_MOVE, 0, 1}, {OP_NONE, 0, 0}}, false}                                                  },
    {{{{OP_TOUCH_MOVE, 1, 0}, {OP_UPDATE, 0, 0}}, true},
     {{{OP_MOVE, 1, 0}, {OP_DELETE, 0, 0}}, false}                                                      },
    {{{{OP_DELETE, 0, 0}, {OP_NONE, 0, 0}}, false},      {{{OP_UPDATE, 1, 0}, {OP_NONE, 0, 0}}, false}  },
    {{{{OP_SWAP, 0, 0}, {OP_UPDATE, 0, 0}}, false},      {{{OP_SWAP, 1, 0}, {OP_DELETE, 1, 0}}, false}  },
    {{{{OP_SWAP, 0, 0}, {OP_MOVE, 0, 1}}, false},        {{{OP_SWAP, 0, 0}, {OP_NONE, 0, 0}}, true}     },
};

static void holds(bool is_bare)
{
    size_t states = 0;
    double interleavings = 0;

    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
        const struct exploration found = protocol_explore(pairs[i], is_bare, NONE);
        if (found.is_violated)
            fail_msg("writers %zu end with a wrong shadow", i);
        states += found.states;
        interleavings += found.interleavings;
    }
    print_message("%zu states, %.2g interleavings\n", states, interleavings);
}

static void the_protocol_holds(void **state)
{
    (void)state;
    holds(false);
}

static void it_holds_while_the_shadow_is_bare(void **state)
{
    (void)state;
    holds(true);
}

static void every_mutant_is_caught(void **state)
{
    (void)state;
    for (enum mutant mutant = NONE + 1; mutant < MUTANTS; mutant++) {
        bool is_caught = false;
        for (size_t i = 0; i < ARRAY_SIZE(pairs) && !is_caught; i++)
            is_caught = protocol_explore(pairs[i], mutant >= BARE_MUTANTS, mutant).is_violated;
        if (!is_caught)
            fail_msg("mutant %d is not caught", (int)mutant);
    }
    print_message("%d mutants caught\n", MUTANTS - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_protocol_holds),
        cmocka_unit_test(it_holds_while_the_shadow_is_bare),
        cmocka_unit_test(every_mutant_is_caught),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
