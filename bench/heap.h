/**
 * The queue to beat: a 4-ary implicit heap of the same 24-byte events, kept here so that the choice of the engine's queue can be
 * measured again on any machine. Four children lie in two cache lines, the least of them is found without a branch.
 */
#ifndef ORRERY_BENCH_HEAP_H
#define ORRERY_BENCH_HEAP_H

#include "base/array.h"
#include "engine/queue.h"

static inline bool heap_push(orr_array *heap, orr_event event)
{
    if (heap->count == heap->capacity && !orr_array_reserve(heap, (size_t)heap->count + 1))
        return false;
    orr_event *e = heap->items;
    uint32_t hole = heap->count++;
    for (; hole > 0 && orr_event_before(&event, &e[(hole - 1) / 4]); hole = (hole - 1) / 4)
        e[hole] = e[(hole - 1) / 4];
    e[hole] = event;
    return true;
}

static inline uint32_t least_of_four(const orr_event *e, uint32_t first)
{
    uint32_t a = first + orr_event_before(&e[first + 1], &e[first]), b = first + 2 + orr_event_before(&e[first + 3], &e[first + 2]);
    return orr_event_before(&e[b], &e[a]) ? b : a;
}

static inline orr_event heap_pop(orr_array *heap)
{
    orr_event *e = heap->items, first = e[0], last = e[--heap->count];
    uint32_t hole = 0, child;
    while ((child = 4 * hole + 1) < heap->count) {
        uint32_t least = child;
        if (child + 3 < heap->count)
            least = least_of_four(e, child);
        else
            while (++child < heap->count)
                least = orr_event_before(&e[child], &e[least]) ? child : least;
        if (!orr_event_before(&e[least], &last))
            break;
        e[hole] = e[least];
        hole = least;
    }
    e[hole] = last;
    return first;
}

#endif
