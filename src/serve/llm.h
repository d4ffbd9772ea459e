/**
 * An llm instance: one replica with continuous batching, advanced by jumps.
 *
 * *Iterations.* In each, every decoding sequence makes one step (one token, or with speculation on average more), and prompts are
 * processed in chunks within the token budget (Agrawal et al., "Sarathi-Serve", OSDI 2024). Which of them share an iteration is
 * the engine's habit (orr_batching). The iteration that completes a prompt produces the first token. Requests join and leave at
 * iteration boundaries only; one that arrives exactly on a boundary joins there.
 *
 * *Memory.* KV is kept in blocks of some tokens (Kwon et al., "PagedAttention", SOSP 2023). A request enters when a place in the batch
 * and the blocks of its prompt and first token are free, with a reserve while others run; first come, first served. Blocks of prompts
 * stay in the prefix cache (prefix.h) until others have needed the room for some time: what happens at one moment takes no
 * hit from anybody at that moment, so that its order does not matter. When the decoding sequences cannot grow, the one that was admitted
 * last gives up its KV and waits at the head of the queue, to compute it again (recompute preemption); nobody enters at that boundary,
 * unless nothing runs any more.
 *
 * *Order at a boundary.* Tokens of the iteration that ends; who is done leaves; of the prompts, in order of entrance, cancelled ones leave
 * and complete ones decode; contexts that have reached the limit of sparse layers stop growing there; cancelled ones leave;
 * preemption; admission. Of those that decode the done, and the cancelled, leave in order of index: their nodes will give way in that order.
 *
 * *Jumps.* While the composition stays the same, m iterations take m*T0 + slope*m(m-1)/2, exactly, in integers of 2^-10 ns. So an
 * instance keeps one *plan*: from `start`, `iterations` steps, due at `due`. A plan ends at the first completion, or after
 * one iteration while there are prompts, or when a context reaches the limit or the memory is full, or earlier if a newcomer can join
 * at a boundary before. A boundary at which the composition stays as it was begins a plan that continues the same arithmetic.
 *
 * *Disaggregation.* An instance that hands over tells ORR_PREFILLED instead of decoding; the job's KV stays until orr_llm_release. Where it is
 * decoded it arrives as `received`, takes its blocks and decodes at once (Zhong et al., "DistServe", OSDI 2024).
 *
 * The instance knows nothing of events: its owner calls it at `due_ns` and when something arrives. Whatever happens to jobs is
 * appended to a list of orr_job_event, every plan that has run to a list of orr_llm_span. Every token of an answer but the first ends a time between
 * tokens: the length of an iteration of a span, or an orr_llm_gap.
 */
#ifndef ORRERY_SERVE_LLM_H
#define ORRERY_SERVE_LLM_H

#include "serve/jobs.h"
#include "serve/prefix.h"
#include "serve/roofline.h"

/** Which sequences share an iteration. */
typedef enum orr_batching {
    ORR_BATCH_MIXED,         /**< decoding ones and chunks of prompts */
    ORR_BATCH_WHOLE_PROMPTS, /**< decoding ones and prompts that fit whole (one that is longer than the budget goes alone) */
    ORR_BATCH_PROMPTS_FIRST, /**< chunks of prompts only, while there are any; decoding stands still */
} orr_batching;

/** What does not change: shared by the replicas of a pool. */
typedef struct orr_llm_kind {
    orr_roofline roofline;
    uint32_t     max_batch, token_budget, classes;
    uint32_t     batching;  /**< orr_batching */
    uint32_t     block;     /**< tokens per KV block; divides ORR_PREFIX_TOKENS */
    bool         keeps_prefixes, hands_over;
    int64_t      blocks, reserve; /**< KV blocks of a replica; of these kept free at admissions while others run */
} orr_llm_kind;

