#include "statistics/queue.h"

#include "base/random.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

static double exponential(uint64_t bits) { return -log(orr_random_unit(bits)); }

double queue_next_with(queue *q, double *gap, double *service)
{
    *gap = exponential(orr_random_bits(q->seed, ORR_STREAM_TEST, q->arrivals, q->customer, 0).low) / q->load;
    *service = exponential(orr_random_bits(q->seed, ORR_STREAM_TEST, q->services, q->customer, 0).high);
    double time = q->wait + *service; /* the gap is that to the next customer */
    q->wait = fmax(0, time - *gap);
    q->customer++;
    return time;
}

double queue_next(queue *q)
{
    double gap, service;
    return queue_next_with(q, &gap, &service);
}

void queue_fill(queue *q, double *time, size_t count)
{
    for (size_t i = 0; i < count; i++)
        time[i] = queue_next(q);
}

void queue_bins(uint64_t seed, const double *load_at, double width, size_t bins, double *in_system, double *arrived, double *left)
{
    queue q = {.seed = seed, .arrivals = 1, .services = 2, .load = load_at[0]};
    double at = 0, end = width * (double)bins, present = 0;
    for (size_t b = 0; b < bins; b++)
        arrived[b] = left[b] = 0;
    while (at < end) {
        size_t bin = (size_t)(at / width);
        double gap, service, leaves;
        q.load = load_at[bin < bins ? bin : bins - 1];
        leaves = at + queue_next_with(&q, &gap, &service);
        arrived[bin < bins ? bin : bins - 1]++;
        if (leaves < end)
            left[(size_t)(leaves / width) < bins ? (size_t)(leaves / width) : bins - 1]++;
        at += gap;
    }
    for (size_t b = 0; b < bins; b++)
        in_system[b] = present += arrived[b] - left[b];
}

double normal_at(uint64_t seed, uint64_t entity, uint32_t number)
{
    return gsl_cdf_ugaussian_Pinv(orr_random_unit(orr_random_bits(seed, ORR_STREAM_TEST, entity, number, 0).low));
}
