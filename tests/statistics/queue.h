/**
 * Queue: a single server with Poisson arrivals and exponential service, by Lindley's recursion, whose truths are known.
 *
 * W(n+1) = max(0, W(n) + S(n) - A(n)) for the waiting times of successive customers (Lindley, 1952). Service takes 1 on average. In steady state the time in the
 * system is exponential with mean 1 / (1 - load). Begins empty. Draws are at the customer's address, so two queues with the same seed and arrivals meet the same customers.
 */
#ifndef ORRERY_TESTS_STATISTICS_QUEUE_H
#define ORRERY_TESTS_STATISTICS_QUEUE_H

#include <stddef.h>
#include <stdint.h>

typedef struct queue {
    uint64_t seed, arrivals, services; /* entities of the draws */
    double   load;
    double   wait;
    uint32_t customer;
} queue;

/** Time in the system of the next customer. */
double queue_next(queue *q);

/** The same with the time since the customer before and its service. */
double queue_next_with(queue *q, double *gap, double *service);

/** Fills `time` with the times in the system of the next `count` customers. */
void queue_fill(queue *q, double *time, size_t count);

/** Bins of length `width` from time 0: in the system at the end of each, arrived and left in it. `load_at` is the load by bin. */
void queue_bins(uint64_t seed, const double *load_at, double width, size_t bins, double *in_system, double *arrived, double *left);

/** A standard normal value at the address (seed, entity, number). */
double normal_at(uint64_t seed, uint64_t entity, uint32_t number);

#endif
