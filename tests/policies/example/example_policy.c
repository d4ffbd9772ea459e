/* Least loaded nearby: of the candidates within a circle of network delay, the one with the least requests per slot. Near ones
 * answer sooner, and a circle keeps one far and empty pool from drawing everybody. When nothing lies within, the nearest. */
#include <orrery/policy.h>

static const orr_policy_option options_of[] = {
    {.name = "circle_ms", .fallback = 10, .low = 0, .high = 1000, .meaning = "one-way network delay within which pools are compared, ms"},
};

static double load(const orr_policy_world *world, const orr_policy_view *view, uint32_t row)
{
    return ((double)view->running[row] + view->waiting[row] + view->own[row] + 1) / world->row_slots[row];
}

static void route(void *state, const orr_policy_host *host, const orr_policy_world *world, const orr_policy_view *view, const orr_policy_request *request,
                  const double *options, orr_decision *decision)
{
    uint32_t nearest = request->candidates[0], best = nearest, inside = 0;
    (void)state, (void)host;
    for (uint32_t i = 0; i < request->candidate_count; i++) {
        uint32_t row = request->candidates[i];
        if (world->row_delay_ns[row] < world->row_delay_ns[nearest])
            nearest = row;
        if ((double)world->row_delay_ns[row] > options[0] * 1e6)
            continue;
        if (inside++ == 0 || load(world, view, row) < load(world, view, best))
            best = row;
    }
    decision->action = ORR_ROUTE;
    decision->row = inside > 0 ? best : nearest;
}

static const orr_policy policy = {
    .size = sizeof(orr_policy),
    .abi = ORR_POLICY_ABI,
    .name = "least_loaded_nearby",
    .summary = "least loaded pool within a circle of network delay",
    .options = options_of,
    .option_count = 1,
    .route = route,
};

const orr_policy *orr_policy_entry(void);
const orr_policy *orr_policy_entry(void) { return &policy; }
