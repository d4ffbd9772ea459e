#include "base/map.h"

static uint32_t home(const orr_map *map, uint64_t key)
{
    key *= UINT64_C(0x9e3779b97f4a7c15); /* 2^64 / golden ratio: spreads consecutive keys */
    return (uint32_t)(key >> 32) & (map->places.count - 1);
}

void orr_map_init(orr_map *map)
{
    orr_array_init(&map->places, sizeof(orr_map_place));
    map->count = map->padding = 0;
}

static orr_map_place *find(const orr_map *map, uint64_t key)
{
    orr_map_place *p = map->places.items;
    uint32_t at = home(map, key);
    while (p[at].used && p[at].key != key)
        at = (at + 1) & (map->places.count - 1);
    return &p[at];
}

static bool grow(orr_map *map)
{
    orr_map larger;
    orr_map_init(&larger);
    if (orr_array_extend(&larger.places, map->places.count == 0 ? 16 : 2 * (size_t)map->places.count) == NULL)
        return false;
    for (uint32_t i = 0; i < map->places.count; i++) {
        orr_map_place p = ((orr_map_place *)map->places.items)[i];
        if (p.used)
            *find(&larger, p.key) = p;
    }
    larger.count = map->count;
    orr_array_clear(&map->places);
    *map = larger;
    return true;
}

bool orr_map_put(orr_map *map, uint64_t key, uint32_t value)
{
    if (2 * (map->count + 1) > map->places.count && !grow(map))
        return false;
    orr_map_place *p = find(map, key);
    map->count += !p->used;
    *p = (orr_map_place){key, value, 1};
    return true;
}

uint32_t orr_map_get(const orr_map *map, uint64_t key)
{
    if (map->count == 0)
        return ORR_NONE;
    const orr_map_place *p = find(map, key);
    return p->used ? p->value : ORR_NONE;
}

void orr_map_remove(orr_map *map, uint64_t key)
{
    if (map->count == 0)
        return;
    orr_map_place *p = map->places.items, *found = find(map, key);
    if (!found->used)
        return;
    map->count--;
    uint32_t mask = map->places.count - 1, hole = (uint32_t)(found - p);
    for (uint32_t at = (hole + 1) & mask; p[at].used; at = (at + 1) & mask) {
        uint32_t wants = home(map, p[at].key);
        if (((at - wants) & mask) >= ((at - hole) & mask)) { /* it may stand in the hole: its home is not between hole and here */
            p[hole] = p[at];
            hole = at;
        }
    }
    p[hole].used = 0;
}
