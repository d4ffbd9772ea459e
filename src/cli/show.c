/* orrery show: a scenario as the program understands it. */
#include "base/time.h"
#include "cli/cli.h"
#include "cli/columns.h"
#include "net/routes.h"
#include "serve/roofline.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONTEXT = 1000 }; /* tokens behind each sequence where a decode time is shown */

typedef struct show_arguments {
    orr_scenario_arguments scenario;
    const char            *what;
} show_arguments;

static const char *const site_kinds[] = {"hub", "province", "metro", "edge", "overseas", "landing", "transit"};

/* --- the tables --- */

static bool show_scenario(const orr_world *w)
{
    fputs(w->text, stdout);
    return true;
}

static bool show_sites(const orr_world *w)
{
    orr_columns c;
    orr_columns_init(&c, 6);
    static const char *const heads[] = {"site", "kind", "country", "clients", "pools", "accelerators"};
    for (int i = 0; i < 6; i++)
        orr_columns_add(&c, "%s", heads[i]);
    for (uint32_t s = 0; s < w->used_count; s++) {
        uint64_t clients = 0, accelerators = 0;
        for (uint32_t k = w->site_cohort_start[s]; k < w->site_cohort_start[s + 1]; k++)
            clients += w->cohorts[k].clients;
        for (uint32_t k = w->site_pool_start[s]; k < w->site_pool_start[s + 1]; k++) {
            const orr_pool *p = &w->pools[w->site_pools[k]];
            accelerators += p->accelerator == ORR_NONE ? 0 : (uint64_t)p->group * p->at_start;
        }
        orr_columns_add(&c, "%s", w->sites[s].id);
        orr_columns_add(&c, "%s", site_kinds[w->sites[s].kind]);
        orr_columns_add(&c, "%s", w->sites[s].country);
        orr_columns_add(&c, "%llu", (unsigned long long)clients);
        orr_columns_add(&c, "%u", w->site_pool_start[s + 1] - w->site_pool_start[s]);
        orr_columns_add(&c, "%llu", (unsigned long long)accelerators);
    }
    printf("Sites in use: %u of %u\n", w->used_count, w->site_count);
    return orr_columns_print(&c, "lllr", NULL, NULL);
}

static double milliseconds(int64_t quanta) { return ldexp((double)quanta, -ORR_QUANTUM_BITS) / ORR_MILLISECOND; }

/* Time per output token with one sequence, and with the full batch (or as many as the cache holds). */
static bool add_decode(orr_columns *c, const orr_world *w, const orr_pool *p)
{
    if (w->services[p->service].kind != ORR_SERVICE_LLM) {
        orr_columns_add(c, "-");
        orr_columns_add(c, "-");
        return true;
    }
    orr_roofline r;
    if (!orr_roofline_build(&r, w, p))
        return false;
    int64_t fit = p->kv_tokens / CONTEXT;
    uint32_t full = fit < 1 ? 1 : fit < p->max_batch ? (uint32_t)fit : p->max_batch;
    orr_columns_add(c, "%.2f", milliseconds(orr_roofline_step(&r, 1, CONTEXT)));
    orr_columns_add(c, "%.2f", milliseconds(orr_roofline_step(&r, full, CONTEXT)));
    orr_roofline_destroy(&r);
    return true;
}

/* Prices at the start of the run. */
static void add_prices(orr_columns *c, const orr_world *w, uint32_t pool)
{
    static const int kinds[] = {ORR_INPUT, ORR_CACHED_INPUT, ORR_OUTPUT};
    uint32_t model = w->services[w->pools[pool].service].model, tariff = model == ORR_NONE ? ORR_NONE : orr_world_tariff(w, model, 0);
    for (int i = 0; i < 3; i++)
        if (tariff == ORR_NONE)
            orr_columns_add(c, "-");
        else
            orr_columns_add(c, "%.4g", (double)orr_world_price(w, pool, tariff, kinds[i]) * 1e-9);
}

static bool show_pools(const orr_world *w)
{
    static const char *const heads[] = {"pool", "accelerator", "group", "replicas", "slots", "kv tokens", "ms at 1", "ms full", "in", "cached", "out"};
    enum { HEADS = sizeof heads / sizeof *heads };
    orr_columns c;
    bool ok = true;
    orr_columns_init(&c, HEADS);
    for (int i = 0; i < HEADS; i++)
        orr_columns_add(&c, "%s", heads[i]);
    for (uint32_t i = 0; i < w->pool_count; i++) {
        const orr_pool *p = &w->pools[i];
        orr_columns_add(&c, "%s", p->id);
        orr_columns_add(&c, "%s", p->accelerator == ORR_NONE ? "-" : w->accelerators[p->accelerator].name);
        orr_columns_add(&c, "%u", p->group);
        orr_columns_add(&c, "%u", p->replicas);
        orr_columns_add(&c, "%u", p->slots);
        orr_columns_add(&c, "%lld", (long long)p->kv_tokens);
        ok &= add_decode(&c, w, p);
        add_prices(&c, w, i);
    }
    c.failed |= !ok;
    printf("Pools: %u (kv tokens of a replica; ms per output token with one sequence and with a full batch, %d tokens behind each;\n"
           "yuan per million tokens at the start: input, cached input, output)\n",
           w->pool_count, CONTEXT);
    return orr_columns_print(&c, "llr", NULL, NULL);
}

