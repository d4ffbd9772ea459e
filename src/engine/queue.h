/**
 * Pending events of one lane, in the one total order (time, key).
 *
 * Keys are unique (origin and the origin's own sequence number), so there are no ties and the order in which events were
 * inserted never shows. A 4-ary implicit heap of 24-byte events: four children lie in one or two cache lines, and a
 * pop moves half as many levels as in a binary heap.
 */
#ifndef ORRERY_ENGINE_QUEUE_H
#define ORRERY_ENGINE_QUEUE_H

#include "base/array.h"

/** One pending event, 24 bytes. */
typedef struct orr_event {
    int64_t  time;   /**< ns */
    uint64_t key;    /**< origin (24 bits) and the origin's sequence number (40 bits) */
    uint32_t target; /**< process (24 bits) and kind (8 bits) */
    uint32_t handle; /**< timers: the model's own index; messages: a place in the lane's store */
} orr_event;

/** Invariant: items[(i-1)/4] comes before items[i]. */
typedef struct orr_queue {
    orr_array heap; /**< of orr_event */
} orr_queue;

void orr_queue_init(orr_queue *queue);
void orr_queue_destroy(orr_queue *queue);

/** False when out of memory. */
bool orr_queue_push(orr_queue *queue, orr_event event);

/** Removes and returns the first event; the queue must not be empty. */
orr_event orr_queue_pop(orr_queue *queue);

/** The place of an event in the total order as one number, so that comparing needs no branch. */
static inline unsigned __int128 orr_event_order(const orr_event *e)
{
    uint64_t time = (uint64_t)e->time ^ UINT64_C(1) << 63; /* in the order of unsigned integers */
    return (unsigned __int128)time << 64 | e->key;
}

static inline bool orr_event_before(const orr_event *a, const orr_event *b) { return orr_event_order(a) < orr_event_order(b); }

/** The first event, or NULL. */
static inline const orr_event *orr_queue_first(const orr_queue *queue)
{
    return queue->heap.count == 0 ? NULL : queue->heap.items;
}

#endif
