/*
 * The hold model: pop the first event, push it again a random time later; nanoseconds per such pair (Jones, CACM 29(4), 1986). Increments
 * come from a table, so that what is measured is the queue. Beside exponential ones those that break bucketed queues: all alike
 * (a whole generation at one nanosecond), bimodal (one in ten a thousand times as long), and Pareto with an infinite mean.
 */
#include "base/random.h"
#include "heap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { INCREMENTS = 16381, LAWS = 4 };

static const char *const law_names[LAWS] = {"exponential", "all ties", "bimodal", "heavy tail"};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void draw_increments(int64_t *increment, int law)
{
    for (uint32_t i = 0; i < INCREMENTS; i++) {
        orr_bits bits = orr_random_bits(1, ORR_STREAM_TEST, (uint64_t)law, i, 0);
        double u = orr_random_unit(bits.low), exponential = -1e6 * log(u);
        increment[i] = law == 0   ? (int64_t)exponential
                       : law == 1 ? 1000000
                       : law == 2 ? (int64_t)(orr_random_below(bits.high, 10) == 0 ? 1e3 * exponential : exponential)
                                  : (int64_t)(1e3 * pow(u, -1 / 0.9));
    }
}

typedef struct hold {
    const int64_t *increment;
    uint32_t       pending;
    uint64_t       holds;
} hold;

/* Two loops that differ in the queue alone. */
static double hold_ladder(const hold *h)
{
    orr_queue queue;
    uint64_t key = 0, next = 0;
    orr_queue_init(&queue);
    for (uint32_t k = 0; k < h->pending; k++, next = next + 1 == INCREMENTS ? 0 : next + 1)
        if (!orr_queue_push(&queue, h->increment[next], key++, 0, 0))
            exit(EXIT_FAILURE);
    double began = 0;
    for (uint64_t k = 0; k < h->holds + h->pending; k++, next = next + 1 == INCREMENTS ? 0 : next + 1) {
        if (k == h->pending) /* a generation to settle */
            began = now();
        if (orr_queue_first(&queue) == NULL)
            exit(EXIT_FAILURE);
        orr_event e = orr_queue_pop(&queue);
        orr_queue_push(&queue, e.time + h->increment[next], key++, e.target, e.handle);
    }
    double took = now() - began;
    orr_queue_destroy(&queue);
    return 1e9 * took / (double)h->holds;
}

static double hold_heap(const hold *h)
{
    orr_array heap;
    uint64_t key = 0, next = 0;
    orr_array_init(&heap, sizeof(orr_event));
    for (uint32_t k = 0; k < h->pending; k++, next = next + 1 == INCREMENTS ? 0 : next + 1)
        if (!heap_push(&heap, (orr_event){h->increment[next], key++, 0, 0}))
            exit(EXIT_FAILURE);
    double began = 0;
    for (uint64_t k = 0; k < h->holds + h->pending; k++, next = next + 1 == INCREMENTS ? 0 : next + 1) {
        if (k == h->pending)
            began = now();
        orr_event e = heap_pop(&heap);
        e.time += h->increment[next];
        e.key = key++;
        heap_push(&heap, e);
    }
    double took = now() - began;
    orr_array_clear(&heap);
    return 1e9 * took / (double)h->holds;
}

int main(int argc, char **argv)
{
    static const uint32_t sizes[] = {10, 1000, 100000, 1000000, 10000000};
    static int64_t increment[INCREMENTS];
    size_t count = argc > 1 ? (size_t)atoi(argv[1]) : sizeof sizes / sizeof *sizes;
    printf("hold model, ns per pop and push, ladder (4-ary heap)\n%-12s", "pending");
    for (size_t i = 0; i < count; i++)
        printf("%16u", sizes[i]);
    for (int law = 0; law < LAWS; law++) {
        printf("\n%-12s", law_names[law]);
        draw_increments(increment, law);
        for (size_t i = 0; i < count; i++) {
            hold h = {increment, sizes[i], sizes[i] < 1000000 ? 10000000 : 2 * (uint64_t)sizes[i]};
            printf("%8.0f (%5.0f)", hold_ladder(&h), hold_heap(&h));
            fflush(stdout);
        }
    }
    printf("\n");
    return EXIT_SUCCESS;
}
