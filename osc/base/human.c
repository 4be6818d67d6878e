#include "osc/base/human.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Three significant digits: 1.23, 45.6, 182. */
static struct human scaled(double value, const char *unit)
{
    struct human human;
    const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;

    (void)snprintf(human.text, sizeof human.text, "%.*f%s", decimals, value, unit);
    return human;
}

static struct human in_units(uint64_t number, double factor, const char *const *units,
                             size_t n_units)
{
    double value = (double)number;
    size_t unit = 0;
    struct human human;

    while (unit + 1 < n_units && value >= factor - 0.5) {
        value /= factor;
        unit++;
    }
    if (unit)
        return scaled(value, units[unit]);
    (void)snprintf(human.text, sizeof human.text, "%" PRIu64 "%s", number, units[0]);
    return human;
}

struct human human_count(uint64_t count)
{
    static const char *const units[] = {"", "k", "M", "G", "T"};

    return in_units(count, 1000, units, ARRAY_SIZE(units));
}

struct human human_bytes(uint64_t bytes)
{
    static const char *const units[] = {" B", " KiB", " MiB", " GiB", " TiB", " PiB"};

    return in_units(bytes, 1024, units, ARRAY_SIZE(units));
}

/* The two largest units, the second one only when it is not zero. */
static struct human two_units(uint64_t seconds)
{
    static const struct {
        uint64_t seconds;
        char letter;
    } units[] = {
        {86400, 'd'},
        {3600,  'h'},
        {60,    'm'},
        {1,     's'}
    };
    struct human human;
    size_t i = 0;

    while (i + 1 < ARRAY_SIZE(units) && seconds < units[i].seconds)
        i++;
    const uint64_t whole = seconds / units[i].seconds;
    const uint64_t rest =
        i + 1 < ARRAY_SIZE(units) ? seconds % units[i].seconds / units[i + 1].seconds : 0;
    if (rest)
        (void)snprintf(human.text, sizeof human.text, "%" PRIu64 " %c %" PRIu64 " %c", whole,
                       units[i].letter, rest, units[i + 1].letter);
    else
        (void)snprintf(human.text, sizeof human.text, "%" PRIu64 " %c", whole, units[i].letter);
    return human;
}

struct human human_duration(uint64_t ms)
{
    struct human human;

    if (ms >= 10000)
        return two_units((ms + 500) / 1000);
    if (ms >= 1000)
        (void)snprintf(human.text, sizeof human.text, "%.1f s", (double)ms / 1000);
    else
        (void)snprintf(human.text, sizeof human.text, "%" PRIu64 " ms", ms);
    return human;
}

struct human human_eta(uint64_t seconds)
{
    /* A guess for tomorrow is not good to the second. */
    const uint64_t step = seconds < 20      ? 1
                          : seconds < 120   ? 5
                          : seconds < 600   ? 10
                          : seconds < 7200  ? 60
                          : seconds < 86400 ? 600
                                            : 3600;
    return two_units((seconds + step / 2) / step * step);
}

struct human human_setting(uint64_t ms)
{
    static const struct {
        uint64_t ms;
        const char *unit;
    } units[] = {
        {86400000, "d" },
        {3600000,  "h" },
        {60000,    "m" },
        {1000,     "s" },
        {1,        "ms"}
    };
    struct human human;
    size_t i = 0;

    while (i + 1 < ARRAY_SIZE(units) && (!ms || ms % units[i].ms))
        i++;
    (void)snprintf(human.text, sizeof human.text, "%" PRIu64 "%s", ms / units[i].ms, units[i].unit);
    return human;
}

size_t human_width(const char *utf8)
{
    size_t width = 0;

    for (; *utf8; utf8++)
        if ((*utf8 & 0xc0) != 0x80)
            width++;
    return width;
}

const char *human_cut(const char *utf8, size_t width, struct arena *arena)
{
    size_t length = 0;

    if (human_width(utf8) <= width)
        return utf8;
    for (size_t seen = 0; utf8[length]; length++)
        if ((utf8[length] & 0xc0) != 0x80 && ++seen == width)
            break;
    return arena_printf(arena, "%.*s…", (int)length, utf8);
}

void human_wrap(struct text *out, const char *words, size_t indent, size_t width)
{
    size_t column = indent;

    while (*words) {
        const size_t length = strcspn(words, " \n");
        const int take = (int)length;
        if (column > indent && column + 1 + length > width) {
            text_printf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (column > indent) {
            text_add(out, " ");
            column++;
        }
        text_printf(out, "%.*s", take, words);
        column += length;
        words += length;
        if (*words == '\n') {
            text_printf(out, "\n%*s", (int)indent, "");
            column = indent;
        }
        words += strspn(words, " \n");
    }
}
