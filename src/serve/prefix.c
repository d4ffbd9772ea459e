#include "serve/prefix.h"

static uint64_t key_of(const orr_prefix_cache *cache, uint64_t key) { return orr_entity_part(cache->identity, key); }

static uint32_t *shortcut_at(const orr_prefix_store *store, uint32_t shortcut) { return (uint32_t *)store->shortcuts->items + shortcut - 1; }

uint32_t orr_prefix_find(const orr_prefix_cache *cache, const orr_prefix_store *store, uint64_t key, uint32_t shortcut)
{
    if (shortcut != 0)
        return *shortcut_at(store, shortcut) - 1;
    return orr_map_get(store->by_key, key_of(cache, key));
}

uint32_t orr_prefix_add(orr_prefix_cache *cache, const orr_prefix_store *store, uint64_t key, uint32_t shortcut, uint32_t blocks)
{
    uint32_t node = orr_array_take(store->nodes, store->free);
    if (node == ORR_NONE)
        return ORR_NONE;
    *orr_prefix_at(store, node) = (orr_prefix_node){.pins = 1, .blocks = blocks, .shortcut = shortcut, .key = key};
    if (shortcut != 0) {
        *shortcut_at(store, shortcut) = node + 1;
    } else if (!orr_map_put(store->by_key, key_of(cache, key), node)) {
        orr_array_give(store->nodes, store->free, node);
        return ORR_NONE;
    }
    cache->blocks += blocks;
    cache->pinned += blocks;
    return node;
}

/* Takes a node out of the list of those without pins. */
static void unlink_node(orr_prefix_cache *cache, const orr_prefix_store *store, const orr_prefix_node *n)
{
    *(n->older ? &orr_prefix_at(store, n->older - 1)->newer : &cache->oldest) = n->newer;
    *(n->newer ? &orr_prefix_at(store, n->newer - 1)->older : &cache->newest) = n->older;
}

void orr_prefix_pin(orr_prefix_cache *cache, const orr_prefix_store *store, uint32_t node)
{
    orr_prefix_node *n = orr_prefix_at(store, node);
    if (n->pins++ > 0)
        return;
    unlink_node(cache, store, n);
    cache->pinned += n->blocks;
}

void orr_prefix_unpin(orr_prefix_cache *cache, const orr_prefix_store *store, uint32_t node)
{
    orr_prefix_node *n = orr_prefix_at(store, node);
    if (--n->pins > 0)
        return;
    n->older = cache->newest;
    n->newer = 0;
    *(cache->newest ? &orr_prefix_at(store, cache->newest - 1)->newer : &cache->oldest) = node + 1;
    cache->newest = node + 1;
    cache->pinned -= n->blocks;
}

void orr_prefix_shrink(orr_prefix_cache *cache, const orr_prefix_store *store, int64_t blocks)
{
    while (cache->blocks > blocks && cache->oldest != 0) {
        uint32_t node = cache->oldest - 1;
        const orr_prefix_node *n = orr_prefix_at(store, node);
        unlink_node(cache, store, n);
        cache->blocks -= n->blocks;
        if (n->shortcut != 0)
            *shortcut_at(store, n->shortcut) = 0;
        else
            orr_map_remove(store->by_key, key_of(cache, n->key));
        orr_array_give(store->nodes, store->free, node);
    }
}
