/**
 * Power: what pools draw, and the sites around them.
 *
 * Each replica is idle, decoding, or has prompts in its batch; each state has its share of the full-load power of the accelerators and of
 * their part of the server (catalogue; the two ends are measured on whole servers, idle and at full load). That is IT power. The facility
 * adds cooling and conversion: a part that it draws at any load and a part in proportion to the IT power, so that
 * PUE(load) = 1 + (pue - 1) (1 - fixed + fixed / load), with the load relative to the rated power of the site's pools
 * (N. Rasmussen, Electrical Efficiency Modeling for Data Centers, APC white paper 113; its square-law losses are left out).
 */
#ifndef ORRERY_SERVE_POWER_H
#define ORRERY_SERVE_POWER_H

#include "world/world.h"

/** IT power in W of a pool with all replicas that it starts with at full load. 0 for pools without accelerators. */
double orr_power_rated_w(const orr_world *world, const orr_pool *pool);

/** IT energy in kWh of a pool with the given replica times (ns): with accelerators, and of these decoding and with prompts; the rest is idle. */
double orr_power_it_kwh(const orr_world *world, const orr_pool *pool, double held_ns, double decode_ns, double prompt_ns);

/** Energy in kWh that a site draws from the grid over `width_ns` when its pools, rated at `rated_w` together, take `it_kwh`. 0 if they are rated at 0. */
double orr_power_site_kwh(const orr_site_info *site, double rated_w, double it_kwh, double width_ns);

#endif
