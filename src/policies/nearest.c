/* Nearest: the pool with the least network delay whose load, as far as known, is below `spill` requests per slot; if all are
 * fuller, the nearest of all. */
#include "policies/load.h"
#include "policies/policies.h"

static const orr_policy_option options_of[] = {
    {"spill", 1.0, 0.01, 1e9, "load per slot from which the next nearest pool is tried; very large: never"},
};

static void route(void *state, const orr_policy_host *host, const orr_policy_world *world, const orr_policy_view *view,
                  const orr_policy_request *request, const double *options, orr_decision *decision)
{
    (void)state, (void)host;
    uint32_t nearest = request->candidates[0], free = UINT32_MAX;
    for (uint32_t i = 0; i < request->candidate_count; i++) {
        uint32_t row = request->candidates[i];
        if (world->row_delay_ns[row] < world->row_delay_ns[nearest])
            nearest = row;
        if ((double)orr_seen_load(view, row) < options[0] * world->row_slots[row] &&
            (free == UINT32_MAX || world->row_delay_ns[row] < world->row_delay_ns[free]))
            free = row;
    }
    decision->row = free != UINT32_MAX ? free : nearest;
}

const orr_policy orr_policy_nearest = {.size = sizeof(orr_policy),
                                       .abi = ORR_POLICY_ABI,
                                       .name = "nearest",
                                       .summary = "least network delay, passing over pools that look full",
                                       .options = options_of,
                                       .option_count = 1,
                                       .route = route};
