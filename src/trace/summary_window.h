/**
 * Windowed summary: the numbers of a run from a moment on, so that its warm-up can be deleted.
 *
 * The tables of totals are of the whole run; what is kept by bin can begin anywhere. So the window has what the bins can give, under
 * the names of the summary, and lacks the rest (retries, tokens and cost by class, links, parts by class, model and site; the audit and the speed are of the run).
 */
#ifndef ORRERY_TRACE_SUMMARY_WINDOW_H
#define ORRERY_TRACE_SUMMARY_WINDOW_H

#include "base/problems.h"

#include <cjson/cJSON.h>
#include <hdf5.h>

/**
 * From `from_ns`, rounded up to a whole latency bin, to the end of the run: policy, status, seed, simulated_s (of the window) and from_s; requests.offered, served, refused,
 * abandoned, failed, in_flight (at the end, whenever offered); latency.ttft, tpot, e2e, itl (mean within 0.4 %, p50, p90, p95, p99, count) of what ended in the window; goodput_per_s, slo_attainment; batch,
 * utilisation.accelerators, busy_hour; energy, carbon, electricity, `serving` and `provider`; `saturation` of the whole run. The caller deletes it. NULL with a
 * problem: lacking tables. NULL with `*empty` and no problem: no latency bin begins at or after `from_ns`.
 */
cJSON *orr_summary_window(hid_t file, const char *path, int64_t from_ns, bool *empty, orr_problems *problems);

#endif