static bool show_links(const orr_world *w)
{
    static const char *const heads[] = {"a", "b", "km", "ms one way", "Gbit/s", ""};
    orr_columns c;
    orr_columns_init(&c, 6);
    for (int i = 0; i < 6; i++)
        orr_columns_add(&c, "%s", heads[i]);
    for (uint32_t i = 0; i < w->link_count; i++) {
        const orr_link *l = &w->links[i];
        orr_columns_add(&c, "%s", w->sites[l->a].id);
        orr_columns_add(&c, "%s", w->sites[l->b].id);
        orr_columns_add(&c, "%.0f", l->km);
        orr_columns_add(&c, "%.3f", (double)l->delay_ns / ORR_MILLISECOND);
        orr_columns_add(&c, "%.4g", l->capacity_bit_s / 1e9);
        orr_columns_add(&c, "%s", l->submarine ? "submarine" : "");
    }
    printf("Links: %u\n", w->link_count);
    return orr_columns_print(&c, "llrrrl", NULL, NULL);
}

static bool show_round_trips(const orr_world *w)
{
    orr_problems problems = {0};
    orr_routes routes;
    orr_status status = orr_routes_build(&routes, w, &problems);
    if (status != ORR_OK) {
        problems.out_of_memory |= status == ORR_NO_MEMORY;
        orr_cli_problems(&problems);
        return false;
    }
    orr_columns c;
    orr_columns_init(&c, w->compute_count + 1);
    orr_columns_add(&c, "ingress");
    for (uint32_t k = 0; k < w->compute_count; k++)
        orr_columns_add(&c, "%s", w->sites[w->compute_sites[k]].id);
    for (uint32_t i = 0; i < w->ingress_count; i++) {
        orr_columns_add(&c, "%s", w->sites[w->ingress_sites[i]].id);
        for (uint32_t k = 0; k < w->compute_count; k++)
            orr_columns_add(&c, "%.1f", 2 * (double)routes.delay_ns[orr_route_pair(&routes, i, k)] / ORR_MILLISECOND);
    }
    printf("Round trips from ingress to compute site, ms (without the access network)\n");
    bool ok = orr_columns_print(&c, "lr", NULL, NULL);
    orr_routes_destroy(&routes);
    return ok;
}

static const struct {
    const char *name;
    bool (*show)(const orr_world *world);
} parts[] = {{"scenario", show_scenario}, {"sites", show_sites}, {"pools", show_pools}, {"links", show_links}, {"rtt", show_round_trips}};
enum { PARTS = sizeof parts / sizeof *parts };

/* --- the command --- */

static const struct argp_option options[] = {{"what", 'w', "PART", 0, "scenario, sites, pools, links or rtt (default: all of them)", 0}, {0}};

static error_t parse(int key, char *text, struct argp_state *state)
{
    show_arguments *a = state->input;
    const char *names[PARTS];
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &a->scenario; return 0;
    case 'w':
        for (int i = 0; i < PARTS; i++) {
            names[i] = parts[i].name;
            if (strcmp(text, parts[i].name) == 0)
                a->what = text;
        }
        if (a->what != text && strcmp(text, "all") != 0) {
            const char *near = orr_nearest(text, names, PARTS);
            argp_error(state, "--what: there is no `%s`%s%s%s", text, near ? ", did you mean `" : "; it is scenario, sites, pools, links or rtt", near ? near : "", near ? "`?" : "");
        }
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

int orr_cli_show(int argc, char **argv)
{
    static const struct argp_child children[] = {{&orr_scenario_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {options, parse, NULL, "Prints a scenario with every default filled in, and the tables that follow from it.", children, NULL, NULL};
    show_arguments a = {0};
    argp_err_exit_status = ORR_EXIT_BAD_INPUT;
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    orr_world *world = orr_cli_world(&a.scenario);
    if (world == NULL)
        return ORR_EXIT_BAD_INPUT;
    bool ok = true;
    for (int i = 0; ok && i < PARTS; i++) {
        if (a.what != NULL && strcmp(a.what, parts[i].name) != 0)
            continue;
        if (a.what == NULL && i > 0)
            putchar('\n');
        ok = parts[i].show(world);
    }
    orr_world_destroy(world);
    return ok ? ORR_EXIT_DONE : ORR_EXIT_BAD_INPUT;
}