/** The state of one replica. Plain data; what a boundary touches stands first, together. */
typedef struct orr_llm {
    int64_t  start, first, slope, due; /**< the plan, in 2^-10 ns; due = ORR_NEVER when idle */
    int64_t  due_ns;                   /**< when the owner must call: due rounded up, or the boundary after it where nobody hears of the one at `due` */
    uint64_t iterations;               /**< of the plan */
    uint64_t iteration;                /**< how many were completed before the plan */
    uint64_t step;                     /**< of these, how many decoded */
    int64_t  context, rate;            /**< sums over decoding sequences at `start`: contexts; growth per step. 2^-16 tokens */
    int64_t  near, near_rate;          /**< the same of contexts up to the limit */
    uint64_t crossing;                 /**< step at which a context may reach the limit; UINT64_MAX: none */
    int64_t  shared;                   /**< of their contexts: tokens in nodes of the prefix cache */
    int64_t  prompt_blocks;            /**< KV blocks of prompts, in the batch or on their way elsewhere; nodes apart */
    uint32_t decoding;                 /**< sequences in the heap */
    uint32_t heap;                     /**< first place of its heap in the site's heap array: max_batch entries */
    orr_job_queue waiting, prompts;
    orr_prefix_cache cache;
    uint32_t pool;                     /**< the owner's: what it belongs to */
    uint32_t number;                   /**< the owner's: which of its instances it is */
    /* exact counters and integrals that every boundary moves */
    uint64_t plans;                    /**< that have run: what was computed instead of `iteration` iterations */
    uint64_t produced;                 /**< answer tokens made in all, 2^-16 */
    int64_t  accounted;                /**< the integrals hold up to here, 2^-10 ns */
    int64_t  decode_time, prompt_time; /**< integrals since the last orr_llm_account reset, in 2^-10 ns (times sequences) */
    int64_t  batch_time, slot_time;
    int64_t  stood_still;              /**< of those that decode, all that have made a step: since their last, 2^-10 ns */
    uint32_t leaving;                  /**< cancelled sequences still in the batch */
    bool     stalled, barred;          /**< the plan does not decode; nobody may enter at `start` */
    bool     waited;                   /**< of those that decode, some made their latest token before `start` */
    /* what happens once for a request */
    uint32_t shortcuts;                /**< first place of its class prefixes in the store's shortcuts: one per class */
    uint32_t foreseen_job;             /**< index plus one */
    int64_t  foreseen;                 /**< how long the iteration after the plan takes if only `foreseen_job` joins, 2^-10 ns; 0: not known */
    uint32_t foreseen_done, foreseen_chunk; /**< and of whose prompt so much is in the cache, and in the iteration */
    uint64_t admissions, preemptions, prompt_iterations;
    uint64_t surplus;                  /**< answer tokens in 2^-16: of those produced, beyond the whole tokens of those who left */
    uint64_t prefilled, recomputed;    /**< prompt tokens computed for the first time; again */
} orr_llm;

/** One sequence in the heap: it is done when `finish` steps are complete. Of those done together the one with the least job leaves first. */
typedef struct orr_llm_entry {
    uint64_t finish;
    uint32_t job, padding;
} orr_llm_entry;

/** A plan that has run: `iterations` of them from `start`, the j-th taking first + j*slope (2^-10 ns). */
typedef struct orr_llm_span {
    int64_t  start, first, slope, iterations;
    int64_t  context, rate;            /**< of sequences that decode or stand still: contexts at the start, their growth per iteration. 2^-16 tokens */
    uint32_t instance;                 /**< its number */
    uint32_t decoding;                 /**< sequences that made a step; 0 when they stood still */
    uint32_t stalled;                  /**< sequences that stood still */
    uint32_t prompts, prompt_tokens, waiting;
    uint32_t told_apart;               /**< 1 if its first iteration ends times between tokens that are not its length: they are in the list of orr_llm_gap */
} orr_llm_span;

/** Time between two tokens of one answer, of `count` sequences: they stood still, were preempted, or came from elsewhere. */
typedef struct orr_llm_gap {
    int64_t  time; /**< 2^-10 ns */
    uint32_t instance, count;
} orr_llm_gap;

