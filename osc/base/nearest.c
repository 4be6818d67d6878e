#include "osc/base/nearest.h"

#include <stdbool.h>
#include <string.h>

#include "osc/base/macro.h"

enum { LONGEST = 32 };

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Letters to replace, insert, leave out, or exchange with their neighbour. */
static size_t distance_between(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t cost[LONGEST + 1][LONGEST + 1];

    for (size_t i = 0; i <= a_length; i++) {
        for (size_t j = 0; j <= b_length; j++) {
            if (!i || !j) {
                cost[i][j] = i + j;
                continue;
            }
            cost[i][j] = smaller(cost[i - 1][j], cost[i][j - 1]) + 1;
            cost[i][j] = smaller(cost[i][j], cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                cost[i][j] = smaller(cost[i][j], cost[i - 2][j - 2] + 1);
        }
    }
    return cost[a_length][b_length];
}

void nearest_consider(struct nearest *nearest, const char *candidate, const char *word)
{
    const size_t width = strlen(candidate);
    const size_t length = strlen(word);

    if (width > LONGEST || length > LONGEST)
        return;
    /* A third of the letters may be wrong; a beginning of the word counts as a small slip. */
    const bool begins = length >= 2 && strncmp(candidate, word, length) == 0;
    const size_t distance = begins ? 1 : distance_between(candidate, width, word, length);
    if (distance <= (width + 2) / 3 && (!nearest->word || distance < nearest->distance))
        *nearest = (struct nearest){candidate, distance};
}
