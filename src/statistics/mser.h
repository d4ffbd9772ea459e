/**
 * MSER-5: where the warm-up of a steady-state run ends.
 *
 * A run begins empty, and what it shows until it has forgotten that is deleted. The series is averaged in batches of five, and the
 * number of batches to delete is the one for which the rest has the smallest marginal standard error,
 *     MSER(d) = sum over j > d of (Z_j - mean)^2 / (m - d)^2,
 * that is, which gives the narrowest interval for its mean (White, Simulation 69, 1997; White, Cobb and Spratt, WSC 2000; why it works: Franklin and White,
 * WSC 2008). A minimum beyond half of the series says that the series was still moving at its end: it has not settled, and nothing may
 * be deleted from it in good faith. The last five batches are no candidates: two equal values at the end would pass for a steady state.
 */
#ifndef ORRERY_STATISTICS_MSER_H
#define ORRERY_STATISTICS_MSER_H

#include <stdbool.h>
#include <stddef.h>

enum { ORR_MSER_BATCH = 5, ORR_MSER_LEAST = 10 * ORR_MSER_BATCH };

typedef struct orr_truncation {
    size_t first;   /**< observations to delete, a multiple of 5; 0 if not settled */
    bool   settled; /**< false: shorter than ORR_MSER_LEAST, or the minimum lies beyond half of the series */
} orr_truncation;

/** The truncation of `count` finite values, evenly spaced in time. Of equal minima the first. */
orr_truncation orr_mser(const double *value, size_t count);

/** One replication of one policy. Values are borrowed; a NaN is a bin in which nothing was observed. */
typedef struct orr_replication {
    size_t        policy; /**< counts from 0 */
    const double *value;
    size_t        count;
} orr_replication;

/**
 * One truncation for all: a policy's replications are averaged bin by bin (over those that observed something; a bin in which none did
 * repeats the one before), which thins the noise and leaves the transient (Welch, 1983); MSER-5 is applied to each average, and the largest of the
 * truncations holds for every policy, so that all are compared over the same time. Series are taken up to the length of the shortest.
 * Not settled if any policy's average is not. False when out of memory.
 */
bool orr_mser_shared(const orr_replication *replications, size_t count, size_t policies, orr_truncation *truncation);

#endif
