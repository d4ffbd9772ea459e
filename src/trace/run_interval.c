#include "trace/run_interval.h"

#include "statistics/batch_means.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t first_bin(int64_t from_ns, int64_t bin_ns) { return from_ns <= 0 ? 0 : (size_t)((from_ns + bin_ns - 1) / bin_ns); }

/* The metric as a series whose mean it is, for means over requests: at most `most` bins from the moment on. 0 values for other metrics. */
static size_t metric_by_bin(const orr_run_series *s, const char *key, int64_t from_ns, size_t most, double *value)
{
    static const char *const means[] = {"latency.ttft.mean", "latency.tpot.mean", "latency.e2e.mean"};
    size_t first = first_bin(from_ns, s->bin_ns), latency_first = first_bin(from_ns, s->latency_bin_ns);
    size_t n = s->bins > first ? s->bins - first : 0, latency_n = s->latency_bins > latency_first ? s->latency_bins - latency_first : 0;
    n = n < most ? n : most;
    latency_n = latency_n < most ? latency_n : most;
    if (strcmp(key, "slo_attainment") == 0)
        return orr_ratio_series(s->flow[ORR_FLOW_SLO_MET] + first, s->ended + first, n, value) ? n : 0;
    for (int m = 0; m < 3; m++)
        if (strcmp(key, means[m]) == 0)
            return orr_ratio_series(s->latency_sum_s[m] + latency_first, s->latency_count[m] + latency_first, latency_n, value) ? latency_n : 0;
    return 0;
}

static bool widen(orr_estimate *e, const double *value, size_t count, double level)
{
    orr_batch_estimate batches;
    if (count == 0 || isnan(e->mean))
        return true;
    if (!orr_batch_means(value, count, level, &batches))
        return false;
    double half = (batches.mean.high - batches.mean.low) / 2;
    e->low = e->mean - half;
    e->high = e->mean + half;
    e->p = batches.mean.p;
    return true;
}

bool orr_run_interval(const orr_run_series *run, const orr_run_series *other, const char *key, int64_t from_ns, double level, orr_estimate *own, orr_estimate *difference)
{
    size_t most = run->bins + (other != NULL ? other->bins : 0);
    double *a = calloc(most + 1, sizeof *a), *b = calloc(most + 1, sizeof *b);
    bool ok = a != NULL && b != NULL;
    size_t n = ok ? metric_by_bin(run, key, from_ns, SIZE_MAX, a) : 0;
    ok = ok && widen(own, a, n, level);
    if (ok && difference != NULL && other != NULL) {
        /* Without a duration one run may outlast the other by what was left in its queues. */
        size_t common = metric_by_bin(other, key, from_ns, n, b);
        common = metric_by_bin(run, key, from_ns, common, a);
        for (size_t i = 0; i < common; i++)
            a[i] -= b[i];
        ok = widen(difference, a, common, level);
    }
    free(a);
    free(b);
    return ok;
}
