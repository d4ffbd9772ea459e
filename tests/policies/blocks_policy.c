/* A policy that checks the names of the parts of prompts that it is shown, in a world with one session and one row: a turn's prompt begins with the parts of the
 * turn before it, under the same names; when the history has been dropped only the shared prefix is as before. It answers with a row that does not exist, which
 * counts as a bad decision, when something is wrong. */
#include "orrery/policy.h"

#include <stddef.h>
#include <string.h>

enum { MOST = 256 };

typedef struct seen {
    uint64_t names[MOST];
    uint64_t count;
} seen;

static size_t state_size(const orr_policy_world *world)
{
    (void)world;
    return sizeof(seen);
}

static void route(void *state, const orr_policy_host *host, const orr_policy_world *world, const orr_policy_view *view, const orr_policy_request *request,
                  const double *options, orr_decision *decision)
{
    (void)host, (void)view;
    seen *before = state;
    int sound = world->options == options && request->block_tokens == 512 && request->head_tokens == request->prefix_tokens &&
                request->block_count == 1 + (request->input_tokens - request->prefix_tokens) / 512 && request->block_count <= MOST;
    uint64_t same = 0, common = request->block_count < before->count ? request->block_count : before->count;
    while (sound && same < common && request->blocks[same] == before->names[same])
        same++;
    sound = sound && (request->turn == 0 || same == (request->history_tokens > 0 ? before->count : 1));
    for (uint32_t i = 0; sound && i < request->block_count; i++) /* all different */
        for (uint32_t k = 0; k < i; k++)
            sound = sound && request->blocks[i] != request->blocks[k];
    if (sound) {
        memcpy(before->names, request->blocks, request->block_count * sizeof *before->names);
        before->count = request->block_count;
    }
    decision->row = sound ? 0 : world->rows;
}

static const orr_policy policy = {.size = sizeof(orr_policy), .abi = ORR_POLICY_ABI, .name = "blocks", .summary = "checks the names of parts", .state_size = state_size,
                                  .route = route, .wants_blocks = 1};

const orr_policy *orr_policy_entry(void);
const orr_policy *orr_policy_entry(void) { return &policy; }
