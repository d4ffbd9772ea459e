#include "statistics/batch_means.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>

enum { MERGE = 4 };
static const double LEAST_P = 0.1; /* strict: to call correlated what is not costs length, the contrary costs the truth */

/* Means of batches of `size`, the first ones' remainder left out. Returns how many. */
static size_t batch(const double *value, size_t count, size_t size, double *mean)
{
    size_t batches = count / size, at = count % size;
    for (size_t b = 0; b < batches; b++) {
        double sum = 0;
        for (size_t i = 0; i < size; i++)
            sum += value[at++];
        mean[b] = sum / (double)size;
    }
    return batches;
}

/* One-sided, against positive correlation: C = 1 - (sum of squared successive differences) / (2 * sum of squared deviations) is nearly
 * normal with mean zero and variance (n - 2) / (n^2 - 1) if the batches are independent. Without any spread nothing speaks against it. */
static double von_neumann_p(const double *x, size_t count)
{
    double mean = 0, squares = 0, steps = 0, n = (double)count;
    for (size_t i = 0; i < count; i++)
        mean += x[i] / n;
    for (size_t i = 0; i < count; i++) {
        squares += (x[i] - mean) * (x[i] - mean);
        steps += i == 0 ? 0 : (x[i] - x[i - 1]) * (x[i] - x[i - 1]);
    }
    return squares > 0 ? gsl_cdf_ugaussian_Q((1 - steps / (2 * squares)) * sqrt((n * n - 1) / (n - 2))) : 1;
}

bool orr_batch_means(const double *value, size_t count, double level, orr_batch_estimate *e)
{
    double *mean = calloc(count + 1, sizeof *mean);
    size_t size = 1, batches = count;
    *e = (orr_batch_estimate){.size = 1, .ratio_p = NAN};
    if (mean == NULL)
        return false;
    for (; count / size >= ORR_BATCH_MEANS_LEAST && !e->reliable; size *= 2) {
        batches = batch(value, count, size, mean);
        e->size = size;
        e->ratio_p = von_neumann_p(mean, batches);
        e->reliable = e->ratio_p >= LEAST_P;
    }
    /* The last try: exactly twenty, which doubling may have missed by nearly half. */
    if (!e->reliable && count >= ORR_BATCH_MEANS_LEAST && e->size != count / ORR_BATCH_MEANS_LEAST) {
        e->size = count / ORR_BATCH_MEANS_LEAST;
        e->ratio_p = von_neumann_p(mean, batch(value, count, e->size, mean));
        e->reliable = e->ratio_p >= LEAST_P;
    }
    if (e->reliable) {
        size_t most = count / ORR_BATCH_MEANS_LEAST;
        e->size = e->size * MERGE < most ? e->size * MERGE : most;
    }
    batches = batch(value, count, e->size, mean);
    e->mean = orr_estimate_mean(mean, batches, level);
    if (!e->reliable)
        e->mean.low = e->mean.high = e->mean.p = NAN;
    free(mean);
    return true;
}

bool orr_ratio_series(const double *sum, const double *weight, size_t count, double *series)
{
    double all = 0, weights = 0;
    for (size_t i = 0; i < count; i++) {
        all += sum[i];
        weights += weight[i];
    }
    if (!(weights > 0))
        return false;
    double ratio = all / weights, mean = weights / (double)count;
    for (size_t i = 0; i < count; i++)
        series[i] = ratio + (sum[i] - ratio * weight[i]) / mean;
    return true;
}
