/* Join the shortest queue: least requests per slot over all candidates, as reported; ties are broken uniformly. With old reports every
 * observer runs to the same pool (Mitzenmacher, "How useful is old information?", IEEE TPDS 11(1), 2000). */
#include "policies/load.h"
#include "policies/policies.h"

static int compare(const orr_policy_world *world, const orr_policy_view *view, uint32_t a, uint32_t b)
{
    return orr_compare_load(orr_seen_load(view, a), world->row_slots[a], orr_seen_load(view, b), world->row_slots[b]);
}

static void route(void *state, const orr_policy_host *host, const orr_policy_world *world, const orr_policy_view *view,
                  const orr_policy_request *request, const double *options, orr_decision *decision)
{
    (void)state, (void)options;
    uint32_t best = request->candidates[0], ties = 1;
    for (uint32_t i = 1; i < request->candidate_count; i++) {
        int order = compare(world, view, request->candidates[i], best);
        if (order < 0) {
            best = request->candidates[i];
            ties = 1;
        }
        ties += order == 0;
    }
    uint32_t chosen = ties == 1 ? 0 : orr_pick(host->draw(host->context, request, 0), ties);
    for (uint32_t i = 0; ties > 1 && i < request->candidate_count; i++)
        if (compare(world, view, request->candidates[i], best) == 0 && chosen-- == 0) {
            best = request->candidates[i];
            break;
        }
    decision->row = best;
}

const orr_policy orr_policy_join_shortest_queue = {.size = sizeof(orr_policy),
                                                   .abi = ORR_POLICY_ABI,
                                                   .name = "join_shortest_queue",
                                                   .summary = "least reported load per slot over all permitted pools",
                                                   .route = route};
