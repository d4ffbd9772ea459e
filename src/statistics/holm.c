#include "statistics/holm.h"

#include <math.h>

void orr_holm(const double *p, size_t count, double alpha, bool *significant)
{
    size_t claims = 0;
    for (size_t i = 0; i < count; i++) {
        significant[i] = false;
        claims += !isnan(p[i]);
    }
    for (; claims > 0; claims--) {
        size_t least = count;
        for (size_t i = 0; i < count; i++)
            if (!significant[i] && !isnan(p[i]) && (least == count || p[i] < p[least]))
                least = i;
        if (p[least] > alpha / (double)claims)
            return;
        significant[least] = true;
    }
}
