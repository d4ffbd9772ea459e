/**
 * Naive llm server: the oracle of serve/llm.c.
 *
 * It steps through every iteration, one at a time, with loops over plain arrays: no heap, no plan, no closed form. With the jumping
 * server it shares the durations of iterations (serve/roofline.h) and the written rules:
 *
 * - Whatever happened at or before a boundary is known there: who arrived waits, who was cancelled leaves. Tokens of the
 *   iteration that ends come first: who is done at the very moment of its cancellation is done, who was cancelled before is not.
 * - Waiting requests enter in order of arrival, while a place is free and the cache holds all tokens of the first one.
 * - Prompts share what the decoding sequences leave of the token budget (at least one token), in order of entrance.
 * - A prefix is in the cache once a request of its class has completed its prompt; the last prompt token is always computed.
 * - A *composition* begins when somebody joins or leaves and after every iteration with prompts; constants are rounded then, and its
 *   j-th iteration takes first + j*slope.
 */
#ifndef ORRERY_TESTS_SERVE_NAIVE_LLM_H
#define ORRERY_TESTS_SERVE_NAIVE_LLM_H

#include "serve/llm.h"

typedef enum naive_place { NAIVE_NOT_YET, NAIVE_WAITING, NAIVE_PROMPT, NAIVE_DECODING, NAIVE_DONE, NAIVE_CANCELLED } naive_place;

/** A request: what it wants, and what became of it. */
typedef struct naive_request {
    int64_t     arrives_ns, cancels_ns; /**< ORR_NEVER: is not cancelled */
    uint32_t    input, prefix, output, class_;
    naive_place place;
    uint32_t    cached, prompt_done, chunk, produced;
    int64_t     first_ns, end_ns;
    int64_t    *token; /**< the caller's array of `output` entries: when each token was there, in 2^-10 ns */
} naive_request;

typedef struct naive_totals {
    uint64_t iterations, prompt_iterations, produced, prefilled;
    int64_t  decode_time, prompt_time, batch_time, slot_time; /**< as in orr_llm */
    orr_array boundary; /**< of int64_t, 2^-10 ns: every boundary in order; the caller clears it */
} naive_totals;

/** Runs all requests, sorted by arrival, to their ends. */
void naive_llm_run(const orr_llm_kind *kind, naive_request *requests, uint32_t count, naive_totals *totals);

#endif
