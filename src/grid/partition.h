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

/** Lane of each used site, malloced; NULL when out of memory. `lookahead_ns` becomes the least delay between lanes (ORR_NEVER with one). */
uint32_t *orr_partition(const orr_world *world, const orr_routes *routes, uint32_t lanes, int64_t *lookahead_ns);

#endif
