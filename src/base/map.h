/**
 * Map: 64-bit keys to 32-bit values, in one array (so it can be archived), with open addressing and linear probing.
 *
 * Invariant: from a key's home place to where it stands no place is empty; removal shifts followers back instead of leaving marks
 * (Knuth, TAOCP 3, 6.4, algorithm R). At most half full. Never iterated, so its layout never shows in a result.
 */
#ifndef ORRERY_BASE_MAP_H
#define ORRERY_BASE_MAP_H

#include "base/array.h"

typedef struct orr_map {
    orr_array places; /**< of orr_map_place; a power of two of them, or none */
    uint32_t  count, padding;
} orr_map;

typedef struct orr_map_place {
    uint64_t key;
    uint32_t value, used;
} orr_map_place;

void orr_map_init(orr_map *map);

/** Sets the value of `key`. False when out of memory. */
bool orr_map_put(orr_map *map, uint64_t key, uint32_t value);

/** The value of `key`, ORR_NONE if it has none. */
uint32_t orr_map_get(const orr_map *map, uint64_t key);

/** Forgets `key`; does nothing if it is not there. */
void orr_map_remove(orr_map *map, uint64_t key);

#endif
