#include "clients/turns.h"

#include "base/time.h"

#include <math.h>

/* Places in the stream of a session. */
enum { TURNS, THINK };

uint32_t orr_session_turns(const orr_world *w, const orr_cohort *cohort, uint32_t number)
{
    double mean = w->classes[cohort->class_].turns;
    if (mean <= 1)
        return 1;
    double u = orr_random_unit(orr_random_bits(w->seed, ORR_STREAM_SESSION, cohort->entity, number, TURNS).low);
    return 1 + (uint32_t)fmin(log(u) / log1p(-1 / mean), 1e9);
}

int64_t orr_think_time(const orr_world *w, const orr_cohort *cohort, uint32_t number, uint32_t turn)
{
    const orr_class *class = &w->classes[cohort->class_];
    if (class->think_law == ORR_THINK_CONSTANT)
        return class->think_mean_ns;
    double u = orr_random_unit(orr_random_bits(w->seed, ORR_STREAM_SESSION, orr_turn_entity(cohort, turn), number, THINK).low);
    return (int64_t)fmin(-log(u) * (double)class->think_mean_ns, (double)ORR_LONGEST_RUN);
}
