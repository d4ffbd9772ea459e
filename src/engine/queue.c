#include "engine/queue.h"

void orr_queue_init(orr_queue *queue) { orr_array_init(&queue->heap, sizeof(orr_event)); }

void orr_queue_destroy(orr_queue *queue) { orr_array_clear(&queue->heap); }

bool orr_queue_push(orr_queue *queue, orr_event event)
{
    orr_array *heap = &queue->heap;
    if (heap->count == heap->capacity && !orr_array_reserve(heap, (size_t)heap->count + 1))
        return false;
    orr_event *e = heap->items;
    uint32_t hole = heap->count++;
    while (hole > 0) {
        uint32_t parent = (hole - 1) / 4;
        if (!orr_event_before(&event, &e[parent]))
            break;
        e[hole] = e[parent];
        hole = parent;
    }
    e[hole] = event;
    return true;
}

/* The least of four neighbours, by a tournament that compiles to conditional moves: the branches of a chain could not be predicted. */
static uint32_t least_of_four(const orr_event *e, uint32_t first)
{
    uint32_t a = first + orr_event_before(&e[first + 1], &e[first]), b = first + 2 + orr_event_before(&e[first + 3], &e[first + 2]);
    return orr_event_before(&e[b], &e[a]) ? b : a;
}

orr_event orr_queue_pop(orr_queue *queue)
{
    assert(queue->heap.count > 0);
    orr_event *e = queue->heap.items;
    orr_event first = e[0], last = e[--queue->heap.count];
    uint32_t count = queue->heap.count, hole = 0, child;
    while ((child = 4 * hole + 1) < count) {
        uint32_t least = child;
        if (child + 3 < count)
            least = least_of_four(e, child);
        else
            while (++child < count)
                least = orr_event_before(&e[child], &e[least]) ? child : least;
        if (!orr_event_before(&e[least], &last))
            break;
        e[hole] = e[least];
        hole = least;
    }
    e[hole] = last;
    return first;
}
