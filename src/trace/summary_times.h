/** Times in a summary: mean and percentiles of a histogram, in seconds, under the names that every summary uses. */
#ifndef ORRERY_TRACE_SUMMARY_TIMES_H
#define ORRERY_TRACE_SUMMARY_TIMES_H

#include "base/histogram.h"

#include <cjson/cJSON.h>

/** Adds a number, null if it is not finite. */
void orr_summary_put(cJSON *object, const char *name, double value);

/** Adds `mean`, `p50`, `p90`, `p95`, `p99` and `count`. The sum (s) and the largest (ns) are exact where the file tells them; percentiles do not pass the largest. */
void orr_summary_times(cJSON *to, const orr_histogram *histogram, const orr_shelf *shelf, int64_t count, double sum_s, int64_t largest);

/** The middle of a bucket in s, for sums over buckets: within 0.4 % of every value in it. */
double orr_summary_middle_s(int64_t bucket);

#endif
