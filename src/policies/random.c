/* Random: each place with the same probability, so a pool in proportion to its slots. Sees nothing, so the age of state cannot matter. */
#include "policies/load.h"
#include "policies/policies.h"

static void route(void *state, const orr_policy_host *host, const orr_policy_world *world, const orr_policy_view *view,
                  const orr_policy_request *request, const double *options, orr_decision *decision)
{
    (void)state, (void)world, (void)view, (void)options;
    decision->row = orr_sample(host, request, 0);
}

const orr_policy orr_policy_random = {
    .size = sizeof(orr_policy), .abi = ORR_POLICY_ABI, .name = "random", .summary = "a permitted pool with probability in proportion to its slots",
    .route = route, .looks = 1};
