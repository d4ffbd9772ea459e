#include "statistics/estimate.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>

static const double ROUNDING = 1e-12;

static orr_estimate without_interval(size_t count, double mean) { return (orr_estimate){.count = count, .mean = mean, .low = NAN, .high = NAN, .p = NAN}; }

static double difference(double a, double b)
{
    double d = a - b;
    return fabs(d) <= ROUNDING * fmax(fabs(a), fabs(b)) ? 0 : d;
}

/* `b` may be NULL: the values themselves. Two passes, so that nearly equal large values do not cancel. */
static orr_estimate estimate(const double *a, const double *b, size_t count, double level)
{
    double sum = 0, squares = 0, n = (double)count;
    for (size_t i = 0; i < count; i++)
        sum += b ? difference(a[i], b[i]) : a[i];
    if (count < 2)
        return without_interval(count, count == 0 ? NAN : sum);
    double mean = sum / n;
    for (size_t i = 0; i < count; i++) {
        double d = (b ? difference(a[i], b[i]) : a[i]) - mean;
        squares += fabs(d) <= ROUNDING * fabs(mean) ? 0 : d * d;
    }
    double error = sqrt(squares / (n - 1) / n);
    if (!(error > 0))
        return (orr_estimate){.count = count, .mean = mean, .low = mean, .high = mean, .p = mean < 0 || mean > 0 ? pow(2, 1 - n) : 1};
    double half = gsl_cdf_tdist_Pinv((1 + level) / 2, n - 1) * error;
    return (orr_estimate){.count = count, .mean = mean, .low = mean - half, .high = mean + half, .p = 2 * gsl_cdf_tdist_Q(fabs(mean) / error, n - 1)};
}

orr_estimate orr_estimate_mean(const double *value, size_t count, double level) { return estimate(value, NULL, count, level); }

orr_estimate orr_estimate_difference(const double *a, const double *b, size_t count, double level) { return estimate(a, b, count, level); }

double orr_estimate_correlation(const double *a, const double *b, size_t count)
{
    if (count < 3 || !(gsl_stats_variance(a, 1, count) > 0) || !(gsl_stats_variance(b, 1, count) > 0))
        return NAN;
    return gsl_stats_correlation(a, 1, b, 1, count);
}

double orr_estimate_variance_reduction(const double *a, const double *b, size_t count)
{
    if (count < 3)
        return NAN;
    double apart = gsl_stats_variance(a, 1, count) + gsl_stats_variance(b, 1, count), mean = 0, paired = 0;
    for (size_t i = 0; i < count; i++)
        mean += difference(a[i], b[i]) / (double)count;
    for (size_t i = 0; i < count; i++) {
        double d = difference(a[i], b[i]) - mean;
        paired += fabs(d) <= ROUNDING * fabs(mean) ? 0 : d * d / (double)(count - 1);
    }
    return apart > 0 ? paired > 0 ? apart / paired : INFINITY : NAN;
}
