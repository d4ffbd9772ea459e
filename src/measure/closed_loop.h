/**
 * Closed loop: a measured point, simulated as it was measured.
 *
 * Each point is a scenario of its own: one site, one replica, `concurrency` users who ask again as soon as they are answered. It runs through
 * the whole grid, as any scenario does.
 */
#ifndef ORRERY_MEASURE_CLOSED_LOOP_H
#define ORRERY_MEASURE_CLOSED_LOOP_H

#include "measure/points.h"
#include "world/world.h"

/** The scenario of a point, YAML; catalogues are those of `data`. Malloced; NULL when out of memory. */
char *orr_closed_loop_text(const orr_point *point, const char *data);

/**
 * The world of a point. NULL if it cannot be: `point->skipped` says why (its weights or its load do not fit into the memory), or problems are noted. The
 * caller destroys it.
 */
orr_world *orr_closed_loop_world(orr_point *point, const char *data, orr_problems *problems);

/** Runs the world of a point to its end and sets what came out. */
orr_status orr_closed_loop_run(orr_point *point, const orr_world *world, orr_problems *problems);

#endif
