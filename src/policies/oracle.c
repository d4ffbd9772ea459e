/* Oracle: the least loaded pool by the true state of every pool at this instant, requests under way included; of equal ones the nearest. Nothing can know that: the distance to it
 * (the regret) is the price that a policy pays for old and partial knowledge. It is no optimum: it does not look ahead, and it takes load per place for what a
 * request will wait, as join_shortest_queue does, because that estimate fails least when it is exact. */
#include "policies/load.h"
#include "policies/policies.h"

static void route(void *state, const orr_policy_host *host, const orr_policy_world *world, const orr_policy_view *view,
                  const orr_policy_request *request, const double *options, orr_decision *decision)
{
    (void)state, (void)view, (void)options;
    uint32_t best = request->candidates[0];
    orr_policy_row seen = host->look(host->context, best);
    uint64_t least = orr_row_load(&seen);
    for (uint32_t i = 1; i < request->candidate_count; i++) {
        uint32_t row = request->candidates[i];
        seen = host->look(host->context, row);
        uint64_t load = orr_row_load(&seen);
        int order = orr_compare_load(load, world->row_slots[row], least, world->row_slots[best]);
        if (order < 0 || (order == 0 && world->row_delay_ns[row] < world->row_delay_ns[best])) {
            best = row;
            least = load;
        }
    }
    decision->row = best;
}

const orr_policy orr_policy_oracle = {.size = sizeof(orr_policy),
                                      .abi = ORR_POLICY_ABI,
                                      .name = "oracle",
                                      .summary = "least true load per slot, seen at this instant: no policy that can exist, but a bound for those that do",
                                      .route = route,
                                      .looks = 1,
                                      .sees_truth = 1};
