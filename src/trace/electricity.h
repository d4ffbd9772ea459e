/**
 * Electricity: what pools and sites have drawn, paid and emitted.
 *
 * Price and carbon are constant between two local hours, and the power of a site is linear in the times that its replicas spend in each
 * state, so the sums are exact when every site is metered where an hour ends (orr_world_next_grid_hour), however long the bins are. What
 * a site draws beyond its servers is divided among its pools in proportion to their IT energy of the piece; nothing is left over. Three
 * accounts are kept, which the audit compares: pools by bin, pools over the run, sites over the run.
 */
#ifndef ORRERY_TRACE_ELECTRICITY_H
#define ORRERY_TRACE_ELECTRICITY_H

#include "base/archive.h"
#include "grid/audit.h"

/** Energy at the servers and from the grid, carbon of the latter and its price. */
typedef struct orr_draw {
    double it_kwh, kwh, carbon_kg, yuan;
} orr_draw;

/** Replica times of a pool, ns: in the states that draw more than an idle one, and with accelerators at all. */
typedef struct orr_work {
    double decode_ns, prompt_ns, held_ns;
} orr_work;

typedef struct orr_electricity {
    const orr_world *world;
    orr_draw        *bin, *run; /**< by pool: since the bin began, since the run began */
    orr_draw        *site;      /**< by used site, since the run began */
    orr_work        *work;      /**< by pool, since the run began */
    double          *rated_w;   /**< by used site */
} orr_electricity;

/** False when out of memory; orr_electricity_clear is due in any case. */
bool orr_electricity_init(orr_electricity *electricity, const orr_world *world);
void orr_electricity_clear(orr_electricity *electricity);
void orr_electricity_archive(orr_electricity *electricity, orr_archive *archive);

/** Meters a site from `from_ns` to `to_ns`, in which neither price nor carbon changes; `work` is by pool of the world. */
void orr_electricity_meter(orr_electricity *electricity, uint32_t site, int64_t from_ns, int64_t to_ns, const orr_work *work);

/** What a pool drew since this was last asked. */
orr_draw orr_electricity_take(orr_electricity *electricity, uint32_t pool);

/** Adds the checks of a run that lasted `width_ns`. Sums of doubles are compared to nine digits. */
void orr_electricity_audit(const orr_electricity *electricity, int64_t width_ns, orr_audit *audit);

#endif
