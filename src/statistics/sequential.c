#include "statistics/sequential.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdint.h>

/* The fewest seeds, from `count` to `bound`, whose interval is narrow enough if the deviation stays as it is. */
static size_t needed(double deviation, double wanted, double level, size_t count, size_t bound)
{
    size_t n = count;
    while (n < bound && !(gsl_cdf_tdist_Pinv((1 + level) / 2, (double)n - 1) * deviation <= wanted * sqrt((double)n)))
        n++;
    return n;
}

orr_sequential orr_sequential_next(const double *value, size_t count, const orr_precision *p)
{
    size_t least = p->least < 2 ? 2 : p->least, most = p->most == 0 ? SIZE_MAX : p->most;
    orr_sequential s = {.estimate = orr_estimate_mean(value, count, p->level), .half_width = NAN};
    double relative = p->relative > 0 && isfinite(s.estimate.mean) ? p->relative / (1 + p->relative) * fabs(s.estimate.mean) : 0;
    s.wanted = fmax(relative, fmax(p->absolute, 0));
    if (count >= 2)
        s.half_width = (s.estimate.high - s.estimate.low) / 2;
    s.reached = count >= least && s.half_width <= s.wanted;
    s.exhausted = !s.reached && count >= most;
    if (s.reached || s.exhausted)
        return s;
    size_t total = least;
    if (count >= least) {
        double n = (double)count, deviation = s.half_width * sqrt(n) / gsl_cdf_tdist_Pinv((1 + p->level) / 2, n - 1);
        total = needed(deviation, s.wanted, p->level, count + 1, 2 * count);
    }
    s.more = (total < most ? total : most) - count;
    return s;
}
