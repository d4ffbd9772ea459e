/**
 * Outages in the summary of a run: how long, and how badly, clients missed what they were promised.
 *
 * From the time series of requests at their ingress, in bins of `output.bin`: an outage is seen no finer than that. A request counts in the bin in which it
 * ended; refused, abandoned and failed ones count as missed. Bins in which nothing ended say nothing and are left out.
 */
#ifndef ORRERY_TRACE_SUMMARY_OUTAGE_H
#define ORRERY_TRACE_SUMMARY_OUTAGE_H

#include "trace/table.h"

#include <cjson/cJSON.h>

/**
 * Adds `outage` to a summary: `minutes_lost` (the share of requests that missed their SLO, integrated over the run: ten minutes at 30 % are three), `worst_attainment` (of the bin
 * where it was least), `minutes_below_90` (all bins in which less than 90 % were within the SLO), `longest_below_90` (minutes, the longest stretch of such bins in a row: until
 * recovery), `peak_attempts` (attempts per intention, in the bin where that was most: 1 without retries). False if the file lacks tables or memory ran out.
 */
bool orr_summary_outage(cJSON *summary, hid_t file, int64_t until_ns);

#endif
