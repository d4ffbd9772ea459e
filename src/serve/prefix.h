/**
 * Prefix cache: the KV of leading parts of prompts, kept after the request that computed them has gone.
 *
 * A prompt is a chain of *nodes*, each named by a key that stands for its tokens and all before them: the system prompt that its class
 * shares, then parts of ORR_PREFIX_TOKENS tokens of its session's history, or of a recorded trace with block hashes (Mooncake: Qin et
 * al., FAST 2025). A look-up takes nodes from the head of the chain and stops at the first that is missing. Nodes that a request in
 * the batch uses are *pinned*. The others give way when memory is needed, the one first that has not been used for longest (LRU); a
 * request lets its nodes go from the tail, so that of one chain the tail gives way first.
 *
 * All instances of a site keep their nodes in one store; an instance finds its own only.
 */
#ifndef ORRERY_SERVE_PREFIX_H
#define ORRERY_SERVE_PREFIX_H

#include "base/map.h"

enum { ORR_PREFIX_TOKENS = 512 };

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
