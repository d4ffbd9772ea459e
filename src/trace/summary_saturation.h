/** Saturation in the summary: whether the run's queues grew, and what that means for its numbers. */
#ifndef ORRERY_TRACE_SUMMARY_SATURATION_H
#define ORRERY_TRACE_SUMMARY_SATURATION_H

#include "trace/run_series.h"

#include <cjson/cJSON.h>

/**
 * Adds `saturation`: `verdict` ("stable", "growing", "overloaded", or "unknown" in fewer than eight whole bins; saturation.h), `drift_per_s` (requests), `p`, `backlog` (requests in the
 * system at the end), `typical_s` and `worst_s` (how long the backlog stands for), `worst_from_s`, `worst_until_s`, and `text`, a sentence. False with a problem.
 */
bool orr_summary_saturation(cJSON *summary, hid_t file, const char *path, orr_problems *problems);

#endif
