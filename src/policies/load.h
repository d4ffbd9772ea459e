/** What several policies reckon alike: how loaded a row looks, and what waiting for it would cost. */
#ifndef ORRERY_POLICIES_LOAD_H
#define ORRERY_POLICIES_LOAD_H

#include "orrery/policy.h"

#include <stdbool.h>

/** Requests that a row seems to hold: reported, and the observer's own since. */
static inline uint64_t orr_seen_load(const orr_policy_view *view, uint32_t row)
{
    return (uint64_t)view->running[row] + view->waiting[row] + view->own[row];
}

/** The same for a policy that looks at single rows. */
static inline uint64_t orr_row_load(const orr_policy_row *row) { return (uint64_t)row->running + row->waiting + row->own; }

/** Is a row with load `a`, with one more request, less loaded per slot than one with load `b` with one more? Exact, in integers. */
static inline int orr_compare_load(uint64_t a, uint32_t a_slots, uint64_t b, uint32_t b_slots)
{
    uint64_t x = (a + 1) * b_slots, y = (b + 1) * a_slots;
    return x < y ? -1 : x > y;
}

/** Uniform below `n` from 64 bits. */
static inline uint32_t orr_pick(uint64_t bits, uint32_t n) { return (uint32_t)(((bits >> 32) * n) >> 32); }

/** A candidate drawn with probability proportional to its slots; `k` numbers the draw among those of this request. */
uint32_t orr_sample(const orr_policy_host *host, const orr_policy_request *request, uint32_t k);

/** What the view says of a row, as a look would. */
static inline orr_policy_row orr_view_row(const orr_policy_view *view, uint32_t row)
{
    return (orr_policy_row){.as_of_ns = view->as_of_ns[row], .token_ns = view->token_ns[row], .wait_ns = view->wait_ns[row], .running = view->running[row], .waiting = view->waiting[row], .kv_used_ppm = view->kv_used_ppm[row], .own = view->own[row]};
}

/** Time per answer token at a row if one more joins, ns: as reported, grown by what this observer has sent since. `seen` is what is known of it. */
double orr_expected_token_ns(const orr_policy_world *world, const orr_policy_row *seen, uint32_t row);

/** Expected wait before service at a row, ns. */
double orr_expected_wait_ns(const orr_policy_world *world, const orr_policy_row *seen, const orr_policy_request *request, uint32_t row);

/** Expected time to first token and to the last one, seen from the observer, ns. */
double orr_expected_first_ns(const orr_policy_world *world, const orr_policy_row *seen, const orr_policy_request *request, uint32_t row);
double orr_expected_total_ns(const orr_policy_world *world, const orr_policy_row *seen, const orr_policy_request *request, uint32_t row);

#endif
