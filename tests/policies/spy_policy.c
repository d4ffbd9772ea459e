/* A policy that sees whether what it is shown is all true: in a world where nothing ends, every request that it has sent to the one row must be
 * in the report or among its own decisions, and looking at a row must show what the columns show. It answers with a row that does
 * not exist, which counts as a bad decision, when something is missing. Built twice: with columns, and with `looks`. */
#include "orrery/policy.h"

#include <stddef.h>

static size_t state_size(const orr_policy_world *world)
{
    (void)world;
    return sizeof(uint64_t);
}

static int columns_agree(const orr_policy_view *v, const orr_policy_row *r, uint32_t row)
{
    return v->as_of_ns[row] == r->as_of_ns && v->running[row] == r->running && v->waiting[row] == r->waiting && v->own[row] == r->own &&
           v->kv_used_ppm[row] == r->kv_used_ppm && v->token_ns[row] == r->token_ns && v->wait_ns[row] == r->wait_ns;
}

static void route(void *state, const orr_policy_host *host, const orr_policy_world *world, const orr_policy_view *view, const orr_policy_request *request,
                  const double *options, orr_decision *decision)
{
    uint64_t *sent = state;
    orr_policy_row seen = host->look(host->context, 0);
    (void)options;
    int sound = request->blocks == NULL && request->block_count == 0 && /* it wants no names */ (uint64_t)seen.running + seen.waiting + seen.own == *sent && (LOOKS || columns_agree(view, &seen, 0));
    ++*sent;
    decision->row = sound ? 0 : world->rows;
}

static const orr_policy policy = {
    .size = sizeof(orr_policy), .abi = ORR_POLICY_ABI, .name = "spy", .summary = "checks what it is shown", .state_size = state_size, .route = route, .looks = LOOKS};

const orr_policy *orr_policy_entry(void);
const orr_policy *orr_policy_entry(void) { return &policy; }
