#include "osc/db/tempo.h"

enum {
    ALONE_AFTER = 8, /* quiet looks: who writes in bursts is not left alone between them */
    /* Less than half makes it longer, and what the application meets hardly better: bench/README.md
     */
    LEAST_DUTY = 50,
    DUTY_STEP = 5,
    SLOW_FACTOR = 3,
    SLOW_US = 25000, /* below that nobody complains, however quick it usually is */
    NEAR_LIMIT = 50,
    AT_LIMIT = 100,
    FAR_BEYOND = 200,
    LOOKS_BETWEEN_CUTS = 4,
    FIRST_ALLOWANCE = 3,
    ALLOWANCE_STEP = 1,
    NOTHING = 3, /* as little as this makes no way, and keeps what is over its limit there */
};

void tempo_begin(struct tempo *tempo, unsigned threads, bool minds_company)
{
    *tempo = (struct tempo){
        .threads = threads,
        .minds_company = minds_company,
        .quiet_looks = ALONE_AFTER - 1,
        .duty = TEMPO_FULL,
        .allowance = TEMPO_FULL,
        .looks_since_cut = LOOKS_BETWEEN_CUTS,
    };
}

static unsigned at_most(unsigned value, unsigned most)
{
    return value < most ? value : most;
}

static void weigh_company(struct tempo *tempo, bool is_quiet)
{
    tempo->quiet_looks = is_quiet ? tempo->quiet_looks + 1 : 0;
    tempo->is_alone = tempo->quiet_looks >= ALONE_AFTER;
    /* One in ten may be slow by chance; where nothing is committed, nothing is learned. */
    if (tempo->slow_commits > tempo->commits / 10)
        tempo->duty = tempo->duty * 2 / 3;
    else if (tempo->commits)
        tempo->duty = at_most(tempo->duty + DUTY_STEP, TEMPO_FULL);
    if (tempo->duty < LEAST_DUTY)
        tempo->duty = LEAST_DUTY;
}

static unsigned looks_between(unsigned strain)
{
    return strain >= FAR_BEYOND ? 1 : LOOKS_BETWEEN_CUTS;
}

static void cut(struct tempo *tempo)
{
    tempo->allowance = tempo->allowance / 2 > NOTHING ? tempo->allowance / 2 : 0;
    tempo->looks_since_cut = 0;
}

void tempo_limit(struct tempo *tempo, unsigned strain)
{
    tempo->looks_since_cut++;
    if (strain >= TEMPO_STOP)
        tempo->allowance = 0;
    else if (strain >= AT_LIMIT && tempo->looks_since_cut < looks_between(strain))
        return; /* what the last cut did is not seen yet */
    else if (strain >= AT_LIMIT)
        cut(tempo);
    else if (strain < NEAR_LIMIT)
        tempo->allowance =
            at_most(tempo->allowance + ALLOWANCE_STEP + tempo->allowance / 8, TEMPO_FULL);
    else if (!tempo->allowance)
        tempo->allowance = ALLOWANCE_STEP;
}

void tempo_ease_in(struct tempo *tempo)
{
    tempo->allowance = at_most(tempo->allowance, FIRST_ALLOWANCE);
}

void tempo_look(struct tempo *tempo, bool is_quiet, unsigned strain)
{
    weigh_company(tempo, is_quiet);
    tempo_limit(tempo, strain);
    tempo->commits = tempo->slow_commits = 0;
}

/* At the first look none of ours may have been counted.  Later they only make it too little. */
uint64_t tempo_others(struct tempo_others *others, uint64_t all, uint64_t ours)
{
    const uint64_t before = others->is_known ? others->most : all;
    const uint64_t now = all > ours ? all - ours : 0;

    others->is_known = true;
    others->most = now > before ? now : before;
    return others->most - before;
}

/* The usual is close to the quickest of late, and follows a server that became slower. */
void tempo_commit(struct tempo *tempo, uint64_t took_us)
{
    if (!tempo->usual_us || took_us < tempo->usual_us)
        tempo->usual_us = took_us;
    else
        tempo->usual_us += 1 + tempo->usual_us / 500;
    tempo->commits++;
    if (took_us > SLOW_US && took_us > SLOW_FACTOR * tempo->usual_us)
        tempo->slow_commits++;
}

unsigned tempo_company(const struct tempo *tempo)
{
    if (tempo->is_alone || !tempo->minds_company)
        return TEMPO_FULL;
    /* One thread's part, never rounded down to nothing. */
    return (tempo->duty + tempo->threads - 1) / tempo->threads;
}

unsigned tempo_power(const struct tempo *tempo)
{
    return at_most(tempo->allowance, tempo_company(tempo));
}

unsigned tempo_places(const struct tempo *tempo)
{
    return (tempo_power(tempo) * tempo->threads + TEMPO_FULL - 1) / TEMPO_FULL;
}
