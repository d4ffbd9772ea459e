#include "trace/summary_times.h"

#include "base/time.h"

#include <math.h>

void orr_summary_put(cJSON *object, const char *name, double value)
{
    if (isfinite(value))
        cJSON_AddNumberToObject(object, name, value);
    else
        cJSON_AddNullToObject(object, name);
}

void orr_summary_times(cJSON *to, const orr_histogram *h, const orr_shelf *shelf, int64_t count, double sum_s, int64_t largest)
{
    static const struct {
        const char *name;
        double      q;
    } quantile[] = {{"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}};
    orr_summary_put(to, "mean", count > 0 ? sum_s / (double)count : NAN);
    for (size_t i = 0; i < sizeof quantile / sizeof *quantile; i++) {
        int64_t q = orr_histogram_quantile(h, shelf, quantile[i].q);
        orr_summary_put(to, quantile[i].name, q < 0 ? NAN : (double)(q > largest ? largest : q) / ORR_SECOND);
    }
    orr_summary_put(to, "count", (double)count);
}

double orr_summary_middle_s(int64_t bucket) { return ((double)bucket + (double)(orr_histogram_upper(bucket) - 1)) / 2 / ORR_SECOND; }
