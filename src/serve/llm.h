/**
 * An llm instance: one replica with continuous batching, advanced by jumps.
 *
 * *Iterations.* In each, every decoding sequence produces one token, and waiting prompts are processed in chunks
 * within the token budget (Agrawal et al., "Sarathi-Serve", OSDI 2024). The iteration that completes a prompt produces the first
 * token. Requests join and leave at iteration boundaries only; one that arrives exactly on a boundary joins there. A request is admitted when
 * a place in the batch is free and the cache can hold all its tokens; first come, first served.
 *
 * *Jumps.* While the composition stays the same, m iterations take m*T0 + slope*m(m-1)/2, exactly, in integers of 2^-10 ns. So an
 * instance keeps one *plan*: from `start`, `iterations` equal steps, due at `due`. A plan ends at the first completion, or after
 * one iteration while there are prompts, or earlier if a newcomer can join at a boundary before.
 *
 * The instance knows nothing of events: its owner calls it at `due_ns` and when something arrives. Whatever happens to jobs is
 * appended to a list of orr_job_event.
 */
#ifndef ORRERY_SERVE_LLM_H
#define ORRERY_SERVE_LLM_H

#include "serve/jobs.h"
#include "serve/roofline.h"

/** What does not change: shared by the replicas of a pool. */
typedef struct orr_llm_kind {
    orr_roofline roofline;
    uint32_t     max_batch, token_budget, classes;
    int64_t      kv_tokens;
} orr_llm_kind;

/** The state of one replica. Plain data. */
typedef struct orr_llm {
    int64_t  start, first, slope, due; /**< the plan, in 2^-10 ns; due = ORR_NEVER when idle */
    int64_t  due_ns;                   /**< due rounded up: when the owner must call */
    uint64_t iterations;               /**< of the plan */
    uint64_t iteration;                /**< how many were completed before the plan */
    uint64_t prompt_iterations;        /**< of all, those with prompts */
    int64_t  context;                  /**< sum of contexts of decoding sequences at `start` */
    int64_t  kv_used;                  /**< tokens reserved */
    uint32_t decoding;                 /**< sequences in the heap */
    uint32_t heap;                     /**< first place of its heap in the site's heap array: max_batch entries */
    uint32_t resident;                 /**< first place of its prefix flags in the site's byte array: one per class */
    uint32_t leaving;                  /**< cancelled sequences still in the batch */
    uint32_t pool;                     /**< the owner's: what it belongs to */
    orr_job_queue waiting, prompts;
    /* exact counters */
    uint64_t produced, prefilled;      /**< output tokens; prompt tokens computed (not from the cache) */
    int64_t  accounted;                /**< the integrals below hold up to here, 2^-10 ns */
    /* integrals since the last orr_llm_account reset, in 2^-10 ns (times sequences) */
    int64_t  decode_time, prompt_time;
    int64_t  batch_time, slot_time;
} orr_llm;

/** One sequence in the heap: it is done when `finish` iterations are complete. Ties by job do not matter: all leave at once. */
typedef struct orr_llm_entry {
    uint64_t finish;
    uint32_t job, padding;
} orr_llm_entry;

/** The arrays of the site in which its instances live. */
typedef struct orr_llm_site {
    orr_array *jobs;     /**< orr_job */
    orr_array *heaps;    /**< orr_llm_entry */
    orr_array *resident; /**< uint8_t */
    orr_array *events;   /**< orr_job_event: appended to */
} orr_llm_site;

void orr_llm_start(orr_llm *llm);

/** Brings the instance to `now_ns`: completes every boundary strictly before it. Call first, whenever anything happens. False when out of memory. */
bool orr_llm_catch_up(orr_llm *llm, const orr_llm_kind *kind, const orr_llm_site *site, int64_t now_ns);

/** A job arrives: it waits, and the plan ends at the boundary where it can join. */
bool orr_llm_arrive(orr_llm *llm, const orr_llm_kind *kind, const orr_llm_site *site, uint32_t job, int64_t now_ns);

/** The plan is due. */
bool orr_llm_due(orr_llm *llm, const orr_llm_kind *kind, const orr_llm_site *site);

/**
 * The client of a job has left: it leaves the queue at once, or the batch at the next boundary, which may be now. Brings the instance to `now_ns`,
 * boundaries at that moment included; a job that is done then is done, and no longer cancelled.
 */
bool orr_llm_cancel(orr_llm *llm, const orr_llm_kind *kind, const orr_llm_site *site, uint32_t job, int64_t now_ns);

/** Output tokens of a decoding job (after a catch-up to `now_ns`): those of completed boundaries, and of the plan that runs strictly before `now_ns`. */
uint32_t orr_llm_generated(const orr_llm *llm, const orr_job *job, int64_t now_ns);

/** Brings the integrals up to `now_ns` (after a catch-up to it). */
void orr_llm_account(orr_llm *llm, int64_t now_ns);

/** Time per output token of the plan that runs, ns; 0 when idle. */
int64_t orr_llm_token_ns(const orr_llm *llm);

#endif
