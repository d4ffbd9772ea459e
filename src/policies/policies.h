/** Built-in policies: one file each, found through this list. */
#ifndef ORRERY_POLICIES_POLICIES_H
#define ORRERY_POLICIES_POLICIES_H

#include "orrery/policy.h"

/** All of them, in the order of the documentation. */
const orr_policy *const *orr_policies(size_t *count);

extern const orr_policy orr_policy_random, orr_policy_weighted_round_robin, orr_policy_nearest, orr_policy_least_expected_latency,
    orr_policy_join_shortest_queue, orr_policy_power_of_d, orr_policy_cost_first, orr_policy_prefix_aware, orr_policy_oracle;

#endif
