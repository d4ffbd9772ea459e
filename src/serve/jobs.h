/**
 * Jobs: requests at a site that serves them, and the queues in which they stand.
 *
 * One array per site holds all of them; queues are lists threaded through `next`. A job is here from its arrival to its end.
 */
#ifndef ORRERY_SERVE_JOBS_H
#define ORRERY_SERVE_JOBS_H

#include "world/world.h"

/** Where a job is. */
typedef enum orr_job_state { ORR_JOB_FREE, ORR_JOB_WAITING, ORR_JOB_PROMPT, ORR_JOB_DECODING, ORR_JOB_SERVED_AT_STATION } orr_job_state;

/** At most 128 bytes, two cache lines: the first is what the batch touches, the second what the end of the job needs. */
typedef struct orr_job {
    uint32_t next, previous; /**< in its queue (index plus one); next also in the free list */
    uint8_t  state;     /**< orr_job_state */
    uint8_t  cancelled; /**< leaves at the next boundary */
    uint16_t attempt;
    uint32_t instance, pool;
    uint32_t input, output;         /**< tokens, at least 1 each */
    uint32_t prefix, cached;        /**< of the prompt: shared by the class; found in the cache when admitted (0 before) */
    uint32_t prompt_done;           /**< prompt tokens in the cache */
    uint32_t chunk;                 /**< prompt tokens in the iteration that runs */
    uint32_t rated;                 /**< output tokens already rated */
    uint64_t finish;                /**< llm: iteration after which it is done; station: virtual time at which it is done */
    int64_t  arrived_ns;
    int64_t  started_ns;
    int64_t  first_ns;              /**< first token at the server */
    int64_t  cost;                  /**< nano-yuan rated so far */
    uint32_t cohort, number;        /**< the request: its identity and its address for draws */
    uint32_t client;                /**< slot at its ingress */
    uint32_t ingress;               /**< site */
    uint16_t class_;
    uint16_t may_cancel;            /**< its client waits for the first token and may leave */
    uint16_t turn;                  /**< its lower 16 bits */
    uint16_t padding;
    int64_t  work_ns;               /**< stations: service requirement */
} orr_job;
static_assert(sizeof(orr_job) <= 128, "a job takes two cache lines");

typedef struct orr_job_queue {
    uint32_t head, tail, count; /**< head and tail: index plus one, 0 when empty */
} orr_job_queue;

static inline orr_job *orr_job_at(const orr_array *jobs, uint32_t index) { return (orr_job *)jobs->items + index; }

static inline void orr_job_enqueue(const orr_array *jobs, orr_job_queue *queue, uint32_t index)
{
    orr_job_at(jobs, index)->next = 0;
    orr_job_at(jobs, index)->previous = queue->tail;
    if (queue->tail != 0)
        orr_job_at(jobs, queue->tail - 1)->next = index + 1;
    else
        queue->head = index + 1;
    queue->tail = index + 1;
    queue->count++;
}

static inline uint32_t orr_job_dequeue(const orr_array *jobs, orr_job_queue *queue)
{
    uint32_t index = queue->head - 1;
    queue->head = orr_job_at(jobs, index)->next;
    if (queue->head == 0)
        queue->tail = 0;
    else
        orr_job_at(jobs, queue->head - 1)->previous = 0;
    queue->count--;
    return index;
}

/** Takes `index` out of the queue, wherever it stands. */
void orr_job_remove(const orr_array *jobs, orr_job_queue *queue, uint32_t index);

/** Something that happened to a job at `at_ns`; ORR_ADMITTED is told when part of the prompt was in the cache. */
typedef enum orr_outcome { ORR_ADMITTED, ORR_FIRST_TOKEN, ORR_JOB_DONE, ORR_JOB_CANCELLED } orr_outcome;

typedef struct orr_job_event {
    uint32_t    job;
    orr_outcome outcome;
    int64_t     at_ns;
} orr_job_event;

#endif
