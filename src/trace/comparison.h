/**
 * Comparison: policies against a baseline, metric by metric, seed by seed.
 *
 * Each policy other than the baseline makes one claim per metric: that it differs from the baseline. A claim rests on the pairs of runs with the
 * same seed (estimate.h), and is called significant only if it stands after Holm's correction over all claims of the comparison: with
 * fourteen metrics and six policies about four would pass at 95 % by chance alone. Intervals are not widened by the correction.
 */
#ifndef ORRERY_TRACE_COMPARISON_H
#define ORRERY_TRACE_COMPARISON_H

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

/** A number of the summary by which policies are compared. `better` is "lower", "higher", or NULL where neither is. */
typedef struct orr_metric_kind {
    const char *key, *title, *unit, *better;
} orr_metric_kind;

enum { ORR_COMPARED_METRICS = 16 };
extern const orr_metric_kind orr_compared_metrics[ORR_COMPARED_METRICS];

/** One run of it. `policy` counts from 0; `summary` is borrowed. */
typedef struct orr_compared_run {
    size_t       policy;
    uint64_t     seed;
    const cJSON *summary;
} orr_compared_run;

/**
 * The object `comparison` of the page: baseline, level, method, metrics, and a row per policy and metric: its mean with interval, and the paired
 * difference to the baseline (policy - baseline) with interval, pairs and significance. What cannot be known is null. No two runs
 * share policy and seed; `level` lies in (0, 1). NULL when out of memory.
 */
cJSON *orr_comparison(const orr_compared_run *runs, size_t count, const char *const *policies, size_t policy_count, size_t baseline, double level);

#endif
