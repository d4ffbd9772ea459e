/**
 * Barrier: where the threads of a run wait for each other, twice per window.
 *
 * A window may last a few microseconds, so waiting spins first; after a while it yields, so that more threads than cores still get on.
 * Counter and phase (sense reversal: Mellor-Crummey and Scott, ACM TOCS 9(1), 1991).
 */
#ifndef ORRERY_ENGINE_BARRIER_H
#define ORRERY_ENGINE_BARRIER_H

#include <stdatomic.h>
#include <stdint.h>

typedef struct orr_barrier {
    _Alignas(64) atomic_uint waiting; /**< threads that have arrived in this phase */
    _Alignas(64) atomic_uint phase;
    uint32_t threads, spins; /* spins: none to speak of when there are more threads than cores */
} orr_barrier;

void orr_barrier_init(orr_barrier *barrier, uint32_t threads);

/** Returns when all threads have called it. What each wrote before is visible to all after. */
void orr_barrier_wait(orr_barrier *barrier);

#endif
