#include "grid/partition.h"

#include "base/time.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How much heavier than the mean the heaviest lane may become for the sake of longer windows. */
static const double IMBALANCE = 1.06;

/* Requests per lane and window from which another thread pays: measured on the national day, two cores (bench/threads.sh). */
static const double WORTHWHILE = 0.8;

typedef struct pair {
    int64_t  delay_ns;
    uint32_t a, b;
} pair;

typedef struct cluster_mass {
    double   mass;
    uint32_t root;
} cluster_mass;

typedef struct work {
    uint32_t  sites, lanes;
    pair     *pairs;
    size_t    pair_count;
    double   *weight;    /* per site */
    uint32_t *cluster;   /* per site: union-find */
    double   *mass;      /* per cluster root */
    double   *load;      /* per lane */
    cluster_mass *root;  /* the clusters, heaviest first */
    uint32_t *lane_of_root;
} work;

static int by_delay(const void *x, const void *y)
{
    const pair *a = x, *b = y;
    if (a->delay_ns != b->delay_ns)
        return a->delay_ns < b->delay_ns ? -1 : 1;
    return a->a != b->a ? (a->a < b->a ? -1 : 1) : (a->b < b->b ? -1 : a->b > b->b);
}

static int by_mass(const void *x, const void *y)
{
    const cluster_mass *a = x, *b = y;
    if (a->mass != b->mass)
        return a->mass > b->mass ? -1 : 1;
    return a->root < b->root ? -1 : 1;
}

static uint32_t find(uint32_t *cluster, uint32_t site)
{
    while (cluster[site] != site)
        site = cluster[site] = cluster[cluster[site]];
    return site;
}

/* Requests per ns, on average. */
static double rate_of(const orr_world *w, const orr_cohort *c)
{
    if (c->trace_count == 0)
        return c->rate_per_ns * w->classes[c->class_].turns;
    int64_t last = w->traces[c->trace + c->trace_count - 1].at_ns;
    return (double)c->trace_count / (double)(last > 0 ? last : 1);
}

/* What passes through a site: its clients' requests and its pools' places, each as a share of all. */
static void weigh(work *k, const orr_world *w)
{
    double arrivals = 0, slots = 0;
    for (uint32_t c = 0; c < w->cohort_count; c++)
        arrivals += rate_of(w, &w->cohorts[c]);
    for (uint32_t p = 0; p < w->pool_count; p++)
        slots += w->pools[p].slots;
    for (uint32_t c = 0; c < w->cohort_count; c++)
        k->weight[w->cohorts[c].site] += arrivals > 0 ? rate_of(w, &w->cohorts[c]) / arrivals : 1;
    for (uint32_t p = 0; p < w->pool_count; p++)
        k->weight[w->pools[p].site] += w->pools[p].slots / slots;
}

static void list_pairs(work *k, const orr_world *w, const orr_routes *routes)
{
    for (uint32_t i = 0; i < w->ingress_count; i++)
        for (uint32_t c = 0; c < w->compute_count; c++)
            if (w->ingress_sites[i] != w->compute_sites[c])
                k->pairs[k->pair_count++] = (pair){routes->delay_ns[orr_route_pair(routes, i, c)], w->ingress_sites[i], w->compute_sites[c]};
    qsort(k->pairs, k->pair_count, sizeof *k->pairs, by_delay);
}

/* Merges the first `merged` pairs and deals the clusters out, the heaviest first, each to the lightest lane. Returns the heaviest lane over the mean. */
static double deal(work *k, size_t merged)
{
    uint32_t roots = 0;
    double total = 0, most = 0;
    for (uint32_t s = 0; s < k->sites; s++) {
        k->cluster[s] = s;
        k->mass[s] = 0;
    }
    for (size_t i = 0; i < merged; i++)
        k->cluster[find(k->cluster, k->pairs[i].a)] = find(k->cluster, k->pairs[i].b);
    for (uint32_t s = 0; s < k->sites; s++) {
        uint32_t r = find(k->cluster, s);
        k->mass[r] += k->weight[s];
        total += k->weight[s];
    }
    for (uint32_t s = 0; s < k->sites; s++)
        if (find(k->cluster, s) == s)
            k->root[roots++] = (cluster_mass){k->mass[s], s};
    qsort(k->root, roots, sizeof *k->root, by_mass);
    memset(k->load, 0, k->lanes * sizeof *k->load);
    for (uint32_t i = 0; i < roots; i++) {
        uint32_t lightest = 0;
        for (uint32_t l = 1; l < k->lanes; l++)
            if (k->load[l] < k->load[lightest])
                lightest = l;
        k->lane_of_root[k->root[i].root] = lightest;
        k->load[lightest] += k->root[i].mass;
    }
    for (uint32_t l = 0; l < k->lanes; l++)
        most = k->load[l] > most ? k->load[l] : most;
    return total > 0 ? most * k->lanes / total : 1;
}

