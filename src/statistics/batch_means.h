/**
 * Batch means: the interval of a mean from one long run.
 *
 * Successive bins of a run are correlated, mostly positively, and Student's interval over them would be too narrow. Means of long enough
 * batches are nearly independent. How long is tried: bins are merged two by two until the batches pass von Neumann's test
 * (ratio of mean square successive difference to variance; von Neumann, 1941; its use here: Fishman, Principles of Discrete Event Simulation, 1978;
 * Fishman and Yarberry, INFORMS J. Computing 9, 1997). A test that passes proves little where it had few batches to judge by, so
 * batches that pass are merged once more, up to four into one, as long as twenty are left (Law and Carson, Operations Research 27, 1979, merge ten).
 * If even twenty batches fail, the run is too short for an interval, and that is the answer.
 */
#ifndef ORRERY_STATISTICS_BATCH_MEANS_H
#define ORRERY_STATISTICS_BATCH_MEANS_H

#include "statistics/estimate.h"

enum { ORR_BATCH_MEANS_LEAST = 20 };

typedef struct orr_batch_estimate {
    orr_estimate mean;     /**< count: batches used. Low, high and p are NaN where not `reliable` */
    size_t       size;     /**< values per batch; the first count % size are left out */
    double       ratio_p;  /**< von Neumann: how likely independent batches are to look this correlated */
    bool         reliable; /**< at least twenty batches, of which ratio_p >= 0.1 */
} orr_batch_estimate;

/** The mean of `count` finite values, evenly spaced in time, with Student's t interval at `level` over batches. False when out of memory. */
bool orr_batch_means(const double *value, size_t count, double level, orr_batch_estimate *estimate);

/**
 * The mean of a ratio as a series: latencies are means over requests, of which bins have more or fewer. `sum` and `weight` by bin (time summed and
 * requests counted); series[i] = r + (sum_i - r * weight_i) / mean weight, with r = total sum / total weight, has exactly the mean r, and the spread
 * of r to first order (the delta method for regenerative and batched ratios; Crane and Iglehart, 1975). Differences of two such series are those of the ratios.
 * False, and nothing written, if all weights are zero. `series` may be `sum`.
 */
bool orr_ratio_series(const double *sum, const double *weight, size_t count, double *series);

#endif
