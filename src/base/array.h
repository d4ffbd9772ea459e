/**
 * Array: a growing run of equal, plain items, addressed by index.
 *
 * All simulation state lives in arrays of this kind and refers to itself by index, never by pointer. So it can be
 * saved, loaded into another process and compared byte by byte (archive.h), and growing it never breaks a reference.
 */
#ifndef ORRERY_BASE_ARRAY_H
#define ORRERY_BASE_ARRAY_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** `item_size` is set once by orr_array_init. Invariant: count <= capacity; items beyond count are undefined. */
typedef struct orr_array {
    void    *items;
    uint32_t count, capacity, item_size;
} orr_array;

/** An empty array of items of `item_size` bytes. Owns nothing yet. */
void orr_array_init(orr_array *array, size_t item_size);

/** Makes room for `capacity` items in all. False when out of memory; the array is unchanged then. */
bool orr_array_reserve(orr_array *array, size_t capacity);

/** Appends `count` zeroed items. Returns the first of them, or NULL when out of memory. */
void *orr_array_extend(orr_array *array, size_t count);

/** Appends one item, of undefined content. Returns it, or NULL when out of memory. */
static inline void *orr_array_append(orr_array *array)
{
    if (array->count == array->capacity && !orr_array_reserve(array, (size_t)array->count + 1))
        return NULL;
    return (char *)array->items + (size_t)array->count++ * array->item_size;
}

/** Frees the items; the array is empty and usable. */
void orr_array_clear(orr_array *array);

static inline void *orr_array_at(const orr_array *array, uint32_t index)
{
    assert(index < array->count);
    return (char *)array->items + (size_t)index * array->item_size;
}

/** A free list threaded through the first 4 bytes of unused items. `head` is the first free index plus one, 0 if none. */
uint32_t orr_array_take(orr_array *array, uint32_t *head);
void     orr_array_give(orr_array *array, uint32_t *head, uint32_t index);

#define ORR_NONE UINT32_MAX

#endif
