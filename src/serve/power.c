#include "serve/power.h"

#include <math.h>

double orr_power_energy_kwh(const orr_world *world, const orr_pool *pool, double width_ns, double decode_ns, double prompt_ns)
{
    if (pool->accelerator == ORR_NONE)
        return 0;
    const orr_accelerator *a = &world->accelerators[pool->accelerator];
    double idle_ns = fmax(0, width_ns * pool->replicas - decode_ns - prompt_ns);
    double share_ns = idle_ns * a->idle_fraction + decode_ns * a->decode_fraction + prompt_ns * a->prefill_fraction;
    return a->tdp_w * pool->group * share_ns * world->sites[pool->site].pue / 3.6e15; /* W x ns per kWh */
}
