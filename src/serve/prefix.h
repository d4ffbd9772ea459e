/**
 * Prefix cache: the KV of leading parts of prompts, kept after the request that computed them has gone.
 *
 * A prompt is a chain of *parts*, each with a name that stands for its tokens and all before them: the system prompt that its class
 * shares, then parts of ORR_PREFIX_TOKENS tokens of its session's history, or of a recorded trace with block hashes (Mooncake: Qin et
 * al., FAST 2025). Those that are cached are *nodes*. A look-up takes nodes from the head of the chain and stops at the first that is missing. Nodes that a request in
 * the batch uses are *pinned*. The others give way when memory is needed, the one first that has not been used for longest (LRU); a
 * request lets its nodes go from the tail, so that of one chain the tail gives way first.
 *
 * All instances of a site keep their nodes in one store; an instance finds its own only.
 */
#ifndef ORRERY_SERVE_PREFIX_H
#define ORRERY_SERVE_PREFIX_H

#include "base/map.h"
#include "base/random.h"

enum { ORR_PREFIX_TOKENS = 512 };

/** What a prompt begins with. `hashes` is borrowed. */
typedef struct orr_prompt {
    uint32_t class_, prefix;    /**< its class, and how many tokens at its head that class shares */
    uint32_t input, hash_count; /**< tokens of the prompt; recorded hashes */
    const uint64_t *hashes;     /**< of its parts, in order; what is less than a part at its end is none. NULL: not recorded */
    uint64_t session;           /**< names the history that follows the prefix; 0: there is none worth keeping */
} orr_prompt;

/** Tokens of its first part if that is what its class shares, else 0. (A recorded trace knows nothing of classes.) */
static inline uint32_t orr_prompt_head(const orr_prompt *prompt) { return prompt->hashes != NULL ? 0 : prompt->prefix; }

/** How many parts lie wholly within the first `tokens` tokens of the prompt, or of the prompt and its answer. */
static inline uint32_t orr_prompt_parts(const orr_prompt *prompt, uint32_t tokens)
{
    uint32_t head = orr_prompt_head(prompt);
    if (tokens < head)
        return 0;
    uint32_t parts = (tokens - head) / ORR_PREFIX_TOKENS, known = UINT32_MAX;
    if (prompt->hashes != NULL) { /* of the prompt only */
        known = prompt->input / ORR_PREFIX_TOKENS;
        known = prompt->hash_count < known ? prompt->hash_count : known;
    } else if (prompt->session == 0) {
        known = 0;
    }
    return (head > 0) + (parts < known ? parts : known);
}

/** The name of part `k`: equal names, equal tokens, also of all parts before. */
static inline uint64_t orr_prompt_name(const orr_prompt *prompt, uint32_t k)
{
    if (orr_prompt_head(prompt) > 0 && k-- == 0)
        return orr_entity_part(1, prompt->class_);
    return prompt->hashes != NULL ? orr_entity_part(0, prompt->hashes[k]) : orr_entity_part(prompt->session, k);
}

typedef struct orr_prefix_node {
    uint32_t older, newer; /**< among those without pins (index plus one); older also in the free list */
    uint32_t pins, blocks; /**< users; KV blocks that it takes */
    uint32_t shortcut;     /**< its place in `shortcuts` plus one; 0: it is found by its key */
    uint32_t padding;
    uint64_t key;
} orr_prefix_node;

/** The cache of one instance. All zeros (but for `identity`) is empty. Plain data. */
typedef struct orr_prefix_cache {
    uint64_t identity;       /**< mixed into keys: different for every instance of a site */
    uint32_t oldest, newest; /**< index plus one */
    int64_t  blocks, pinned; /**< KV blocks of all its nodes, and of those with pins */
} orr_prefix_cache;

/** What the instances of a site share. Arrays and map are borrowed. */
typedef struct orr_prefix_store {
    orr_array *nodes;     /**< orr_prefix_node */
    orr_map   *by_key;
    orr_array *shortcuts; /**< uint32_t: node plus one, 0: none; for nodes that are asked for all the time */
    uint32_t  *free;      /**< head of the free list */
} orr_prefix_store;

/** The node with `key`, or at `shortcut` (its place plus one) if that is not 0; ORR_NONE if it is not cached. */
uint32_t orr_prefix_find(const orr_prefix_cache *cache, const orr_prefix_store *store, uint64_t key, uint32_t shortcut);

/** Adds a node, pinned once. ORR_NONE when out of memory. */
uint32_t orr_prefix_add(orr_prefix_cache *cache, const orr_prefix_store *store, uint64_t key, uint32_t shortcut, uint32_t blocks);

void orr_prefix_pin(orr_prefix_cache *cache, const orr_prefix_store *store, uint32_t node);
void orr_prefix_unpin(orr_prefix_cache *cache, const orr_prefix_store *store, uint32_t node);

/** Drops nodes without pins, the least recently used first, until the cache takes at most `blocks` (or all that are left are pinned). */
void orr_prefix_shrink(orr_prefix_cache *cache, const orr_prefix_store *store, int64_t blocks);

static inline orr_prefix_node *orr_prefix_at(const orr_prefix_store *store, uint32_t node) { return (orr_prefix_node *)store->nodes->items + node; }

#endif
