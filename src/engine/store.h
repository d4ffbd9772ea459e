/**
 * Store: where messages wait for their time.
 *
 * Memory in pieces of 64 bytes, handed out in powers of two with one free list per size and never moved, so a
 * handler may read its message while it sends others. No allocation once the store has seen its largest load.
 */
#ifndef ORRERY_ENGINE_STORE_H
#define ORRERY_ENGINE_STORE_H

#include "base/array.h"

enum { ORR_STORE_SIZES = 12, ORR_STORE_PIECE = 64, ORR_STORE_BLOCK_PIECES = 4096 };

typedef struct orr_store {
    orr_array blocks;                 /**< of char *, each of ORR_STORE_BLOCK_PIECES pieces */
    uint32_t  used;                   /**< pieces handed out of the last block */
    uint32_t  free[ORR_STORE_SIZES];  /**< per power of two: first free place plus one */
} orr_store;

void orr_store_init(orr_store *store);
void orr_store_destroy(orr_store *store);

/** A place for `size` bytes (at most 2^17), or ORR_NONE when out of memory. */
uint32_t orr_store_take(orr_store *store, size_t size);
void     orr_store_give(orr_store *store, uint32_t place, size_t size);

/** The memory at a place. */
static inline void *orr_store_at(const orr_store *store, uint32_t place)
{
    char **blocks = store->blocks.items;
    return blocks[place / ORR_STORE_BLOCK_PIECES] + (size_t)(place % ORR_STORE_BLOCK_PIECES) * ORR_STORE_PIECE;
}

#endif
