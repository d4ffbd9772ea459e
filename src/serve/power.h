/**
 * Power: what a pool draws.
 *
 * Each replica is idle, decoding, or has prompts in its batch; each state has its share of the accelerators' rated power
 * (catalogue). Energy is power x time x the site's PUE; carbon follows from the site's grid.
 */
#ifndef ORRERY_SERVE_POWER_H
#define ORRERY_SERVE_POWER_H

#include "world/world.h"

/** Energy in kWh, PUE included, of a pool over `width_ns` with the given replica times (ns). 0 for pools without accelerators. */
double orr_power_energy_kwh(const orr_world *world, const orr_pool *pool, double width_ns, double decode_ns, double prompt_ns);

#endif
