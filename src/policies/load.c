#include "policies/load.h"

uint32_t orr_sample(const orr_policy_host *host, const orr_policy_request *request, uint32_t k)
{
    const uint64_t *sum = request->candidate_slots;
    uint32_t low = 0, high = request->candidate_count - 1;
    uint64_t place = (uint64_t)(((unsigned __int128)host->draw(host->context, request, k) * sum[high]) >> 64);
    while (low < high) { /* the first candidate whose running sum is beyond the place */
        uint32_t middle = (low + high) / 2;
        if (sum[middle] <= place)
            low = middle + 1;
        else
            high = middle;
    }
    return request->candidates[low];
}

double orr_expected_token_ns(const orr_policy_world *world, const orr_policy_row *seen, uint32_t row)
{
    double reported = (double)seen->token_ns, alone = world->row_token_ns[row], present = (double)seen->running + seen->waiting;
    double more = reported > alone ? reported - alone : 0;
    return alone + more * (present > 0 ? (present + seen->own) / present : 1); /* what the others cost, grown in proportion */
}

double orr_expected_wait_ns(const orr_policy_world *world, const orr_policy_row *seen, const orr_policy_request *request, uint32_t row)
{
    double wait = (double)seen->wait_ns;
    uint64_t load = orr_row_load(seen), slots = world->row_slots[row];
    if (load >= slots) { /* own requests since the report wait for places to become free, each after about one service time per slot */
        double tokens = world->row_prefill_ns[row] > 0 ? request->expected_output_tokens : 1;
        double service = orr_expected_token_ns(world, seen, row) * tokens;
        double ahead = service * (double)(load - slots + 1) / (double)slots;
        if (ahead > wait)
            wait = ahead;
    }
    return wait;
}

double orr_expected_first_ns(const orr_policy_world *world, const orr_policy_row *seen, const orr_policy_request *request, uint32_t row)
{
    double prompt = world->row_prefill_ns[row] * request->input_tokens;
    return 2 * (double)world->row_delay_ns[row] + orr_expected_wait_ns(world, seen, request, row) + prompt + orr_expected_token_ns(world, seen, row);
}

double orr_expected_total_ns(const orr_policy_world *world, const orr_policy_row *seen, const orr_policy_request *request, uint32_t row)
{
    double more = world->row_prefill_ns[row] > 0 ? request->expected_output_tokens - 1 : 0;
    return orr_expected_first_ns(world, seen, request, row) + more * orr_expected_token_ns(world, seen, row);
}
