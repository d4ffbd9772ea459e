#include "trace/electricity.h"

#include "serve/power.h"

#include <math.h>
#include <stdlib.h>

bool orr_electricity_init(orr_electricity *e, const orr_world *w)
{
    *e = (orr_electricity){.world = w};
    e->bin = calloc(w->pool_count + 1, sizeof *e->bin);
    e->run = calloc(w->pool_count + 1, sizeof *e->run);
    e->work = calloc(w->pool_count + 1, sizeof *e->work);
    e->site = calloc(w->used_count + 1, sizeof *e->site);
    e->rated_w = calloc(w->used_count + 1, sizeof *e->rated_w);
    if (!e->bin || !e->run || !e->work || !e->site || !e->rated_w)
        return false;
    for (uint32_t p = 0; p < w->pool_count; p++)
        e->rated_w[w->pools[p].site] += orr_power_rated_w(w, &w->pools[p]);
    return true;
}

void orr_electricity_clear(orr_electricity *e)
{
    void *const owned[] = {e->bin, e->run, e->work, e->site, e->rated_w};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
}

void orr_electricity_archive(orr_electricity *e, orr_archive *a)
{
    orr_archive_bytes(a, e->bin, e->world->pool_count * sizeof *e->bin);
    orr_archive_bytes(a, e->run, e->world->pool_count * sizeof *e->run);
    orr_archive_bytes(a, e->work, e->world->pool_count * sizeof *e->work);
    orr_archive_bytes(a, e->site, e->world->used_count * sizeof *e->site);
}

static void add(orr_draw *to, orr_draw more)
{
    to->it_kwh += more.it_kwh;
    to->kwh += more.kwh;
    to->carbon_kg += more.carbon_kg;
    to->yuan += more.yuan;
}

void orr_electricity_meter(orr_electricity *e, uint32_t site, int64_t from_ns, int64_t to_ns, const orr_work *work)
{
    const orr_world *w = e->world;
    const uint32_t *pools = w->site_pools + w->site_pool_start[site];
    uint32_t count = w->site_pool_start[site + 1] - w->site_pool_start[site];
    double width = (double)(to_ns - from_ns), it = 0;
    for (uint32_t i = 0; i < count; i++)
        it += orr_power_it_kwh(w, &w->pools[pools[i]], work[pools[i]].held_ns, work[pools[i]].decode_ns, work[pools[i]].prompt_ns);
    double kwh = orr_power_site_kwh(&w->sites[site], e->rated_w[site], it, width);
    double kg_per_kwh = orr_world_carbon(w, site, from_ns) / 1000, yuan_per_kwh = orr_world_electricity(w, site, from_ns);
    add(&e->site[site], (orr_draw){it, kwh, kwh * kg_per_kwh, kwh * yuan_per_kwh});
    for (uint32_t i = 0; i < count; i++) {
        const orr_work *own = &work[pools[i]];
        double own_it = orr_power_it_kwh(w, &w->pools[pools[i]], own->held_ns, own->decode_ns, own->prompt_ns), own_kwh = own_it * (it > 0 ? kwh / it : 0);
        if (it == 0 && e->rated_w[site] > 0) /* nothing has accelerators: what the facility draws by itself goes by ratings */
            own_kwh = kwh * (orr_power_rated_w(w, &w->pools[pools[i]]) / e->rated_w[site]);
        add(&e->bin[pools[i]], (orr_draw){own_it, own_kwh, own_kwh * kg_per_kwh, own_kwh * yuan_per_kwh});
        e->work[pools[i]].decode_ns += own->decode_ns;
        e->work[pools[i]].prompt_ns += own->prompt_ns;
        e->work[pools[i]].held_ns += own->held_ns;
    }
}

orr_draw orr_electricity_take(orr_electricity *e, uint32_t pool)
{
    orr_draw taken = e->bin[pool];
    add(&e->run[pool], taken);
    e->bin[pool] = (orr_draw){0};
    return taken;
}

/* `part` of `whole` in parts per thousand million, which is the whole when they agree. */
static void compare(orr_audit *a, const char *name, double part, double whole)
{
    const double billion = 1e9;
    orr_audit_add(a, name, whole > 0 ? llround(billion * fmin(part / whole, billion)) : llround(billion * part), whole > 0 ? llround(billion) : 0);
}

void orr_electricity_audit(const orr_electricity *e, int64_t width_ns, orr_audit *a)
{
    const orr_world *w = e->world;
    orr_draw pools = {0}, sites = {0};
    double from_times = 0, width = (double)width_ns;
    uint32_t below_idle = 0;
    for (uint32_t p = 0; p < w->pool_count; p++)
        add(&pools, e->run[p]);
    for (uint32_t s = 0; s < w->used_count; s++) {
        double it = 0, idle = 0;
        for (uint32_t i = w->site_pool_start[s]; i < w->site_pool_start[s + 1]; i++) {
            const orr_pool *p = &w->pools[w->site_pools[i]];
            const orr_work *work = &e->work[w->site_pools[i]];
            it += orr_power_it_kwh(w, p, work->held_ns, work->decode_ns, work->prompt_ns);
            idle += orr_power_it_kwh(w, p, work->held_ns, 0, 0);
        }
        from_times += orr_power_site_kwh(&w->sites[s], e->rated_w[s], it, width);
        below_idle += e->site[s].kwh < (1 - 1e-9) * orr_power_site_kwh(&w->sites[s], e->rated_w[s], idle, width);
        add(&sites, e->site[s]);
    }
    compare(a, "energy: pools by bin = sites from their replicas' times over the run (parts in 10^9)", pools.kwh, from_times);
    compare(a, "energy, its price: pools = sites (parts in 10^9)", pools.yuan, sites.yuan);
    compare(a, "energy, its carbon: pools = sites (parts in 10^9)", pools.carbon_kg, sites.carbon_kg);
    orr_audit_add(a, "energy: sites that drew less than they draw when idle", below_idle, 0);
}
