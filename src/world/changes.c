/* What changes while a scenario runs: planned numbers of replicas, and failures. */
#include "base/random.h"
#include "base/time.h"
#include "world/builder.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Can replicas move from one to the other? */
static bool can_swap(const orr_pool *a, const orr_pool *b) { return a->site == b->site && a->accelerator == b->accelerator && a->group == b->group && a->accelerator != ORR_NONE; }

static void plans(orr_builder *b)
{
    const orr_node *list = orr_node_get(b->root, "plan");
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        const orr_node *n = list->child[i];
        if (!orr_has(n, "pool") || !orr_has(n, "replicas"))
            continue;
        uint32_t pool = orr_find(b, &b->pools, orr_text(n, "pool"), "pool", orr_where_of(n, "pool"));
        uint32_t to = orr_has(n, "to") && *orr_text(n, "to") ? orr_find(b, &b->pools, orr_text(n, "to"), "pool", orr_where_of(n, "to")) : ORR_NONE;
        if (pool == ORR_NONE)
            continue;
        orr_pool *p = orr_array_at(&b->pools, pool);
        double target = nearbyint((double)orr_integer(n, "replicas") * b->world->scale);
        orr_plan plan = {.at_ns = orr_integer(n, "at"), .pool = pool, .replicas = (uint32_t)fmin(target, 1e7), .to = to, .evict = orr_integer(n, "how") == 1};
        if (to != ORR_NONE) {
            const orr_pool *other = orr_array_at(&b->pools, to);
            if (to == pool || !can_swap(p, other))
                orr_problem(b->problems, orr_where_of(n, "to"), "replicas can move to another pool at the same site, with as many of the same accelerators each; pool `%s` is not one", other->id);
        }
        *(orr_plan *)orr_append(b, &b->plans) = plan;
    }
}

/* All replicas that there can ever be in a pool and those that can move to it: what they begin with, and what each plan adds at most. */
static double cards_around(const orr_builder *b, const orr_pool *to)
{
    double sum = 0;
    for (uint32_t i = 0; i < b->pools.count; i++) {
        const orr_pool *p = orr_array_at(&b->pools, i);
        sum += can_swap(p, to) ? p->at_start : 0;
    }
    for (uint32_t i = 0; i < b->plans.count; i++) {
        const orr_plan *plan = orr_array_at(&b->plans, i);
        sum += can_swap(orr_array_at(&b->pools, plan->pool), to) ? plan->replicas : 0;
    }
    return sum;
}

/* How many replicas each pool needs room for. */
static void make_room(orr_builder *b)
{
    for (uint32_t i = 0; i < b->plans.count; i++) {
        const orr_plan *plan = orr_array_at(&b->plans, i);
        orr_pool *p = orr_array_at(&b->pools, plan->pool), *to = plan->to == ORR_NONE ? NULL : orr_array_at(&b->pools, plan->to);
        p->replicas = plan->replicas > p->replicas ? plan->replicas : p->replicas;
        if (to != NULL) /* whatever leaves other pools may come to it */
            to->replicas = (uint32_t)fmin(cards_around(b, to), 1e9);
    }
}

static bool is_at(const orr_builder *b, const orr_node *sites, uint32_t site)
{
    for (size_t i = 0; i < sites->count; i++)
        if (strcmp(sites->child[i]->text, ((orr_site_info *)orr_array_at(&b->sites, site))->id) == 0)
            return true;
    return sites->count == 0;
}

static void failures(orr_builder *b)
{
    const orr_node *list = orr_node_get(b->root, "failures");
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        const orr_node *n = list->child[i], *sites = orr_node_get(n, "sites");
        if (!orr_has(n, "name"))
            continue;
        orr_failure f = {.name = orr_text(n, "name"), .scope = (orr_failure_scope)orr_integer(n, "of"), .at_ns = orr_integer(n, "at"), .mtbf_ns = (double)orr_integer(n, "mtbf"),
                         .mttr_ns = (double)orr_integer(n, "mttr"), .cv = orr_number(n, "cv"), .node = (uint32_t)orr_integer(n, "node"), .detection_ns = orr_integer(n, "detection")};
        f.entity = orr_entity(f.name);
        f.together = orr_integer(n, "together") != 0;
        if (orr_integer(n, "mtbf") == ORR_NEVER && f.at_ns == ORR_NEVER)
            orr_problem(b->problems, n->where, "the failure `%s` needs a `mtbf`, or the time `at` which it happens", f.name);
        for (size_t s = 0; sites != NULL && s < sites->count; s++)
            orr_find(b, &b->sites, sites->child[s]->text, "site", sites->child[s]->where);
        f.sites = b->failure_sites.count;
        for (uint32_t s = 0; s < b->sites.count; s++)
            if (sites == NULL || is_at(b, sites, s)) {
                *(uint32_t *)orr_append(b, &b->failure_sites) = s;
                f.site_count++;
            }
        for (uint32_t k = 0; k < b->failures.count; k++)
            if (strcmp(((orr_failure *)orr_array_at(&b->failures, k))->name, f.name) == 0)
                orr_problem(b->problems, orr_where_of(n, "name"), "duplicate failure `%s`", f.name);
        *(orr_failure *)orr_append(b, &b->failures) = f;
    }
}

void orr_build_changes(orr_builder *b)
{
    plans(b);
    make_room(b);
    failures(b);
}
