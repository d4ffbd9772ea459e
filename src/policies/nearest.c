/* Nearest: the pool with the least network delay whose load, as far as known, is below `spill` requests per slot; if all are
 * fuller, the nearest of all. The state keeps the candidates of each class in the order of their delay, sorted when the class first
 * asks, so that a decision looks at the full ones that are nearer and at no others. */
#include "policies/load.h"
#include "policies/policies.h"

#include <stdlib.h>
#include <string.h>

static const orr_policy_option options_of[] = {
    {"spill", 1.0, 0.01, 1e9, "load per slot from which the next nearest pool is tried; very large: never"},
};

/* The state: for each class its number of candidates (0 until it has asked) and the rows, nearest first. */
static uint32_t *list_of(void *state, const orr_policy_world *world, uint32_t client_class)
{
    return (uint32_t *)state + (size_t)client_class * (world->rows + 1);
}

static size_t state_size(const orr_policy_world *world) { return (size_t)world->classes * (world->rows + 1) * sizeof(uint32_t); }

static int by_delay(const void *x, const void *y, void *context)
{
    const int64_t *delay_ns = context;
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    if (delay_ns[a] != delay_ns[b])
        return delay_ns[a] < delay_ns[b] ? -1 : 1;
    return a < b ? -1 : 1;
}

static void route(void *state, const orr_policy_host *host, const orr_policy_world *world, const orr_policy_view *view,
                  const orr_policy_request *request, const double *options, orr_decision *decision)
{
    (void)view;
    uint32_t *list = list_of(state, world, request->client_class), *near = list + 1;
    if (list[0] == 0) {
        list[0] = request->candidate_count;
        memcpy(near, request->candidates, request->candidate_count * sizeof *near);
        qsort_r(near, list[0], sizeof *near, by_delay, (void *)(uintptr_t)world->row_delay_ns);
    }
    decision->row = near[0];
    for (uint32_t i = 0; i < list[0]; i++) {
        orr_policy_row seen = host->look(host->context, near[i]);
        if ((double)orr_row_load(&seen) < options[0] * world->row_slots[near[i]]) {
            decision->row = near[i];
            break;
        }
    }
}

const orr_policy orr_policy_nearest = {.size = sizeof(orr_policy),
                                       .abi = ORR_POLICY_ABI,
                                       .name = "nearest",
                                       .summary = "least network delay, passing over pools that look full",
                                       .options = options_of,
                                       .option_count = 1,
                                       .state_size = state_size,
                                       .route = route,
                                       .looks = 1};
