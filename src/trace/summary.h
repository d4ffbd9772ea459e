/**
 * Summary: the numbers of a run, under stable names, read from its file.
 *
 * Everything is derived from the tables' integers when it is read: means from exact sums, percentiles from the histograms.
 */
#ifndef ORRERY_TRACE_SUMMARY_H
#define ORRERY_TRACE_SUMMARY_H

#include "base/problems.h"

#include <cjson/cJSON.h>
#include <hdf5.h>

/** Opens a run's file for reading. Negative, with a problem, if it is not one. */
hid_t orr_result_open(const char *path, orr_problems *problems);

/**
 * The summary as JSON: requests, latency (s; `itl` between two tokens of one answer, at the servers), tokens, cost, utilisation, batch, goodput, SLO (of all requests that ended; whoever was refused, gave up or failed did not meet it), energy, electricity, carbon, saturation (summary_saturation.h), outage (summary_outage.h), audit, speed; the first
 * four and the SLO again under by_class, by_model, by_vendor and by_site (the clients' site); energy, electricity and carbon again under serving (summary_power.h), with `provider` (summary_cost.h); decisions; `unmeasured`: accelerators whose speed is assumed, no measurement being known. The caller deletes it. NULL when out of memory or the file lacks tables (with a problem).
 */
cJSON *orr_summary(hid_t file, const char *path, orr_problems *problems);

/** The number at a dotted path such as latency.ttft.p99; NaN if there is none. */
double orr_summary_number(const cJSON *summary, const char *path);

#endif
