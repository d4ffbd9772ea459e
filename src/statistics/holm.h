/**
 * Holm: how many of several claims may be called significant together.
 *
 * Fourteen metrics under six policies make eighty claims, of which four would pass at 95 % by chance alone.
 */
#ifndef ORRERY_STATISTICS_HOLM_H
#define ORRERY_STATISTICS_HOLM_H

#include <stdbool.h>
#include <stddef.h>

/**
 * Holm's step-down procedure (Holm, Scandinavian Journal of Statistics 6, 1979): of the claims with p-values `p`, rejects as many as it can while
 * the chance of even one false rejection stays at most `alpha`, however the claims depend on each other. The k-th smallest of m is
 * compared with alpha / (m - k + 1); the first that fails ends it. A NaN is no claim. False when out of memory.
 */
bool orr_holm(const double *p, size_t count, double alpha, bool *significant);

#endif
