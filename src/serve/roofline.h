/**
 * Roofline: how long one iteration of continuous batching takes.
 *
 *     T = t0 + L*tl + n*tb + (c^1.4 + w^1.4)^(1/1.4) + kv + attention + communication
 *
 * with n sequences, c the arithmetic and w the touched weights of the iteration (design.md section 5; coefficients per accelerator in
 * the catalogue). Time is linear in the sum of contexts, so while nobody joins or leaves, iteration j takes T0 + j*slope. Both
 * are rounded once per composition to 2^-10 ns, so that a sum of iterations has an exact closed form.
 */
#ifndef ORRERY_SERVE_ROOFLINE_H
#define ORRERY_SERVE_ROOFLINE_H

#include "world/world.h"

enum { ORR_QUANTUM_BITS = 10 }; /**< server time is in 2^-10 ns */

/** Constants of one pool. Built once. */
typedef struct orr_roofline {
    double   base_ns, sequence_ns;     /**< t0 + L*tl; tb */
    double   compute_ns;               /**< arithmetic of one token */
    double   dense_ns, expert_ns;      /**< reading the weights outside the experts, and all the experts, once */
    double   dense_power;              /**< dense_ns to the power of the smooth maximum */
    double   experts, top_k;
    double   kv_ns;                    /**< reading the cache of one context token */
    double   attention_ns;             /**< prompt token times context token */
    double   reduce_ns, reduce_token_ns; /**< communication: per iteration, per token */
    uint32_t most;                     /**< largest batch */
    int64_t *decode;                   /**< per batch size 0..most: time without kv, in 2^-10 ns */
} orr_roofline;

/** False when out of memory. */
bool orr_roofline_build(orr_roofline *roofline, const orr_world *world, const orr_pool *pool);
void orr_roofline_destroy(orr_roofline *roofline);

/**
 * Time of one iteration in 2^-10 ns with `decoding` sequences whose contexts add up to `context`, and `prompt` prompt tokens of
 * `prompts` sequences, `pairs` being the sum over prompt tokens of the context that each attends to.
 */
int64_t orr_roofline_iteration(const orr_roofline *roofline, uint32_t decoding, int64_t context, uint32_t prompts, uint32_t prompt, double pairs);

/** By how much each further decode-only iteration is longer than the one before: every sequence has one more token. */
int64_t orr_roofline_slope(const orr_roofline *roofline, uint32_t decoding);

#endif
