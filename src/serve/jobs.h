/**
 * Jobs: requests at a site that serves them, and the queues in which they stand.
 *
 * One array per site holds all of them; queues are lists threaded through `next`. A job is here from its arrival to its end.
 */
#ifndef ORRERY_SERVE_JOBS_H
#define ORRERY_SERVE_JOBS_H

#include "world/world.h"

/** Where a job is. HELD: its prompt is done and its KV is on the way to where it will be decoded; ENDED: its end has been told, the owner frees it. */
typedef enum orr_job_state { ORR_JOB_FREE, ORR_JOB_WAITING, ORR_JOB_PROMPT, ORR_JOB_DECODING, ORR_JOB_HELD, ORR_JOB_ENDED, ORR_JOB_SERVED_AT_STATION } orr_job_state;

/** At most 192 bytes, three cache lines: the first is what the batch touches, the second what the end of the job needs. */
typedef struct orr_job {
    uint32_t next, previous; /**< in its queue (index plus one); next also in the free list */
    uint8_t  state;     /**< orr_job_state */
    uint8_t  cancelled; /**< leaves at the next boundary */
    uint8_t  received;  /**< its KV was computed elsewhere and has arrived */
    uint8_t  near;      /**< its context is below the roofline's limit */
    uint32_t instance, pool;        /**< where it is now */
    uint32_t input, output;         /**< tokens, at least 1 each */
    uint32_t prompt;                /**< tokens to have in the cache before it decodes: input, and after a preemption what it had produced */
    uint32_t prompt_done, chunk;    /**< of these: in the cache; in the iteration that runs */
    uint32_t shared, pinned;        /**< of these: tokens in nodes of the prefix cache; how many nodes */
    uint32_t before;                /**< answer tokens produced before the prompt that it has now; all that were, when it has ended */
    uint32_t steps, rate;           /**< decode iterations from its prompt on; tokens per iteration, 2^-16 */
    uint64_t finish;                /**< llm: decode iteration after which it is done; station: virtual time at which it is done */
    uint32_t cached, computed;      /**< prompt tokens that were found in the cache, to be metered as such; that were found or computed so far */
    uint32_t rated;                 /**< output tokens already rated */
    uint16_t class_, attempt;
    uint64_t admitted;              /**< order of entrance into the batch */
    int64_t  arrived_ns;
    int64_t  started_ns;
    int64_t  first_ns;              /**< first token at the server */
    int64_t  cost;                  /**< nano-yuan rated so far */
    uint32_t cohort, number;        /**< the request: its identity and its address for draws */
    uint32_t client;                /**< slot at its ingress */
    uint32_t ingress;               /**< site */
    uint64_t session;               /**< names the history that its prompt begins with; 0: there is none worth keeping */
    uint32_t prefix;                /**< prompt tokens that its class shares */
    uint32_t image_at, image;       /**< prompt tokens of images: the first, how many */
    uint32_t blocks, block_count;   /**< recorded block hashes of the input: first (index plus one, 0: none), how many; what is less than a part at its end is no node */
    uint32_t entry;                 /**< pool that was asked */
    uint16_t turn;                  /**< its lower 16 bits */
    uint8_t  may_cancel;            /**< its client waits for the first token and may leave */
    uint8_t  forgets;               /**< its answer is not what the next turn of its session begins with (it thought aloud) */
    uint8_t  padding[4];
    union {
        int64_t work_ns;            /**< station: service requirement */
        int64_t latest;             /**< llm: when it made its latest token, if it has not decoded since (its prompt is done, or its cache lost); 2^-10 ns */
    };
} orr_job;
static_assert(sizeof(orr_job) <= 192, "a job takes three cache lines");

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

/** Puts `index` at the head of the queue. */
void orr_job_push_front(const orr_array *jobs, orr_job_queue *queue, uint32_t index);

/** Takes `index` out of the queue, wherever it stands. */
void orr_job_remove(const orr_array *jobs, orr_job_queue *queue, uint32_t index);

/** What can happen to a job. */
typedef enum orr_outcome {
    ORR_ADMITTED,      /**< into the batch, `tokens` of its prompt being in the cache (told only if there are any) */
    ORR_FIRST_TOKEN,
    ORR_PREFILLED,     /**< its KV is to be carried to where it will be decoded */
    ORR_JOB_DONE,
    ORR_JOB_CANCELLED,
} orr_outcome;

typedef struct orr_job_event {
    uint32_t job, tokens;
    uint32_t outcome, padding; /**< orr_outcome */
    int64_t  at_ns;
} orr_job_event;

#endif
