/**
 * Series of a run: what happened bin by bin, over all sites, from the file's tables. Warm-up, batch means and saturation are judged by it.
 *
 * Latencies are sums of the middles of histogram buckets, within 0.4 % of the exact ones, in the wider latency bins. The last bin of
 * either kind may be shorter than the others.
 */
#ifndef ORRERY_TRACE_RUN_SERIES_H
#define ORRERY_TRACE_RUN_SERIES_H

#include "base/problems.h"

#include <hdf5.h>

typedef enum orr_flow_kind { ORR_FLOW_OFFERED, ORR_FLOW_SERVED, ORR_FLOW_REFUSED, ORR_FLOW_ABANDONED, ORR_FLOW_FAILED, ORR_FLOW_SLO_MET, ORR_FLOWS } orr_flow_kind;

/** All arrays are owned; one value per bin. */
typedef struct orr_run_series {
    size_t  bins, latency_bins;
    int64_t bin_ns, latency_bin_ns, until_ns;
    double *width_s;
    double *flow[ORR_FLOWS]; /**< requests, at their ingress */
    double *ended;           /**< served, refused, abandoned or failed */
    double *in_system;       /**< offered and not ended, at the end of the bin */
    double *busy, *waiting;  /**< at the servers: places taken, mean over the bin; in queue at its end */
    double *latency_count[3], *latency_sum_s[3]; /**< by latency bin; ttft, tpot, e2e as in orr_metric_names */
} orr_run_series;

/** Reads the series of an open run; one that was killed has those up to then. False with a problem (or out_of_memory); orr_run_series_clear is due in any case. */
bool orr_run_series_read(orr_run_series *series, hid_t file, const char *path, orr_problems *problems);
void orr_run_series_clear(orr_run_series *series);

/** Mean latency of requests that ended in the latency bin, s; NaN if none did. */
double orr_run_series_latency(const orr_run_series *series, int metric, size_t latency_bin);

/** How many bins from the first on are as long as bin_ns: all, or all but the last. */
size_t orr_run_series_whole_bins(const orr_run_series *series);

#endif
