/**
 * Pending events of one lane, in the one total order (time, key). Keys are unique (origin and the origin's own sequence number), so
 * there are no ties and the order in which events were inserted never shows.
 *
 * What is it? A ladder queue (Tang, Goh, Thng, ACM TOMACS 15(3), 2005): events lie in ever finer buckets, and only the few
 * that come next are sorted.
 *
 *     now |  bottom     | rung 2: 16 buckets  | rung 1: 256 buckets  | rung 0: 1024 buckets, the last one
 *         |  sorted,    | in place of one     | in place of one      | without an end
 *         |  at most 64 | bucket of rung 1    | bucket of rung 0     |
 *
 * An event is written once per rung that it passes, to the end of one of at most 1024 buckets, whose ends fit the second-level
 * cache: misses overlap, where those of a heap wait for each other. Three things differ from the paper. Buckets divide the whole
 * 128-bit order and not the time alone, so that a million events at one nanosecond are split like any others, by their
 * keys. A bucket's width is a power of two, so that finding it is a subtraction and a shift. And the buckets of a rung divide what was
 * there when it was made; the last one takes in addition all that comes later, up to the rung's end. A rung of which only the last
 * bucket is left gives way to the rung that divides it, so the paper's "top" is just the last bucket of rung 0.
 *
 * A queue of a few dozen events is the bottom alone: a sorted array.
 */
#ifndef ORRERY_ENGINE_QUEUE_H
#define ORRERY_ENGINE_QUEUE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** One pending event, 24 bytes; with what the queue adds, 25.6 in a bucket. */
typedef struct orr_event {
    int64_t  time;   /**< ns */
    uint64_t key;    /**< origin (24 bits) and the origin's sequence number (40 bits) */
    uint32_t target; /**< process (24 bits) and kind (8 bits) */
    uint32_t handle; /**< timers: the model's own index; messages: a place in the lane's store; timers that can be cancelled: a slot of their process */
} orr_event;

enum {
    ORR_QUEUE_BOTTOM = 64, /**< most events in the bottom */
    ORR_QUEUE_RUNGS = 48,  /**< a rung in place of a bucket divides it by 8 or more: 43 divide 128 bits */
};

typedef struct orr_rung        orr_rung;
typedef struct orr_event_block orr_event_block;

/**
 * Invariants: the bottom is sorted, its first event last; every event whose order is below `bottom_end` is in the bottom; every
 * other one is in the finest rung whose end is beyond it. Without rungs `bottom_end` is the greatest order there is.
 */
typedef struct orr_queue {
    orr_event         bottom[ORR_QUEUE_BOTTOM + 1];
    uint32_t          bottom_count, rungs;
    uint64_t          count; /**< events in all */
    int64_t           now;   /**< time of the last event popped */
    unsigned __int128 bottom_end;
    orr_rung         *rung[ORR_QUEUE_RUNGS]; /**< coarse to fine; allocated at first use, then kept */
    orr_event_block  *unused;
    void             *chunks; /**< where blocks come from, newest first */
    uint32_t          chunk_blocks;
    bool              out_of_memory; /**< nothing may be done any more but destroy it */
} orr_queue;

void orr_queue_init(orr_queue *queue);
void orr_queue_destroy(orr_queue *queue);

/**
 * Adds an event whose time is not negative, nor before that of the last event popped. False when out of memory. The fields come in registers: an
 * event put together in memory would be read again, in wider pieces, before its stores are done, and wait for them.
 */
bool orr_queue_push(orr_queue *queue, int64_t time, uint64_t key, uint32_t target, uint32_t handle);

/** Fills the bottom, which is empty while the queue is not. False when out of memory. */
bool orr_queue_refill(orr_queue *queue);

/** Calls back for every event, in no particular order. */
void orr_queue_each(const orr_queue *queue, void (*visit)(void *context, const orr_event *event), void *context);

/** Removes the events for which `keep` says false, in time proportional to their number. False when out of memory. */
bool orr_queue_filter(orr_queue *queue, bool (*keep)(void *context, const orr_event *event), void *context);

/** The place of an event in the total order as one number, so that comparing needs no branch. */
static inline unsigned __int128 orr_event_order(const orr_event *e) { return (unsigned __int128)(uint64_t)e->time << 64 | e->key; }

static inline bool orr_event_before(const orr_event *a, const orr_event *b) { return orr_event_order(a) < orr_event_order(b); }

/** The first event, valid until the next push or pop; NULL if there is none or when out of memory. */
static inline const orr_event *orr_queue_first(orr_queue *queue)
{
    if (queue->bottom_count == 0 && (queue->count == 0 || !orr_queue_refill(queue)))
        return NULL;
    return &queue->bottom[queue->bottom_count - 1];
}

/** Removes the event that orr_queue_first returned. */
static inline orr_event orr_queue_pop(orr_queue *queue)
{
    assert(queue->bottom_count > 0);
    orr_event first = queue->bottom[--queue->bottom_count];
    queue->count--;
    queue->now = first.time;
    return first;
}

/** The event `ahead` places behind the first, if it is known yet, else NULL: for prefetching. */
static inline const orr_event *orr_queue_soon(const orr_queue *queue, uint32_t ahead)
{
    return queue->bottom_count > ahead ? &queue->bottom[queue->bottom_count - 1 - ahead] : NULL;
}

#endif
