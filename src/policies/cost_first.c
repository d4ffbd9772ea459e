/* Cost first under an SLO: the cheapest candidate that is expected to meet the class's bounds with some margin; if none is, the one
 * expected to be fastest. The price of a request is its prompt and its expected answer at the prices now in force. */
#include "policies/load.h"
#include "policies/policies.h"

static const orr_policy_option options_of[] = {{"margin", 0.8, 0.01, 1, "share of the SLO that the expectation may use up"}};

static double price(const orr_policy_view *view, const orr_policy_request *request, uint32_t row)
{
    return (double)view->price[1][row] * request->input_tokens + (double)view->price[2][row] * request->expected_output_tokens;
}

static void route(void *state, const orr_policy_host *host, const orr_policy_world *world, const orr_policy_view *view,
                  const orr_policy_request *request, const double *options, orr_decision *decision)
{
    (void)state, (void)host;
    uint32_t cheapest = UINT32_MAX, fastest = UINT32_MAX;
    double least_price = 0, least_total = 0, price_total = 0;
    for (uint32_t i = 0; i < request->candidate_count; i++) {
        uint32_t row = request->candidates[i];
        orr_policy_row seen = orr_view_row(view, row);
        double total = orr_expected_total_ns(world, &seen, request, row), first = orr_expected_first_ns(world, &seen, request, row);
        if (fastest == UINT32_MAX || total < least_total) {
            fastest = row;
            least_total = total;
        }
        if (first > options[0] * (double)request->slo_first_token_ns || total > options[0] * (double)request->slo_total_ns ||
            orr_seen_load(view, row) >= world->row_slots[row])
            continue;
        double cost = price(view, request, row);
        if (cheapest == UINT32_MAX || cost < least_price || (cost <= least_price && total < price_total)) {
            cheapest = row;
            least_price = cost;
            price_total = total;
        }
    }
    decision->row = cheapest != UINT32_MAX ? cheapest : fastest;
}

const orr_policy orr_policy_cost_first = {.size = sizeof(orr_policy),
                                          .abi = ORR_POLICY_ABI,
                                          .name = "cost_first",
                                          .summary = "cheapest pool expected to meet the SLO",
                                          .options = options_of,
                                          .option_count = 1,
                                          .route = route};