/** The arrays of the site in which its instances live. */
typedef struct orr_llm_site {
    orr_array       *jobs;   /**< orr_job */
    orr_array       *heaps;  /**< orr_llm_entry */
    orr_array       *events; /**< orr_job_event: appended to */
    orr_array       *spans;  /**< orr_llm_span: appended to */
    orr_prefix_store store;
    const uint64_t  *block_hashes; /**< of recorded traces */
    orr_array       *gaps;   /**< orr_llm_gap: appended to; NULL if nobody wants to know */
} orr_llm_site;

void orr_llm_start(orr_llm *llm, uint64_t identity);

/** Brings the instance to `now_ns`: completes every boundary strictly before it. Call first, whenever anything happens. False when out of memory. */
bool orr_llm_catch_up(orr_llm *llm, const orr_llm_kind *kind, const orr_llm_site *site, int64_t now_ns);

/**
 * A job arrives: it waits, and the plan ends at the boundary where it can join. Its owner has set what it wants: input, output, class_, prefix, session,
 * blocks, received, and `steps`, in how many decode iterations it will make the tokens after the first (0: one token each).
 */
bool orr_llm_arrive(orr_llm *llm, const orr_llm_kind *kind, const orr_llm_site *site, uint32_t job, int64_t now_ns);

/** The owner calls at due_ns: completes every boundary up to `now_ns`. */
bool orr_llm_run(orr_llm *llm, const orr_llm_kind *kind, const orr_llm_site *site, int64_t now_ns);

/**
 * The client of a job has left: it leaves the queue at once, or the batch at the next boundary, which may be now. Brings the instance to `now_ns`,
 * boundaries at that moment included; a job that is done then is done, and no longer cancelled.
 */
bool orr_llm_cancel(orr_llm *llm, const orr_llm_kind *kind, const orr_llm_site *site, uint32_t job, int64_t now_ns);

/** The KV of a job that was handed over has arrived elsewhere: it is no longer held here. Boundaries at `now_ns` come before. */
bool orr_llm_release(orr_llm *llm, const orr_llm_kind *kind, const orr_llm_site *site, uint32_t job, int64_t now_ns);

/**
 * The replica is lost or taken out of service: the batch and the queue are emptied, every job told as ORR_JOB_CANCELLED in order of index,
 * and the prefix cache is gone. Iterations that were not complete are void.
 */
bool orr_llm_stop(orr_llm *llm, const orr_llm_kind *kind, const orr_llm_site *site, int64_t now_ns);

/**
 * Answer tokens of a job (after a catch-up to `now_ns`): those of completed boundaries, and of the plan that runs strictly before `now_ns`.
 * A step makes tokens in fractions, rounded up; the last token comes with the last step.
 */
uint32_t orr_llm_generated(const orr_llm *llm, const orr_job *job, int64_t now_ns);

/** The same in 2^-16 tokens, completed boundaries only: what orr_llm.produced counts. */
uint64_t orr_llm_made(const orr_llm *llm, const orr_job *job);

/** KV that a job holds at the latest completed boundary, nodes of the prefix cache apart: its context, or the blocks of its prompt. 2^-16 tokens. */
int64_t orr_llm_held(const orr_llm *llm, const orr_llm_kind *kind, const orr_job *job);

/** KV in use at the latest boundary before `now_ns` (after a catch-up to it), in tokens, by requests in the batch and their prefixes. */
int64_t orr_llm_kv_used(const orr_llm *llm, const orr_llm_kind *kind, int64_t now_ns);

/** Is there a boundary before `now_ns` that is not complete? */
static inline bool orr_llm_is_behind(const orr_llm *llm, int64_t now_ns) { return llm->due < now_ns * (INT64_C(1) << ORR_QUANTUM_BITS); }

/** Can the cache ever hold a request of so many tokens in all? */
static inline bool orr_llm_can_hold(const orr_llm_kind *kind, int64_t tokens) { return tokens <= kind->blocks * kind->block; }

/** Brings the integrals up to `now_ns` (after a catch-up to it). */
void orr_llm_account(orr_llm *llm, int64_t now_ns);

/** Mean time per decode step of the plan that runs, ns; 0 when idle. */
int64_t orr_llm_token_ns(const orr_llm *llm);

#endif
