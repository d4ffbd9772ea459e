#include "statistics/order_statistic.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort_double.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>

/* P(B <= k) for B binomial(n, q), with k = -1 allowed. */
static double at_most(long k, double q, unsigned n) { return k < 0 ? 0 : k >= (long)n ? 1 : gsl_cdf_binomial_P((unsigned)k, q, n); }

orr_order_interval orr_order_quantile(double *value, size_t count, double q, double level)
{
    unsigned n = (unsigned)count, low = 1, high = n;
    double tail = (1 - level) / 2;
    if (count == 0)
        return (orr_order_interval){.value = NAN, .low = NAN, .high = NAN, .level = NAN};
    gsl_sort(value, 1, count);
    while (low < high && at_most(low, q, n) <= tail) /* low + 1 would do: P(B < low + 1) */
        low++;
    while (high > low && 1 - at_most((long)high - 2, q, n) <= tail) /* high - 1 would do: P(B >= high - 1) */
        high--;
    return (orr_order_interval){
        .count = count,
        .value = gsl_stats_quantile_from_sorted_data(value, 1, count, q),
        .low = value[low - 1],
        .high = value[high - 1],
        .level = at_most((long)high - 1, q, n) - at_most((long)low - 1, q, n),
    };
}

orr_across orr_across_replications(double *value, size_t count, double level)
{
    return (orr_across){.mean = orr_estimate_mean(value, count, level), .median = orr_order_quantile(value, count, 0.5, level)};
}
