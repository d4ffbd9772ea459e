#include "engine/store.h"

#include <stdlib.h>
#include <string.h>

void orr_store_init(orr_store *store)
{
    *store = (orr_store){.used = ORR_STORE_BLOCK_PIECES};
    orr_array_init(&store->blocks, sizeof(char *));
}

void orr_store_destroy(orr_store *store)
{
    for (uint32_t i = 0; i < store->blocks.count; i++)
        free(*(char **)orr_array_at(&store->blocks, i));
    orr_array_clear(&store->blocks);
}

static uint32_t size_class(size_t size)
{
    uint32_t pieces = (uint32_t)((size + ORR_STORE_PIECE - 1) / ORR_STORE_PIECE), class = 0;
    while (1u << class < pieces)
        class ++;
    assert(class < ORR_STORE_SIZES);
    return class;
}

uint32_t orr_store_take(orr_store *store, size_t size)
{
    uint32_t class = size_class(size), pieces = 1u << class;
    if (store->free[class] != 0) {
        uint32_t place = store->free[class] - 1;
        memcpy(&store->free[class], orr_store_at(store, place), sizeof store->free[class]);
        return place;
    }
    if (store->used + pieces > ORR_STORE_BLOCK_PIECES) { /* what is left of the old block is not worth keeping track of */
        char *block = malloc((size_t)ORR_STORE_BLOCK_PIECES * ORR_STORE_PIECE);
        char **slot = block == NULL ? NULL : orr_array_extend(&store->blocks, 1);
        if (slot == NULL) {
            free(block);
            return ORR_NONE;
        }
        *slot = block;
        store->used = 0;
    }
    uint32_t place = (store->blocks.count - 1) * ORR_STORE_BLOCK_PIECES + store->used;
    store->used += pieces;
    return place;
}

void orr_store_give(orr_store *store, uint32_t place, size_t size)
{
    uint32_t class = size_class(size);
    memcpy(orr_store_at(store, place), &store->free[class], sizeof store->free[class]);
    store->free[class] = place + 1;
}
