#include "serve/roofline.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

static const double SMOOTH = 1.4; /* exponent of the smooth maximum, fitted with the coefficients */
static const double NS = 1e9;

static const double TOKENS = 1.0 / (1 << ORR_TOKEN_BITS); /* of a context */

static int64_t quanta(double ns) { return llrint(ns * (1 << ORR_QUANTUM_BITS)); }

/* Everything but attention over prompts and the cache of decoding sequences. */
static double without_context(const orr_roofline *r, uint32_t sequences, double tokens)
{
    double c = r->compute_ns * tokens, weights = r->all_power;
    if (tokens < r->all_tokens)
        weights = pow(r->dense_ns + r->expert_ns * (1 - pow(1 - r->top_k / r->experts, tokens)), SMOOTH);
    return r->base_ns + r->sequence_ns * sequences + pow(pow(c, SMOOTH) + weights, 1 / SMOOTH) +
           fmin(r->reduce_ns + r->reduce_token_ns * tokens, r->ring_ns + r->ring_token_ns * tokens);
}

/* Narrow floats that the card cannot multiply are only stored so, and widened: 4 bits to 8, or to 16 (weights only, as Marlin does on Ampere). */
static double peak_of(const orr_accelerator *a, const orr_pool *pool)
{
    double peak = a->bf16_flops;
    if (pool->narrow == ORR_NARROW_INT8 || (pool->narrow != ORR_NARROW_NOT && a->fp8_flops > 0))
        peak = fmax(peak, fmax(a->fp8_flops, a->int8_ops));
    if (pool->narrow == ORR_NARROW_FP4)
        peak = fmax(peak, a->fp4_flops);
    return peak;
}

bool orr_roofline_build(orr_roofline *r, const orr_world *world, const orr_pool *pool)
{
    const orr_accelerator *a = &world->accelerators[pool->accelerator];
    const orr_model_info *m = &world->models[world->services[pool->service].model];
    const orr_coefficients *k = &world->calibrations[pool->calibration].coefficients;
    double g = pool->group, stream = a->bandwidth_byte_s * k->bandwidth_efficiency;
    *r = (orr_roofline){.most = pool->max_batch, .experts = m->experts, .top_k = m->top_k, .limit = m->near_limit};
    r->base_ns = NS * (k->base_s + m->layers * k->layer_s);
    r->launch_ns = NS * m->layers * k->launch_s;
    r->prompt_launch_ns = NS * m->layers * k->prompt_launch_s;
    r->sequence_ns = NS * k->sequence_s;
    r->compute_ns = NS * 2 * m->active_parameters / g * (1 / (peak_of(a, pool) * k->compute_efficiency) + k->wide_share / a->bf16_flops);
    r->dense_ns = NS * (m->parameters - m->expert_parameters) * pool->weight_bytes * pool->data_parallel / (g * stream);
    r->expert_ns = NS * m->expert_parameters * pool->weight_bytes / (g * stream);
    r->all_power = pow(r->dense_ns + r->expert_ns, SMOOTH);
    r->all_tokens = m->experts > 0 ? log(0.25 * DBL_EPSILON) / log(1 - r->top_k / r->experts) : 0;
    double copies = pool->data_parallel, shards = m->attention == ORR_ATTENTION_MLA ? copies : copies * fmin(g / copies, m->kv_heads), read = pool->kv_bytes / (shards * a->bandwidth_byte_s * k->kv_efficiency);
    r->kv_ns = NS * m->read_elements_per_token * read;
    r->near_ns = NS * m->near_elements_per_token * read;
    double attend = NS * 4.0 * m->heads * m->head_dim / (g * a->bf16_flops * k->attention_efficiency);
    r->attention_ns = attend * m->full_layers;
    r->near_attention_ns = attend * m->near_layers;
    if (pool->group > 1) {
        double move = NS * m->layers * m->hidden * 2 / (a->link_byte_s * k->link_efficiency), part = g / copies, reduces = 2, exchange = 0;
        if (pool->data_parallel > 1) { /* there is one to reduce, of the copy's own tokens; the others go to where their experts are, and back */
            reduces = 1 / copies;
            exchange = 2 * move * fmin(m->experts > 0 ? m->top_k : g, g - 1) / g;
        }
        r->reduce_ns = NS * 2 * m->layers * k->all_reduce_s;
        r->reduce_token_ns = reduces * move * (part - 1) + exchange;
        r->ring_ns = r->reduce_ns + (part > 1 ? NS * 2 * m->layers * k->ring_s : 0);
        r->ring_token_ns = reduces * move * 2 * (part - 1) / part + exchange;
    }
    r->vision_ns = NS * 2 * m->vision_parameters * m->image_patches / (a->bf16_flops * k->compute_efficiency);
    r->further_tokens = m->step_tokens > 0 ? m->step_tokens - 1 : pool->drafts;
    r->step_ns = attend * m->full_layers * m->step_tokens * m->step_tokens;
    r->draft_share = pool->drafts * pool->draft_cost;
    r->decode = malloc(((size_t)r->most + 1) * sizeof *r->decode);
    if (r->decode == NULL)
        return false;
    for (uint32_t n = 0; n <= r->most; n++)
        r->decode[n] = quanta(fmax((1 + r->draft_share) * without_context(r, n, n * (1 + r->further_tokens)) + r->step_ns * n, r->launch_ns));
    return true;
}

void orr_roofline_destroy(orr_roofline *r)
{
    free(r->decode);
    r->decode = NULL;
}

void orr_roofline_add_prompt(const orr_roofline *r, orr_load *load, uint32_t done, uint32_t tokens)
{
    if (tokens == 0)
        return;
    double end = (double)done + tokens; /* the token at p attends to those before it, and half to itself */
    double below = r->limit > 0 ? fmin(fmax(0, (double)r->limit - done), tokens) : 0;
    load->prompts++;
    load->prompt_tokens += tokens;
    load->pairs += 0.5 * tokens * (done + end);
    load->near_pairs += below * (done + 0.5 * below) + (tokens - below) * r->limit;
}

int64_t orr_roofline_iteration(const orr_roofline *r, const orr_load *load)
{
    int64_t kv = quanta(TOKENS * (r->kv_ns * (double)load->context + r->near_ns * (double)load->near));
    if (load->prompts == 0)
        return r->decode[load->decoding] + kv;
    double attention = r->attention_ns * load->pairs + r->near_attention_ns * load->near_pairs;
    double drafts = load->decoding > 0 ? 1 + r->draft_share : 1;
    double work = drafts * without_context(r, load->decoding + load->prompts, load->decoding * (1 + r->further_tokens) + load->prompt_tokens) + attention + r->vision_ns * load->image_tokens + r->step_ns * load->decoding;
    return quanta(fmax(work, r->prompt_launch_ns)) + kv;
}

int64_t orr_roofline_step(const orr_roofline *r, uint32_t sequences, uint32_t context)
{
    uint32_t near = context < r->limit ? context : r->limit;
    orr_load load = {.decoding = sequences, .context = ((int64_t)sequences * context) << ORR_TOKEN_BITS, .near = ((int64_t)sequences * near) << ORR_TOKEN_BITS};
    return orr_roofline_iteration(r, &load);
}

int64_t orr_roofline_slope(const orr_roofline *r, int64_t rate, int64_t near_rate)
{
    return quanta(TOKENS * (r->kv_ns * (double)rate + r->near_ns * (double)near_rate));
}
