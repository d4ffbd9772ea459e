/**
 * Routes: the way and the delay between every ingress and every compute site.
 *
 * One-way delay of a client request (design.md section 5, IP layer):
 *     sum over links of propagation + hops x hop delay + 2 x end delay
 * over the path with the least delay (Dijkstra, igraph). igraph is called while building, never during a run; what remains is plain arrays.
 */
#ifndef ORRERY_NET_ROUTES_H
#define ORRERY_NET_ROUTES_H

#include "world/world.h"

/** All arrays have ingress_count x compute_count entries, indexed by orr_route_pair, and are owned. */
typedef struct orr_routes {
    uint32_t  computes;
    int64_t  *delay_ns;
    double   *km;
    uint32_t *hops;
    uint32_t *path_start; /**< first link of the pair's path, which has `hops` of them */
    uint32_t *path;       /**< links of all paths, each from the ingress on */
} orr_routes;

static inline size_t orr_route_pair(const orr_routes *routes, uint32_t ingress, uint32_t compute)
{
    return (size_t)ingress * routes->computes + compute;
}

/** Finds all routes. ORR_BAD_INPUT with problems when a client cannot reach a compute site; ORR_NO_MEMORY. */
orr_status orr_routes_build(orr_routes *routes, const orr_world *world, orr_problems *problems);
void       orr_routes_destroy(orr_routes *routes);

/**
 * Delay and length of the least-delay path that visits `stops` (site indices, at least two) in order; for tables and checks.
 * ORR_BAD_INPUT if there is none.
 */
orr_status orr_routes_via(const orr_world *world, const uint32_t *stops, size_t count, int64_t *delay_ns, double *km, uint32_t *hops);

#endif
