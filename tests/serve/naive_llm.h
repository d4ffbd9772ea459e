/**
 * Naive llm servers: the oracle of serve/llm.c.
 *
 * They step through every iteration, one at a time, with loops over plain arrays: no heap, no plan, no closed form, no list of nodes. With
 * the jumping server they share the durations of iterations (serve/roofline.h) and the written rules, those of llm.h, in full:
 *
 * - At a moment boundaries come first, then arrivals, then what was handed over, then cancellations, then a stop. Who arrives or is cancelled
 *   at a boundary, or where nothing runs, enters or leaves at once; otherwise at the next boundary. After each such thing the queue is tried.
 * - At a boundary: tokens of the iteration that ends; who is done leaves, in order of index, as cancelled if it was cancelled before; prompts, in
 *   order of entrance: who was cancelled leaves, who is complete decodes; contexts that have reached the limit; who was cancelled
 *   leaves, in order of index; while the blocks in use are too many, the one that entered last is preempted; if nobody was, the queue is tried.
 *   Who was preempted bars the queue until the next boundary, or until nothing runs.
 * - A sequence owns the blocks of its prompt and one token and of what its steps have made since, but for those in its pinned nodes.
 * - Nodes without pins give way when time moves on, the one first whose last pin went first: to what was in use in the time that has passed.
 * - A *composition* begins when somebody joins or leaves or reaches the limit, and after every iteration with prompts; constants
 *   are rounded then, and its j-th iteration takes first + j*slope.
 */
#ifndef ORRERY_TESTS_SERVE_NAIVE_LLM_H
#define ORRERY_TESTS_SERVE_NAIVE_LLM_H

#include "serve/llm.h"

enum { NAIVE_SERVERS = 2 };

typedef enum naive_place { NAIVE_NOT_YET, NAIVE_WAITING, NAIVE_PROMPT, NAIVE_DECODING, NAIVE_HELD, NAIVE_DONE, NAIVE_CANCELLED } naive_place;

/** What a request wants. */
typedef struct naive_wish {
    int64_t  arrives_ns, cancels_ns; /**< ORR_NEVER: is not cancelled; else after it arrives */
    int64_t  carry_ns;               /**< how long its KV is on the way, if it is handed over; at least 1 */
    uint32_t cancel_rank;            /**< order of cancellations at one moment */
    uint32_t input, prefix, output, steps, class_;
    uint32_t blocks, block_count;    /**< as in orr_job */
    uint64_t session;
    int64_t *token;                  /**< the caller's array of `output` entries: when each token was there, in 2^-10 ns */
} naive_wish;

/** A request: what it wants, and what became of it. */
typedef struct naive_request {
    naive_wish  wish;
    naive_place place;
    uint32_t    server;
    bool        cancelled, cancel_heard, received, far; /**< far: its context has reached the limit */
    int64_t     queue_number;                           /**< the least is the head */
    uint64_t    entered;                                /**< order of entrance into the batch */
    uint32_t    prompt, prompt_done, chunk, known;      /**< known: how far its prompt was found or computed, ever */
    uint32_t    before, steps, steps_made, rate, pinned;
    uint32_t    cached, produced;
    int64_t     started_ns, first_ns, carried_ns, end_ns;
} naive_request;

/** An iteration that was completed, as orr_llm_span has it. */
typedef struct naive_iteration {
    int64_t  start, duration, context;
    uint32_t decoding, stalled, prompts, prompt_tokens;
} naive_iteration;

/** From `at` on (2^-10 ns) so much KV was in use. */
typedef struct naive_use {
    int64_t at, tokens;
} naive_use;

/** What one server did: as in orr_llm. */
typedef struct naive_totals {
    uint64_t  iterations, prompt_iterations, steps, admissions, preemptions, produced, surplus, prefilled, recomputed;
    int64_t   decode_time, prompt_time, batch_time, slot_time;
    int64_t   void_time;             /**< of an iteration that a stop has cut off */
    int64_t   bar_ns;                /**< the last whole nanosecond at which somebody was preempted; 0: none */
    int64_t   cache_blocks, evicted; /**< of nodes: at the end; that gave way */
    uint64_t  prompts_preempted, crossings, bars_lifted;
    orr_array iteration, use; /**< naive_iteration, naive_use; the caller clears them */
} naive_totals;

/** One server, or two of which the first hands over to the second. */
typedef struct naive_scene {
    orr_llm_kind    kind[NAIVE_SERVERS];
    uint32_t        servers, count;
    naive_request  *request;                /**< sorted by arrival */
    const uint64_t *block_hashes;
    int64_t         stops_ns[NAIVE_SERVERS]; /**< ORR_NEVER: it is not stopped */
} naive_scene;

/** Runs all requests to their ends. */
void naive_llm_run(const naive_scene *scene, naive_totals totals[NAIVE_SERVERS]);

#endif
