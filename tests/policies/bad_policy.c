/* A policy that answers nonsense, one kind per `mode`, to show that the host counts it and survives (test_bad_policy.c). */
#include "orrery/policy.h"

#include <string.h>

enum { FAR_OUTSIDE, JUST_OUTSIDE, NO_CANDIDATE, DEFER_FOR_EVER, DEFER_BY_NOTHING, DEFER_INTO_THE_PAST, DEFER_BEYOND_TIME, UNKNOWN_ACTION, NEGATIVE_ACTION, GARBAGE, EVERYTHING, REFUSE_TO_START, MODES };

static const orr_policy_option options_of[] = {{"mode", FAR_OUTSIDE, 0, MODES - 1, "which kind of nonsense"}};

/* A row that exists but is not among the candidates; one outside if all are. */
static uint32_t stranger(const orr_policy_world *world, const orr_policy_request *request)
{
    for (uint32_t row = 0; row < world->rows; row++) {
        uint32_t i = 0;
        while (i < request->candidate_count && request->candidates[i] != row)
            i++;
        if (i == request->candidate_count)
            return row;
    }
    return world->rows;
}

static size_t state_size(const orr_policy_world *world)
{
    (void)world;
    return sizeof(uint64_t);
}

static int init(void *state, const orr_policy_host *host, const orr_policy_world *world, const double *options)
{
    (void)state, (void)host, (void)world;
    return options[0] >= REFUSE_TO_START;
}

static void route(void *state, const orr_policy_host *host, const orr_policy_world *world, const orr_policy_view *view, const orr_policy_request *request, const double *options,
                  orr_decision *decision)
{
    uint64_t *calls = state;
    int mode = (int)options[0];
    (void)view;
    if (mode == EVERYTHING)
        mode = (int)((*calls)++ % EVERYTHING);
    switch (mode) {
    case FAR_OUTSIDE: decision->row = UINT32_MAX; break;
    case JUST_OUTSIDE: decision->row = world->rows; break;
    case NO_CANDIDATE: decision->row = stranger(world, request); break;
    case DEFER_FOR_EVER: *decision = (orr_decision){.size = sizeof *decision, .action = ORR_DEFER, .defer_ns = 1000000}; break;
    case DEFER_BY_NOTHING: *decision = (orr_decision){.size = sizeof *decision, .action = ORR_DEFER}; break;
    case DEFER_INTO_THE_PAST: *decision = (orr_decision){.size = sizeof *decision, .action = ORR_DEFER, .defer_ns = INT64_MIN}; break;
    case DEFER_BEYOND_TIME: *decision = (orr_decision){.size = sizeof *decision, .action = ORR_DEFER, .defer_ns = INT64_MAX}; break;
    case UNKNOWN_ACTION: decision->action = (orr_action)3; break;
    case NEGATIVE_ACTION: decision->action = (orr_action)-1; break;
    default: /* its size too; 64 bits of the host's for everything */
        memset(decision, (int)(host->draw(host->context, request, UINT32_MAX) & 0xff), sizeof *decision);
        decision->action = (orr_action)77;
    }
}

static const orr_policy policy = {
    .size = sizeof(orr_policy),
    .abi = ORR_POLICY_ABI,
    .name = "bad",
    .summary = "nonsense of every kind",
    .options = options_of,
    .option_count = 1,
    .state_size = state_size,
    .init = init,
    .route = route,
};

const orr_policy *orr_policy_entry(void);
const orr_policy *orr_policy_entry(void) { return &policy; }
