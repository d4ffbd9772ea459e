/** Servers in a summary: utilisation and batches, from the time series of pools, so a run that was killed has them too. */
#ifndef ORRERY_TRACE_SUMMARY_SERVERS_H
#define ORRERY_TRACE_SUMMARY_SERVERS_H

#include "trace/table.h"

#include <cjson/cJSON.h>

/**
 * Adds `batch.mean`, `utilisation.accelerators` and `busy_hour`, over the bins that start from `from_ns` on; the run ends at `until_ns`. Where there are
 * accelerators, stations beside them do not count. False if the file lacks tables or memory ran out.
 */
bool orr_summary_servers(cJSON *summary, hid_t file, int64_t from_ns, int64_t until_ns);

#endif