/* The most merges that still balance, by bisection. Sites that are joined without delay cannot be parted. */
static void choose(work *k, orr_partition *p)
{
    size_t low = 0, high = k->pair_count;
    while (low < high && k->pairs[low].delay_ns <= 0)
        low++;
    double allowed = deal(k, low) * IMBALANCE;
    while (low < high) {
        size_t middle = low + (high - low + 1) / 2;
        if (deal(k, middle) <= allowed)
            low = middle;
        else
            high = middle - 1;
    }
    deal(k, low);
    for (uint32_t s = 0; s < k->sites; s++)
        p->lane_of[s] = k->lane_of_root[find(k->cluster, s)];
    for (size_t i = 0; i < k->pair_count; i++)
        if (p->lane_of[k->pairs[i].a] != p->lane_of[k->pairs[i].b]) {
            p->lookahead_ns = k->pairs[i].delay_ns;
            break;
        }
}

bool orr_partition_cut(orr_partition *p, const orr_world *w, const orr_routes *routes, uint32_t lanes)
{
    size_t n = w->used_count + 1;
    *p = (orr_partition){.lane_of = calloc(n, sizeof *p->lane_of), .lanes = lanes, .lookahead_ns = ORR_NEVER, .window_requests = HUGE_VAL};
    if (lanes == 1 || p->lane_of == NULL)
        return p->lane_of != NULL;
    work k = {.sites = w->used_count, .lanes = lanes};
    k.pairs = calloc((size_t)w->ingress_count * w->compute_count + 1, sizeof *k.pairs);
    k.weight = calloc(n, sizeof *k.weight);
    k.cluster = calloc(n, sizeof *k.cluster);
    k.mass = calloc(n, sizeof *k.mass);
    k.load = calloc(lanes, sizeof *k.load);
    k.root = calloc(n, sizeof *k.root);
    k.lane_of_root = calloc(n, sizeof *k.lane_of_root);
    bool ok = k.pairs && k.weight && k.cluster && k.mass && k.load && k.root && k.lane_of_root;
    if (ok) {
        weigh(&k, w);
        list_pairs(&k, w, routes);
        choose(&k, p);
        double rate = 0;
        for (uint32_t c = 0; c < w->cohort_count; c++)
            rate += rate_of(w, &w->cohorts[c]);
        if (p->lookahead_ns != ORR_NEVER) {
            p->window_requests = rate * (double)p->lookahead_ns / lanes;
        } else { /* all that meet are on one lane */
            p->lanes = 1;
            memset(p->lane_of, 0, n * sizeof *p->lane_of);
        }
    } else {
        free(p->lane_of);
        p->lane_of = NULL;
    }
    void *const owned[] = {k.pairs, k.weight, k.cluster, k.mass, k.load, k.root, k.lane_of_root};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    return ok;
}

bool orr_partition_worthwhile(orr_partition *p, const orr_world *w, const orr_routes *routes, uint32_t most)
{
    for (uint32_t lanes = most < w->used_count ? most : w->used_count;;) {
        if (!orr_partition_cut(p, w, routes, lanes > 1 ? lanes : 1))
            return false;
        if (p->lanes == 1 || p->window_requests >= WORTHWHILE)
            return true;
        uint32_t fewer = (uint32_t)(p->window_requests * lanes / WORTHWHILE); /* as many as windows of this length are enough for */
        lanes = fewer < lanes ? fewer : lanes - 1;
        free(p->lane_of);
    }
}
