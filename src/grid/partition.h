/**
 * Partition: which sites run on which lane.
 *
 * Two aims pull against each other: equal load, and long delays between lanes, because the shortest one bounds the window. Sites
 * that are close are merged first (single linkage by delay, Kruskal's order) for as long as the clusters can still be dealt out evenly; so the
 * cut runs where delays are long. Results do not depend on any of this, speed does.
 */
#ifndef ORRERY_GRID_PARTITION_H
#define ORRERY_GRID_PARTITION_H

#include "net/routes.h"

typedef struct orr_partition {
    uint32_t *lane_of;      /**< per used site, malloced: the caller's */
    uint32_t  lanes;        /**< as asked, or 1 if all that meet must stay together */
    int64_t   lookahead_ns; /**< least delay between lanes; ORR_NEVER with one */
    double    window_requests; /**< expected per lane in a window of that length; infinite with one */
} orr_partition;

/** Cuts into `lanes`. False when out of memory. */
bool orr_partition_cut(orr_partition *partition, const orr_world *world, const orr_routes *routes, uint32_t lanes);

/**
 * Cuts into as many lanes as pay, at most `most`: lanes wait for each other at the end of every window, so a window must hold some work. Where that
 * begins was measured (bench/threads.sh).
 */
bool orr_partition_worthwhile(orr_partition *partition, const orr_world *world, const orr_routes *routes, uint32_t most);

#endif
