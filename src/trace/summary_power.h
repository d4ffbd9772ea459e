/**
 * Power in the summary of a run: energy, electricity and carbon, in all and per million tokens, by serving site and by model.
 *
 * From the time series of pools, so a run that was killed has them too. Every pool is at one site and serves one model: the parts of either
 * kind sum up to the whole (to the rounding of doubles). Tokens are those metered at the servers, of all kinds, whoever asked for them.
 */
#ifndef ORRERY_TRACE_SUMMARY_POWER_H
#define ORRERY_TRACE_SUMMARY_POWER_H

#include "trace/table.h"

#include <cjson/cJSON.h>

/**
 * Adds `energy`, `carbon`, `electricity` and `serving` (`by_site`; `by_model`, there also `share_by_region` and `share_by_kind`: of its tokens, by the macro region and the kind of the
 * site that served them) to a summary, over the bins that start from `from_ns` on. False if the file lacks tables or memory ran out.
 */
bool orr_summary_power(cJSON *summary, hid_t file, int64_t from_ns);

#endif
