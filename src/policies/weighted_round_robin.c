/* Weighted round robin, smooth: each row gains its weight (its slots), the richest is chosen and pays the sum of weights. Any
 * stretch of decisions is spread as evenly as integers allow. (The algorithm of nginx, 2012.) The counters are local to the observer. */
#include "policies/policies.h"

static size_t state_size(const orr_policy_world *world) { return world->rows * sizeof(int64_t); }

static void route(void *state, const orr_policy_host *host, const orr_policy_world *world, const orr_policy_view *view,
                  const orr_policy_request *request, const double *options, orr_decision *decision)
{
    (void)host, (void)view, (void)options;
    int64_t *credit = state, sum = 0;
    uint32_t best = request->candidates[0];
    for (uint32_t i = 0; i < request->candidate_count; i++) {
        uint32_t row = request->candidates[i];
        credit[row] += world->row_slots[row];
        sum += world->row_slots[row];
        if (credit[row] > credit[best])
            best = row;
    }
    credit[best] -= sum;
    decision->row = best;
}

const orr_policy orr_policy_weighted_round_robin = {.size = sizeof(orr_policy),
                                                    .abi = ORR_POLICY_ABI,
                                                    .name = "weighted_round_robin",
                                                    .summary = "in turn, in proportion to the pools' slots",
                                                    .state_size = state_size,
                                                    .route = route,
                                                    .looks = 1};
