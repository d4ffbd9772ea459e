/**
 * Estimates: means over seeds, differences over pairs of seeds, and what pairing was worth.
 *
 * Two policies on the same seed meet the same requests (common random numbers), so their difference, seed by seed, is free of
 * the noise that they share. Seeds are independent, so the n differences are a sample to which Student's t applies. Nothing here
 * allocates or fails: what cannot be known is NaN.
 */
#ifndef ORRERY_STATISTICS_ESTIMATE_H
#define ORRERY_STATISTICS_ESTIMATE_H

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
 */
orr_estimate orr_estimate_difference(const double *a, const double *b, size_t count, double level);

/**
 * The correlation that common seeds achieved between the values of two policies, pair by pair. NaN with fewer than three pairs, or where
 * one of them has no spread.
 */
double orr_estimate_correlation(const double *a, const double *b, size_t count);

/**
 * What pairing was worth: the variance of the mean difference had the two policies run on seeds of their own, (var a + var b) / n, over that
 * of the paired one, var(a - b) / n (Law, Simulation Modeling and Analysis, 5th ed., 11.2). Below 1 pairing did harm. As many seeds times this factor
 * would be needed without it. NaN with fewer than three pairs or without any spread; infinite if only the difference has none.
 */
double orr_estimate_variance_reduction(const double *a, const double *b, size_t count);

#endif
