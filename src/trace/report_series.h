/**
 * Series: what the page draws of one policy, added up over its runs.
 *
 * Everything is kept as sums of numerators and denominators over all seeds and divided when described, so the order of
 * files does not matter, and thinning the time axis is the same as having had wider bins.
 */
#ifndef ORRERY_TRACE_REPORT_SERIES_H
#define ORRERY_TRACE_REPORT_SERIES_H

#include "base/histogram.h"
#include "trace/report_shape.h"

enum { ORR_SERIES_METRICS = 3, ORR_SERIES_FLOWS = 6, ORR_SERIES_REASONS = 9, ORR_SERIES_LINK_BINS = 32 };

/** Tokens and money of a model or class. */
typedef struct orr_series_cost {
    char  *name;
    double yuan, tokens;
} orr_series_cost;

typedef struct orr_series {
    const orr_shape *shape;     /**< borrowed */
    size_t           runs;
    double           seconds;   /**< simulated, all runs */
    orr_shelf        shelf;
    orr_histogram   *latency;   /**< [class][metric] */
    orr_histogram    age;       /**< of the state behind each decision */
    double          *busy, *whole, *batch, *work; /**< [site][bin]: weighted busy time over time; sequences over working time */
    double          *flow;      /**< [kind][bin]: requests */
    double          *width_s;   /**< [bin]: all runs */
    double          *link_bytes; /**< [link] */
    double          *link_flow;  /**< [link][link bin]: bytes; a map needs no finer time, and there are many links */
    size_t           link_bins, link_group; /**< at most ORR_SERIES_LINK_BINS; bins of the page that make one of them */
    double           reasons[ORR_SERIES_REASONS];
    orr_array        models, classes; /**< of orr_series_cost */
    double           energy_kwh, carbon_kg;
} orr_series;

orr_status orr_series_init(orr_series *series, const orr_shape *shape);
void       orr_series_destroy(orr_series *series);

/** Adds an open run and its summary. Notes a problem if its tables are not whole. */
orr_status orr_series_add(orr_series *series, hid_t file, const char *path, const cJSON *summary, orr_problems *problems);

/** Adds everything to the policy's object. `link_shown` as filled in by orr_shape_describe. False when out of memory. */
bool orr_series_describe(cJSON *policy, const orr_series *series, const bool *link_shown);

#endif
