#include "engine/barrier.h"

#include <sched.h>
#include <unistd.h>

enum { SPINS = 4000 };

void orr_barrier_init(orr_barrier *barrier, uint32_t threads)
{
    atomic_init(&barrier->waiting, 0);
    atomic_init(&barrier->phase, 0);
    barrier->threads = threads;
    barrier->spins = (long)threads <= sysconf(_SC_NPROCESSORS_ONLN) ? SPINS : 1;
}

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

void orr_barrier_wait(orr_barrier *barrier)
{
    unsigned phase = atomic_load_explicit(&barrier->phase, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&barrier->waiting, 1, memory_order_acq_rel) + 1 == barrier->threads) {
        atomic_store_explicit(&barrier->waiting, 0, memory_order_relaxed);
        atomic_store_explicit(&barrier->phase, phase + 1, memory_order_release);
        return;
    }
    for (unsigned spins = 0; atomic_load_explicit(&barrier->phase, memory_order_acquire) == phase; spins++) {
        if (spins < barrier->spins)
            relax();
        else
            sched_yield();
    }
}
