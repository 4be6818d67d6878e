#include "osc/db/tempo.h"

enum {
    ALONE_AFTER = 8, /* quiet looks: who writes in bursts is not left alone between them */
    MOST_DUTY = 80,
    FIRST_DUTY = 50,
    LEAST_DUTY = 30,
    DUTY_STEP = 3,
    SLOW_FACTOR = 3,
    SLOW_US = 8000, /* below that nobody complains, however quick it usually is */
    MOST_REST_US = 1000000,
};

void tempo_begin(struct tempo *tempo)
{
    *tempo = (struct tempo){.quiet_looks = ALONE_AFTER - 1, .duty = FIRST_DUTY};
}

void tempo_look(struct tempo *tempo, bool is_quiet)
{
    tempo->quiet_looks = is_quiet ? tempo->quiet_looks + 1 : 0;
    if (!is_quiet && tempo->is_alone)
        tempo->duty = FIRST_DUTY;
    tempo->is_alone = tempo->quiet_looks >= ALONE_AFTER;
    /* One in ten may be slow by chance; where nothing is committed, nothing is learned. */
    if (tempo->slow_commits > tempo->commits / 10)
        tempo->duty = tempo->duty * 2 / 3;
    else if (tempo->commits)
        tempo->duty += DUTY_STEP;
    tempo->duty = tempo->duty < LEAST_DUTY  ? LEAST_DUTY
                  : tempo->duty > MOST_DUTY ? MOST_DUTY
                                            : tempo->duty;
    tempo->commits = tempo->slow_commits = 0;
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

uint64_t tempo_rest_us(const struct tempo *tempo, uint64_t worked_us)
{
    if (tempo->is_alone)
        return 0;
    const uint64_t rest = worked_us * (100 - tempo->duty) / tempo->duty;
    return rest < MOST_REST_US ? rest : MOST_REST_US;
}
