/**
 * Order statistics: a quantile over replications with an interval that assumes no distribution.
 *
 * How many of n independent values lie below the true q-quantile is binomial(n, q), so the l-th and the u-th smallest enclose it with
 * probability P(l <= B <= u - 1), whatever the law (Thompson, 1936; David and Nagaraja, Order Statistics, 3rd ed., 7.1). Only these levels can be had: the interval says
 * which one it achieved. Requests of one run are not independent; the p99 of a run is one value, and its replications are the sample. Requests
 * are never pooled over runs.
 */
#ifndef ORRERY_STATISTICS_ORDER_STATISTIC_H
#define ORRERY_STATISTICS_ORDER_STATISTIC_H

#include "statistics/estimate.h"

typedef struct orr_order_interval {
    size_t count;
    double value;     /**< the quantile of the sample, interpolated */
    double low, high; /**< order statistics; NaN if count is 0 */
    double level;     /**< achieved. Less than asked where there are too few values: then low and high are the extremes */
} orr_order_interval;

/** The `q`-quantile, 0 < q < 1, of `count` finite values with equal tails of at most (1 - level) / 2 each. Sorts `value` in place. */
orr_order_interval orr_order_quantile(double *value, size_t count, double q, double level);

/** A statistic of runs (say, the p99 of each) over replications: its mean with Student's interval, and its median without assumptions. */
typedef struct orr_across {
    orr_estimate       mean;
    orr_order_interval median;
} orr_across;

/** Sorts `value` in place. */
orr_across orr_across_replications(double *value, size_t count, double level);

#endif
