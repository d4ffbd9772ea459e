#include "policies/policies.h"

static const orr_policy *const all[] = {
    &orr_policy_random,  &orr_policy_weighted_round_robin, &orr_policy_nearest, &orr_policy_least_expected_latency, &orr_policy_join_shortest_queue,
    &orr_policy_power_of_d, &orr_policy_cost_first, &orr_policy_prefix_aware, &orr_policy_oracle,
};

const orr_policy *const *orr_policies(size_t *count)
{
    *count = sizeof all / sizeof *all;
    return all;
}
