#include "statistics/mser.h"

#include <math.h>
#include <stdlib.h>

enum { NO_CANDIDATES = 5 }; /* batches at the end */

static double batch_at(const double *value, size_t batch)
{
    double sum = 0;
    for (size_t i = 0; i < ORR_MSER_BATCH; i++)
        sum += value[batch * ORR_MSER_BATCH + i];
    return sum / ORR_MSER_BATCH;
}

orr_truncation orr_mser(const double *value, size_t count)
{
    size_t batches = count / ORR_MSER_BATCH, best = 0;
    double mean = 0, squares = 0, least = INFINITY, kept = 0;
    if (count < ORR_MSER_LEAST)
        return (orr_truncation){0};
    /* From the end, one batch at a time (Welford), so that all candidates together cost one pass. */
    for (size_t j = batches; j-- > 0;) {
        double z = batch_at(value, j), from_mean = z - mean;
        kept++;
        mean += from_mean / kept;
        squares += from_mean * (z - mean);
        if (j > batches - 1 - NO_CANDIDATES)
            continue;
        double mser = squares / (kept * kept);
        if (mser <= least) {
            least = mser;
            best = j;
        }
    }
    if (2 * best > batches)
        return (orr_truncation){0};
    return (orr_truncation){.first = best * ORR_MSER_BATCH, .settled = true};
}

static void average(const orr_replication *r, size_t count, size_t policy, size_t length, double *mean)
{
    for (size_t t = 0; t < length; t++) {
        double sum = 0, n = 0;
        for (size_t i = 0; i < count; i++)
            if (r[i].policy == policy && !isnan(r[i].value[t])) {
                sum += r[i].value[t];
                n++;
            }
        mean[t] = n > 0 ? sum / n : t > 0 ? mean[t - 1] : 0;
    }
}

bool orr_mser_shared(const orr_replication *r, size_t count, size_t policies, orr_truncation *truncation)
{
    size_t length = count > 0 ? r[0].count : 0;
    for (size_t i = 1; i < count; i++)
        length = r[i].count < length ? r[i].count : length;
    double *mean = calloc(length + 1, sizeof *mean);
    *truncation = (orr_truncation){.settled = mean != NULL && length > 0};
    for (size_t policy = 0; policy < policies && truncation->settled; policy++) {
        average(r, count, policy, length, mean);
        orr_truncation own = orr_mser(mean, length);
        truncation->settled = own.settled;
        truncation->first = !own.settled ? 0 : own.first > truncation->first ? own.first : truncation->first;
    }
    free(mean);
    return mean != NULL;
}
