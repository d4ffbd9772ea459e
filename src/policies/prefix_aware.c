/* Prefix aware: the row that is expected to give the answer soonest, what its cache spares being counted. Production routers do so: SGLang's
 * cache-aware router (Zheng et al., "SGLang", NeurIPS 2024), NVIDIA Dynamo's KV router, Mooncake's conductor (Qin et al., FAST 2025).
 *
 * What a cache holds nobody tells. The policy remembers instead which parts of prompts it has itself sent to a row, the `memory` of them that were sent
 * last (LRU), and expects to find a prompt's leading parts there up to the first that it does not remember. A row then costs
 *
 *     load x (running + waiting + own) x time per token alone  +  (prompt - expected in the cache) x time per prompt token
 *
 * in whole ns: every request ahead shares the iterations, so it makes the answer wait about that much for each of `load` tokens. The least cost wins, ties are
 * broken uniformly.
 *
 * The state: of each row a table of its remembered parts, a hash table of chains and a list in order of use in one, all zeros when empty. Numbers of
 * entries are index plus one.
 */
#include "policies/load.h"
#include "policies/policies.h"

#include <math.h>

enum { LOAD, MEMORY };
static const orr_policy_option options_of[] = {
    {"load", 8, 0, 1e6, "tokens of the answer that a request ahead delays, by the time of one token each; 0: the cache alone decides"},
    {"memory", 1024, 1, 65536, "parts of prompts (512 tokens) that are remembered for each pool, the latest; as many as its cache holds is best", 1},
};

typedef struct entry {
    uint64_t name;
    uint32_t next;         /* in its chain */
    uint32_t older, newer; /* in the order of use */
    uint32_t padding;
} entry;

/* The table of a row; behind it its entries, and then the heads of `memory` chains. */
typedef struct table {
    uint32_t count, padding;
    uint32_t oldest, newest;
} table;

static size_t table_size(uint32_t memory) { return sizeof(table) + memory * sizeof(entry) + (memory + memory % 2) * sizeof(uint32_t); }

static size_t state_size(const orr_policy_world *world) { return world->rows * table_size((uint32_t)world->options[MEMORY]); }

static table *table_of(void *state, uint32_t memory, uint32_t row) { return (table *)((char *)state + row * table_size(memory)); }

static entry *entry_of(table *t, uint32_t number) { return (entry *)(t + 1) + number - 1; }

static uint32_t *chain_of(table *t, uint32_t memory, uint64_t name) { return (uint32_t *)((entry *)(t + 1) + memory) + name % memory; }

/* The number of the entry with this name, 0: not remembered. */
static uint32_t find(table *t, uint32_t memory, uint64_t name)
{
    uint32_t at = *chain_of(t, memory, name);
    while (at != 0 && entry_of(t, at)->name != name)
        at = entry_of(t, at)->next;
    return at;
}

static void unlink_entry(table *t, uint32_t number)
{
    const entry *e = entry_of(t, number);
    *(e->older ? &entry_of(t, e->older)->newer : &t->oldest) = e->newer;
    *(e->newer ? &entry_of(t, e->newer)->older : &t->newest) = e->older;
}

/* Forgets the part that has not been sent for longest; its entry is free. */
static uint32_t forget_oldest(table *t, uint32_t memory)
{
    uint32_t number = t->oldest, *at = chain_of(t, memory, entry_of(t, number)->name);
    while (*at != number)
        at = &entry_of(t, *at)->next;
    *at = entry_of(t, number)->next;
    unlink_entry(t, number);
    return number;
}

/* The part has been sent there, now. */
static void remember(table *t, uint32_t memory, uint64_t name)
{
    uint32_t number = find(t, memory, name);
    if (number != 0) {
        unlink_entry(t, number);
    } else {
        number = t->count < memory ? ++t->count : forget_oldest(t, memory);
        uint32_t *chain = chain_of(t, memory, name);
        *entry_of(t, number) = (entry){.name = name, .next = *chain};
        *chain = number;
    }
    entry *e = entry_of(t, number);
    e->older = t->newest;
    e->newer = 0;
    *(t->newest ? &entry_of(t, t->newest)->newer : &t->oldest) = number;
    t->newest = number;
}

/* Tokens at the head of the prompt that the row's cache is expected to hold. */
static uint32_t expected_tokens(table *t, uint32_t memory, const orr_policy_request *request)
{
    uint32_t k = 0;
    while (k < request->block_count && find(t, memory, request->blocks[k]) != 0)
        k++;
    return k == 0 ? 0 : request->head_tokens + (k - 1) * request->block_tokens;
}

static int64_t cost_ns(void *state, const orr_policy_world *world, const orr_policy_view *view, const orr_policy_request *request, const double *options,
                       uint32_t row)
{
    uint32_t memory = (uint32_t)options[MEMORY], cached = expected_tokens(table_of(state, memory, row), memory, request);
    double ahead = (double)orr_seen_load(view, row) * world->row_token_ns[row], prompt = (double)(request->input_tokens - cached) * world->row_prefill_ns[row];
    return (int64_t)fmin(options[LOAD] * ahead + prompt, 9e18);
}

static void route(void *state, const orr_policy_host *host, const orr_policy_world *world, const orr_policy_view *view,
                  const orr_policy_request *request, const double *options, orr_decision *decision)
{
    int64_t least = INT64_MAX;
    uint32_t ties = 0, k = 0;
    for (uint32_t i = 0; i < request->candidate_count; i++) {
        int64_t cost = cost_ns(state, world, view, request, options, request->candidates[i]);
        ties = cost < least ? 1 : ties + (cost == least);
        /* Among equals each ends up chosen with the same probability: the n-th replaces the others with probability 1/n. */
        if (cost < least || (cost == least && orr_pick(host->draw(host->context, request, k++), ties) == 0))
            decision->row = request->candidates[i];
        least = cost < least ? cost : least;
    }
    uint32_t memory = (uint32_t)options[MEMORY];
    for (uint32_t b = request->block_count; b > 0; b--) /* the tail is the first to be forgotten, as in the cache */
        remember(table_of(state, memory, decision->row), memory, request->blocks[b - 1]);
}

const orr_policy orr_policy_prefix_aware = {.size = sizeof(orr_policy),
                                            .abi = ORR_POLICY_ABI,
                                            .name = "prefix_aware",
                                            .summary = "least load and prompt left to compute, by what has been sent where before",
                                            .options = options_of,
                                            .option_count = 2,
                                            .state_size = state_size,
                                            .route = route,
                                            .wants_blocks = 1};
