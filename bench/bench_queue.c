/* The hold model: pop the first event, push it again a random time later; nanoseconds per such pair (Jones, CACM 29(4), 1986). */
#include "base/random.h"
#include "engine/queue.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* xorshift: the bench measures the queue, not the randomness. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

static int64_t exponential(uint64_t *state) { return (int64_t)(-1e6 * log(orr_random_unit(next_random(state)))); }

int main(void)
{
    static const uint32_t sizes[] = {1000, 100000, 1000000, 10000000};
    printf("hold model, ns per pop and push:");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        orr_queue queue;
        uint64_t state = 88172645463325252u, key = 0, holds = sizes[i] < 1000000 ? 10000000 : 5000000;
        orr_queue_init(&queue);
        for (uint32_t k = 0; k < sizes[i]; k++)
            if (!orr_queue_push(&queue, (orr_event){exponential(&state), key++, 0, 0}))
                return EXIT_FAILURE;
        double began = now();
        for (uint64_t k = 0; k < holds; k++) {
            orr_event e = orr_queue_pop(&queue);
            e.time += exponential(&state);
            e.key = key++;
            orr_queue_push(&queue, e);
        }
        printf("  %u: %.0f", sizes[i], 1e9 * (now() - began) / (double)holds);
        fflush(stdout);
        orr_queue_destroy(&queue);
    }
    printf("\n");
    return EXIT_SUCCESS;
}
