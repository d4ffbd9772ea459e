/**
 * Sequential: how many more seeds until an interval is as narrow as asked.
 *
 * Seeds are added until the half-width of Student's interval is at most the wanted one (Chow and Robbins, Annals of Mathematical Statistics 36, 1965). Stopping when the
 * variance happens to look small shortens the interval's coverage, so there is a least number of seeds (ten or more keep it near its level for
 * well-behaved means; Law, Simulation Modeling and Analysis, 5th ed., 9.4.1). A relative half-width g of the true mean is reached when that of the estimated
 * mean is g / (1 + g).
 */
#ifndef ORRERY_STATISTICS_SEQUENTIAL_H
#define ORRERY_STATISTICS_SEQUENTIAL_H

#include "statistics/estimate.h"

/** What is asked. Of `relative` and `absolute` those that are above zero count, and one that is met is enough. */
typedef struct orr_precision {
    double relative; /**< half-width over the mean, e.g. 0.05 */
    double absolute; /**< half-width, in the metric's unit */
    double level;    /**< of the interval, in (0, 1) */
    size_t least;    /**< seeds before anything is judged; below 2 is 2 */
    size_t most;     /**< seeds in all; 0: no bound */
} orr_precision;

typedef struct orr_sequential {
    orr_estimate estimate;
    double       half_width; /**< NaN with fewer than two values */
    double       wanted;     /**< the half-width that would do now; 0 if the mean is zero and only a relative one is asked */
    bool         reached;    /**< narrow enough, and at least `least` seeds */
    bool         exhausted;  /**< not reached, and `most` seeds have run */
    size_t       more;       /**< seeds to plan next: as many as the present variance calls for, at most doubling; 0 when reached or exhausted */
} orr_sequential;

/** Judges `count` finite values (of a policy, or paired differences), one per seed in the order in which they were planned. */
orr_sequential orr_sequential_next(const double *value, size_t count, const orr_precision *precision);

#endif
