/**
 * Cost in the summary of a run: what serving costs the provider, beside the `cost` that clients are charged.
 *
 * Accelerators are rented by the hour for as long as a replica holds them, used or not:
 *
 *     rent    = rent per accelerator and hour x accelerators per replica x hours for which replicas held them
 *     compute = rent x places taken / places          (integrated over the run; a place serves one request at a time)
 *     idle    = rent - compute
 *     energy  = price of the electricity drawn, at each hour
 *     transport = price per GB of a link x bytes that it carried, over all links that have one (network.transport_price)
 *
 * From the time series of pools, so a window of a run and a run that was killed have it too. Rents of the catalogue are market rents; where such a rent includes electricity, energy is counted twice, and the report says so.
 * Transport has no price in any catalogue: without one from the scenario it is null, not zero, and no part of the total; links do not know whose bytes they carry, so it is null by model. Pools whose accelerator has no rent are left out of compute and
 * idle, and `priced_share` says how much is in.
 */
#ifndef ORRERY_TRACE_SUMMARY_COST_H
#define ORRERY_TRACE_SUMMARY_COST_H

#include "trace/table.h"

#include <cjson/cJSON.h>

/**
 * Adds `provider` to a summary, and to every part of its `serving.by_model`, over the bins that start from `from_ns` on: compute_yuan, idle_yuan,
 * energy_yuan, transport_yuan, total_yuan (null if nothing has a rent), accelerator_hours, priced_share (of these), and per_million_tokens with the
 * same parts, of the tokens metered at the servers as in summary_power.h. Runs written before there were rents get nothing. False if memory ran out
 * or the file's tables do not fit together.
 */
bool orr_summary_cost(cJSON *summary, hid_t file, int64_t from_ns);

#endif
