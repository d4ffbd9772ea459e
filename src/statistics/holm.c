#include "statistics/holm.h"

#include <math.h>
#include <stdlib.h>

typedef struct claim {
    double p;
    size_t index;
} claim;

static int by_p(const void *a, const void *b)
{
    const claim *x = a, *y = b;
    return x->p < y->p ? -1 : x->p > y->p ? 1 : x->index < y->index ? -1 : x->index > y->index;
}

bool orr_holm(const double *p, size_t count, double alpha, bool *significant)
{
    claim *claims = malloc((count + 1) * sizeof *claims);
    size_t n = 0;
    if (claims == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        significant[i] = false;
        if (!isnan(p[i]))
            claims[n++] = (claim){p[i], i};
    }
    qsort(claims, n, sizeof *claims, by_p);
    for (size_t k = 0; k < n && !(claims[k].p > alpha / (double)(n - k)); k++)
        significant[claims[k].index] = true;
    free(claims);
    return true;
}
