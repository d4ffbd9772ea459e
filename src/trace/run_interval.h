/**
 * Intervals of a single long run: means over requests as series of its bins, judged by batch means (statistics/batch_means.h).
 *
 * Only means over requests can be had so: the three mean latencies and SLO attainment.
 */
#ifndef ORRERY_TRACE_RUN_INTERVAL_H
#define ORRERY_TRACE_RUN_INTERVAL_H

#include "statistics/estimate.h"
#include "trace/run_series.h"

/**
 * Gives `own`, the estimate of metric `key` in a run, the interval of the batches around its mean; and `difference` (may be NULL), that to the run of `other` on the
 * same seed, likewise. Bins that begin before `from_ns` are left out. Where batches do not allow an interval it becomes NaN; estimates of other metrics, and those that are NaN,
 * stay as they are. False when out of memory.
 */
bool orr_run_interval(const orr_run_series *run, const orr_run_series *other, const char *key, int64_t from_ns, double level, orr_estimate *own, orr_estimate *difference);

#endif
