/**
 * Report data: what the page of one run, or of many compared, is drawn from; one JSON object (analysis/report/page/ reads it).
 *
 * Runs belong together if they are of one scenario (resolved.h) on the same catalogues (report_shape.h) and no two share policy and seed.
 */
#ifndef ORRERY_TRACE_REPORT_DATA_H
#define ORRERY_TRACE_REPORT_DATA_H

#include "base/problems.h"

#include <cjson/cJSON.h>
#include <stddef.h>

typedef struct orr_report_options {
    bool        compare;  /**< else a single run */
    const char *baseline; /**< policy; NULL: that of the first run */
    double      level;    /**< of intervals, in (0, 1) */
} orr_report_options;

/**
 * Reads `count` (at least 1) runs. The caller deletes the object. NULL with problems: a file that is not a run, runs that do not belong together,
 * an unknown baseline; NULL with `out_of_memory` set in the problems. A run whose status is not complete is taken; `runs[].status` tells.
 */
cJSON *orr_report_data(const char *const *paths, size_t count, const orr_report_options *options, orr_problems *problems);

#endif
