#include "net/routes.h"

#include <igraph/igraph.h>
#include <math.h>
#include <stdlib.h>

/* The topology as igraph wants it: an undirected graph whose edge i is link i, weighted by propagation plus one hop. */
typedef struct topology {
    igraph_t            graph;
    igraph_vector_t     weights;
    igraph_vector_int_t inbound; /* edge by which the shortest tree enters each vertex, -1 at the root and where it does not reach */
} topology;

static orr_status open_topology(topology *t, const orr_world *w)
{
    igraph_error_handler_t *before = igraph_set_error_handler(igraph_error_handler_ignore);
    igraph_vector_int_t ends;
    int failed = igraph_vector_int_init(&ends, 2 * (igraph_integer_t)w->link_count);
    if (failed == IGRAPH_SUCCESS) {
        for (uint32_t i = 0; i < w->link_count; i++) {
            VECTOR(ends)[2 * i] = w->links[i].a;
            VECTOR(ends)[2 * i + 1] = w->links[i].b;
        }
        failed = igraph_create(&t->graph, &ends, (igraph_integer_t)w->site_count, IGRAPH_UNDIRECTED);
        igraph_vector_int_destroy(&ends);
    }
    if (failed == IGRAPH_SUCCESS && (failed = igraph_vector_init(&t->weights, (igraph_integer_t)w->link_count)) != IGRAPH_SUCCESS)
        igraph_destroy(&t->graph);
    if (failed == IGRAPH_SUCCESS && (failed = igraph_vector_int_init(&t->inbound, 0)) != IGRAPH_SUCCESS) {
        igraph_vector_destroy(&t->weights);
        igraph_destroy(&t->graph);
    }
    for (uint32_t i = 0; failed == IGRAPH_SUCCESS && i < w->link_count; i++)
        VECTOR(t->weights)[i] = (double)(w->links[i].delay_ns + w->hop_ns);
    igraph_set_error_handler(before);
    return failed == IGRAPH_SUCCESS ? ORR_OK : ORR_NO_MEMORY;
}

static void close_topology(topology *t)
{
    igraph_vector_int_destroy(&t->inbound);
    igraph_vector_destroy(&t->weights);
    igraph_destroy(&t->graph);
}

/* Shortest tree from `root` into t->inbound. */
static orr_status tree_from(topology *t, uint32_t root)
{
    igraph_error_handler_t *before = igraph_set_error_handler(igraph_error_handler_ignore);
    igraph_warning_handler_t *warn = igraph_set_warning_handler(igraph_warning_handler_ignore); /* unreachable vertices are our own message */
    int failed = igraph_get_shortest_paths_dijkstra(&t->graph, NULL, NULL, root, igraph_vss_all(), &t->weights, IGRAPH_ALL, NULL, &t->inbound);
    igraph_set_warning_handler(warn);
    igraph_set_error_handler(before);
    return failed == IGRAPH_SUCCESS ? ORR_OK : ORR_NO_MEMORY;
}

/* Walks from `from` to the root of the tree, calling back per link; false when the tree does not reach `from`. */
static bool walk(const topology *t, const orr_world *w, uint32_t from, uint32_t root, int64_t *propagation_ns, double *km, orr_array *path, uint32_t *hops)
{
    for (uint32_t at = from; at != root;) {
        igraph_integer_t edge = VECTOR(t->inbound)[at];
        if (edge < 0)
            return false;
        const orr_link *l = &w->links[edge];
        *propagation_ns += l->delay_ns;
        *km += l->km;
        ++*hops;
        if (path != NULL) {
            uint32_t *slot = orr_array_extend(path, 1);
            if (slot == NULL)
                return false;
            *slot = (uint32_t)edge;
        }
        at = l->a == at ? l->b : l->a;
    }
    return true;
}

static int64_t one_way(const orr_world *w, int64_t propagation_ns, uint32_t hops) { return propagation_ns + hops * w->hop_ns + 2 * w->end_ns; }

orr_status orr_routes_build(orr_routes *routes, const orr_world *w, orr_problems *problems)
{
    size_t pairs = (size_t)w->ingress_count * w->compute_count;
    *routes = (orr_routes){.computes = w->compute_count};
    routes->delay_ns = calloc(pairs + 1, sizeof *routes->delay_ns);
    routes->km = calloc(pairs + 1, sizeof *routes->km);
    routes->hops = calloc(pairs + 1, sizeof *routes->hops);
    routes->path_start = calloc(pairs + 1, sizeof *routes->path_start);
    topology t;
    orr_array path;
    orr_array_init(&path, sizeof(uint32_t));
    if (!routes->delay_ns || !routes->km || !routes->hops || !routes->path_start || open_topology(&t, w) != ORR_OK) {
        orr_routes_destroy(routes);
        return ORR_NO_MEMORY;
    }
    orr_status status = ORR_OK;
    /* Trees are rooted at compute sites, of which there are fewer; delays are the same in both directions. */
    for (uint32_t c = 0; c < w->compute_count && status == ORR_OK; c++) {
        status = tree_from(&t, w->compute_sites[c]);
        for (uint32_t i = 0; i < w->ingress_count && status == ORR_OK; i++) {
            size_t pair = orr_route_pair(routes, i, c);
            int64_t propagation = 0;
            const orr_site_info *from = &w->sites[w->ingress_sites[i]], *to = &w->sites[w->compute_sites[c]];
            routes->path_start[pair] = path.count;
            if (walk(&t, w, w->ingress_sites[i], w->compute_sites[c], &propagation, &routes->km[pair], &path, &routes->hops[pair]))
                routes->delay_ns[pair] = one_way(w, propagation, routes->hops[pair]);
            else
                orr_problem(problems, to->where, "the topology is disconnected: no path between the clients at `%s` and the pools at `%s`", from->id, to->id);
        }
    }
    close_topology(&t);
    routes->path = path.items;
    if (status == ORR_OK && orr_problems_any(problems))
        status = ORR_BAD_INPUT;
    if (status != ORR_OK)
        orr_routes_destroy(routes);
    return status;
}

void orr_routes_destroy(orr_routes *routes)
{
    free(routes->delay_ns);
    free(routes->km);
    free(routes->hops);
    free(routes->path_start);
    free(routes->path);
    *routes = (orr_routes){0};
}

orr_status orr_routes_via(const orr_world *w, const uint32_t *stops, size_t count, int64_t *delay_ns, double *km, uint32_t *hops)
{
    topology t;
    int64_t propagation = 0;
    *km = 0;
    *hops = 0;
    orr_status status = open_topology(&t, w);
    if (status != ORR_OK)
        return status;
    for (size_t i = 0; i + 1 < count && status == ORR_OK; i++) {
        status = tree_from(&t, stops[i]);
        if (status == ORR_OK && !walk(&t, w, stops[i + 1], stops[i], &propagation, km, NULL, hops))
            status = ORR_BAD_INPUT;
    }
    close_topology(&t);
    *delay_ns = one_way(w, propagation, *hops);
    return status;
}
