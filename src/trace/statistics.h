/**
 * Statistics of comparisons: means over seeds, differences over pairs of seeds, and how much of it may be called significant.
 *
 * Two policies on the same seed meet the same requests (common random numbers), so their difference, seed by seed, is free of
 * the noise that they share. Seeds are independent, so the n differences are a sample to which Student's t applies.
 */
#ifndef ORRERY_TRACE_STATISTICS_H
#define ORRERY_TRACE_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>

/** A mean with its interval. Fewer than two values: no interval (low, high and p are NaN); none: no mean either (NaN). */
typedef struct orr_estimate {
    size_t count;
    double mean, low, high;
    double p; /**< two-sided p-value of "the true mean is zero" */
} orr_estimate;

/**
 * Mean of `count` finite values with Student's t interval at `level` in (0, 1): mean -+ t * s / sqrt(n), t the (1 + level)/2 quantile at n - 1
 * degrees of freedom. Equal values give an interval of width zero; having no spread to judge by, p is then 1 if they are zero, else that
 * of the sign test, 2^(1 - n): two runs that both lost one request more prove nothing, twenty do.
 */
orr_estimate orr_estimate_mean(const double *value, size_t count, double level);

/**
 * The same of the differences a[i] - b[i]. What is no more than rounding (10^-12 of the larger of the two) counts as zero.
 * Allocates nothing.
 */
orr_estimate orr_estimate_difference(const double *a, const double *b, size_t count, double level);

/**
 * Holm's step-down procedure (Holm, Scandinavian Journal of Statistics 6, 1979): of the claims with p-values `p`, rejects as many as it can while
 * the chance of even one false rejection stays at most `alpha`, however the claims depend on each other. The k-th smallest of m is
 * compared with alpha / (m - k + 1); the first that fails ends it. A NaN is no claim. Quadratic in `count`, which is small.
 */
void orr_holm(const double *p, size_t count, double alpha, bool *significant);

#endif
