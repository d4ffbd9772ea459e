#include "base/array.h"

#include <stdlib.h>
#include <string.h>

void orr_array_init(orr_array *array, size_t item_size)
{
    assert(item_size > 0 && item_size <= UINT32_MAX);
    *array = (orr_array){.item_size = (uint32_t)item_size};
}

bool orr_array_reserve(orr_array *array, size_t capacity)
{
    if (capacity <= array->capacity)
        return true;
    size_t grown = array->capacity < 8 ? 8 : (size_t)array->capacity * 2;
    if (grown < capacity)
        grown = capacity;
    if (grown >= ORR_NONE)
        return false;
    void *items = realloc(array->items, grown * array->item_size);
    if (items == NULL)
        return false;
    array->items = items;
    array->capacity = (uint32_t)grown;
    return true;
}

void *orr_array_extend(orr_array *array, size_t count)
{
    if (!orr_array_reserve(array, array->count + count))
        return NULL;
    void *first = (char *)array->items + (size_t)array->count * array->item_size;
    memset(first, 0, count * array->item_size);
    array->count += (uint32_t)count;
    return first;
}

void orr_array_clear(orr_array *array)
{
    free(array->items);
    orr_array_init(array, array->item_size);
}

uint32_t orr_array_take(orr_array *array, uint32_t *head)
{
    uint32_t index;
    if (*head == 0) {
        if (orr_array_extend(array, 1) == NULL)
            return ORR_NONE;
        return array->count - 1;
    }
    index = *head - 1;
    void *item = orr_array_at(array, index);
    memcpy(head, item, sizeof *head);
    memset(item, 0, sizeof *head); /* the rest is zero since it was given */
    return index;
}

void orr_array_give(orr_array *array, uint32_t *head, uint32_t index)
{
    void *item = orr_array_at(array, index);
    memset(item, 0, array->item_size);
    memcpy(item, head, sizeof *head);
    *head = index + 1;
}
