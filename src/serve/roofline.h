/**
 * Roofline: how long one iteration of continuous batching takes.
 *
 *     T = max(t0 + L*tl + n*tb + (c^1.4 + w^1.4)^(1/1.4) + attention + communication, launch) + kv
 *
 *     c             2*A*tokens/g * (1/(peak of the weights' precision * ec) + kb/peak of 16 bits): kb is what narrow weights do not spare
 *     w             bytes of the weights that the tokens touch over bandwidth * eb * accelerators; of E experts, k per token: 1 - (1 - k/E)^tokens
 *     attention     4 * heads * head_dim * layers * sum over prompt tokens of their context / (g * peak of 16 bits * eat)
 *     communication 2*L * the lesser of one shot, ar + (g-1)*tokens*H*2/(link*ecm), and a ring, ar + ar2 + 2*(g-1)/g*tokens*H*2/(link*ecm); none for g = 1
 *                   with copies of attention: within a copy once instead of twice, for its own tokens, and L*4*min(k, g-1)/g*tokens*H/(link*ecm) to the experts and back
 *     launch        L*thp with prompts, L*th without: the host's time to launch the kernels of eager layers
 *     kv            sum of contexts * bytes per token / (shards * bandwidth * ekv): as many shards as the group has, and the model has KV heads
 *
 * with n sequences and `tokens` decoding and prompt tokens. The smooth maximum's exponent and the form were fitted with the coefficients, which the
 * catalogue of calibrations has by accelerator, engine and model. Time is linear in the sum of contexts (of those up to a limit, for layers that look at a window or at the top k), so
 * while nobody joins, leaves or reaches the limit, iteration j takes T0 + j*slope. Both are rounded once per composition to 2^-10 ns, so
 * that a sum of iterations has an exact closed form.
 */
#ifndef ORRERY_SERVE_ROOFLINE_H
#define ORRERY_SERVE_ROOFLINE_H

#include "world/world.h"

enum {
    ORR_QUANTUM_BITS = 10, /**< server time is in 2^-10 ns */
    ORR_TOKEN_BITS = 16,   /**< contexts are in 2^-16 tokens: with speculation a step makes a fraction */
};

/** Constants of one pool. Built once. */
typedef struct orr_roofline {
    double   base_ns, sequence_ns;     /**< t0 + L*tl; tb */
    double   compute_ns;               /**< arithmetic of one token */
    double   dense_ns, expert_ns;      /**< reading the weights outside the experts, and all the experts, once */
    double   all_power;                /**< the sum of these to the power of the smooth maximum */
    double   all_tokens;               /**< with so many tokens, every expert is read: the share of the others is below what a double holds */
    double   experts, top_k;
    double   kv_ns;                    /**< reading the cache of one context token */
    double   near_ns;                  /**< the same in layers that look at `limit` tokens at most */
    double   attention_ns;             /**< prompt token times context token */
    double   near_attention_ns;        /**< the same in layers with a limit */
    double   reduce_ns, reduce_token_ns; /**< communication at one shot: per iteration, per token */
    double   ring_ns, ring_token_ns;   /**< the same by a ring */
    double   launch_ns, prompt_launch_ns; /**< least time of an iteration, KV apart: without prompts, with prompts */
    double   vision_ns;                /**< more for a prompt token of an image: its encoder, on one accelerator */
    double   step_ns;                  /**< more for a decoding sequence: attention among the latent tokens of an image */
    double   further_tokens;           /**< of a decoding sequence in an iteration, beside one: its drafts; the latent tokens of an image, less one */
    double   draft_share;              /**< time of proposing drafts, relative to an iteration without */
    uint32_t limit;                    /**< tokens; 0: no layer has a limit */
    uint32_t most;                     /**< largest batch */
    int64_t *decode;                   /**< per batch size 0..most: time without kv, in 2^-10 ns */
} orr_roofline;

/** What one iteration has to do. */
typedef struct orr_load {
    uint32_t decoding;          /**< sequences that decode */
    uint32_t prompts, prompt_tokens;
    uint32_t image_tokens;      /**< of these, of images */
    int64_t  context, near;     /**< of those that decode: sum of contexts; of contexts up to the limit. 2^-16 tokens */
    double   pairs, near_pairs; /**< sum over prompt tokens of the context that each attends to; the same up to the limit */
} orr_load;

/** False when out of memory. */
bool orr_roofline_build(orr_roofline *roofline, const orr_world *world, const orr_pool *pool);
void orr_roofline_destroy(orr_roofline *roofline);

/** Adds `tokens` tokens of a prompt of which `done` are in the cache. */
void orr_roofline_add_prompt(const orr_roofline *roofline, orr_load *load, uint32_t done, uint32_t tokens);

/** Time of one iteration in 2^-10 ns. */
int64_t orr_roofline_iteration(const orr_roofline *roofline, const orr_load *load);

/** Time of an iteration in which `sequences` decode, each with a context of `context` tokens, in 2^-10 ns. */
int64_t orr_roofline_step(const orr_roofline *roofline, uint32_t sequences, uint32_t context);

/** By how much each further decode-only iteration is longer than the one before: contexts grow by `rate`, those up to the limit by `near_rate` (2^-16 tokens). */
int64_t orr_roofline_slope(const orr_roofline *roofline, int64_t rate, int64_t near_rate);

#endif
