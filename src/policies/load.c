#include "policies/load.h"

enum { MOST_REJECTIONS = 4096 };

size_t orr_sampling_size(const orr_policy_world *world)
{
    (void)world;
    return sizeof(orr_sampling);
}

int orr_sampling_init(void *state, const orr_policy_host *host, const orr_policy_world *world, const double *options)
{
    (void)host, (void)options;
    orr_sampling *sampling = state;
    for (uint32_t i = 0; i < world->rows; i++)
        if (world->row_slots[i] > sampling->most_slots)
            sampling->most_slots = world->row_slots[i];
    return 0;
}

uint32_t orr_sample(const orr_sampling *sampling, const orr_policy_host *host, const orr_policy_world *world, const orr_policy_request *request, uint32_t *k)
{
    for (uint32_t tries = 0;; tries++) {
        uint64_t bits = host->draw(host->context, request, (*k)++);
        uint32_t row = request->candidates[orr_pick(bits, request->candidate_count)];
        if (orr_pick(bits << 32, sampling->most_slots) < world->row_slots[row] || tries == MOST_REJECTIONS)
            return row;
    }
}

double orr_expected_token_ns(const orr_policy_world *world, const orr_policy_view *view, uint32_t row)
{
    double reported = (double)view->token_ns[row], alone = world->row_token_ns[row], present = (double)view->running[row] + view->waiting[row];
    double more = reported > alone ? reported - alone : 0;
    return alone + more * (present > 0 ? (present + view->own[row]) / present : 1); /* what the others cost, grown in proportion */
}

double orr_expected_wait_ns(const orr_policy_world *world, const orr_policy_view *view, const orr_policy_request *request, uint32_t row)
{
    double wait = (double)view->wait_ns[row];
    uint64_t load = orr_seen_load(view, row), slots = world->row_slots[row];
    if (load >= slots) { /* own requests since the report wait for places to become free, each after about one service time per slot */
        double tokens = world->row_prefill_ns[row] > 0 ? request->expected_output_tokens : 1;
        double service = orr_expected_token_ns(world, view, row) * tokens;
        double ahead = service * (double)(load - slots + 1) / (double)slots;
        if (ahead > wait)
            wait = ahead;
    }
    return wait;
}

double orr_expected_first_ns(const orr_policy_world *world, const orr_policy_view *view, const orr_policy_request *request, uint32_t row)
{
    double prompt = world->row_prefill_ns[row] * request->input_tokens;
    return 2 * (double)world->row_delay_ns[row] + orr_expected_wait_ns(world, view, request, row) + prompt + orr_expected_token_ns(world, view, row);
}

double orr_expected_total_ns(const orr_policy_world *world, const orr_policy_view *view, const orr_policy_request *request, uint32_t row)
{
    double more = world->row_prefill_ns[row] > 0 ? request->expected_output_tokens - 1 : 0;
    return orr_expected_first_ns(world, view, request, row) + more * orr_expected_token_ns(world, view, row);
}
