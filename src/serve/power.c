#include "serve/power.h"

#include <math.h>

static const double W_NS_PER_KWH = 3.6e15;

double orr_power_rated_w(const orr_world *world, const orr_pool *pool)
{
    if (pool->accelerator == ORR_NONE)
        return 0;
    const orr_accelerator *a = &world->accelerators[pool->accelerator];
    return (a->tdp_w + a->host_w) * pool->group * pool->at_start;
}

double orr_power_it_kwh(const orr_world *world, const orr_pool *pool, double held_ns, double decode_ns, double prompt_ns)
{
    if (pool->accelerator == ORR_NONE)
        return 0;
    const orr_accelerator *a = &world->accelerators[pool->accelerator];
    double idle_ns = fmax(0, held_ns - decode_ns - prompt_ns);
    double share_ns = idle_ns * a->idle_fraction + decode_ns * a->decode_fraction + prompt_ns * a->prefill_fraction;
    return (a->tdp_w + a->host_w) * pool->group * share_ns / W_NS_PER_KWH;
}

double orr_power_site_kwh(const orr_site_info *site, double rated_w, double it_kwh, double width_ns)
{
    double overhead = site->pue - 1, fixed_w = overhead * site->pue_fixed_share * rated_w;
    return it_kwh * (1 + overhead * (1 - site->pue_fixed_share)) + fixed_w * width_ns / W_NS_PER_KWH;
}
