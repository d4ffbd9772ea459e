/* Least expected latency: network both ways, expected wait, prompt and answer, from the reports and the pools' own speeds. */
#include "policies/load.h"
#include "policies/policies.h"

#include <math.h>

static void route(void *state, const orr_policy_host *host, const orr_policy_world *world, const orr_policy_view *view,
                  const orr_policy_request *request, const double *options, orr_decision *decision)
{
    (void)state, (void)host, (void)options;
    double least = INFINITY;
    for (uint32_t i = 0; i < request->candidate_count; i++) {
        orr_policy_row seen = orr_view_row(view, request->candidates[i]);
        double total = orr_expected_total_ns(world, &seen, request, request->candidates[i]);
        if (total < least) {
            least = total;
            decision->row = request->candidates[i];
        }
    }
}

const orr_policy orr_policy_least_expected_latency = {.size = sizeof(orr_policy),
                                                      .abi = ORR_POLICY_ABI,
                                                      .name = "least_expected_latency",
                                                      .summary = "least sum of network, expected wait, prompt and answer",
                                                      .route = route};
