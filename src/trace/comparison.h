/**
 * Comparison: policies against a baseline, metric by metric, seed by seed.
 *
 * Each policy other than the baseline makes one claim per metric: that it differs from the baseline. A claim rests on the pairs of runs with the
 * same seed (estimate.h), and is called significant only if it stands after Holm's correction over all claims of the comparison: with
 * fourteen metrics and six policies about four would pass at 95 % by chance alone. Intervals are not widened by the correction.
 *
 * A percentile of a run is one value; over seeds its mean has Student's interval and its median that of order statistics. Requests of different runs are never pooled.
 * Where every policy has a single run, and none of them is saturated, means over requests have intervals by batch means (batch_means.h) over the latency bins, and
 * differences too where the seed is common; nothing is deleted as warm-up then, so that the means stay those of the summaries.
 */
#ifndef ORRERY_TRACE_COMPARISON_H
#define ORRERY_TRACE_COMPARISON_H

#include "statistics/estimate.h"
#include "statistics/order_statistic.h"
#include "trace/run_series.h"

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

/** A number of the summary by which policies are compared. `better` is "lower", "higher", or NULL where neither is. */
typedef struct orr_metric_kind {
    const char *key, *title, *unit, *better;
} orr_metric_kind;

enum { ORR_COMPARED_METRICS = 17 };
extern const orr_metric_kind orr_compared_metrics[ORR_COMPARED_METRICS];

/** One run of it. `policy` counts from 0; `summary` and `series` are borrowed; `series` may be NULL and is looked at only where every policy has one run. */
typedef struct orr_compared_run {
    size_t       policy;
    uint64_t     seed;
    const cJSON *summary;
    const orr_run_series *series;
} orr_compared_run;

/** What is known of one policy and metric. */
typedef struct orr_compared {
    orr_estimate       own, difference; /**< difference: policy - baseline */
    orr_order_interval median;          /**< of percentiles */
    double             correlation, reduction;
    bool               significant;
    size_t             growing, unjudged; /**< the policy's runs whose queues grow, and those with too few bins to tell */
} orr_compared;

/** True of metrics that are a percentile of a run; these have a median over seeds beside their mean. */
bool orr_is_percentile(const char *key);

/**
 * The object `comparison` of the page: baseline, level, method, metrics, and a row per policy and metric: its mean with interval, and the paired
 * difference to the baseline (policy - baseline) with interval, pairs and significance, the `correlation` that common seeds achieved and the `variance_reduction` that
 * this was worth (estimate.h); for percentiles `median`, `median_low`, `median_high` and the `median_level` that these achieve (order_statistic.h); `growing`, the policy's runs whose queues grow, `unjudged`, those too coarse to tell, and
 * `text`, the outcome in words. What cannot be known is null. `compared` has [policy * metric_count + metric]. NULL when out of memory.
 */
cJSON *orr_comparison_json(const char *const *policies, size_t policy_count, size_t baseline, const orr_metric_kind *metrics, size_t metric_count, const orr_compared *compared, double level, const char *method);

/** The same of runs, by the metrics above. No two runs share policy and seed; `level` lies in (0, 1). */
cJSON *orr_comparison(const orr_compared_run *runs, size_t count, const char *const *policies, size_t policy_count, size_t baseline, double level);

#endif
