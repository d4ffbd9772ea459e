/* The promises of batch_means.h, order_statistic.h, sequential.h, and of the correlation in estimate.h, against values worked out by hand. */
#include "statistics/batch_means.h"
#include "statistics/order_statistic.h"
#include "statistics/sequential.h"

#include "statistics/queue.h"
#include "support/tap.h"
#include <gsl/gsl_cdf.h>
#include <math.h>

/* --- batch means --- */

/* x(t+1) = phi x(t) + e: var(x) = 1 / (1 - phi^2), and n var(mean) -> 1 / (1 - phi)^2. Begins in steady state. */
static void fill_ar1(double *x, uint32_t count, double phi, uint64_t seed)
{
    x[0] = normal_at(seed, 1, 0) / sqrt(1 - phi * phi);
    for (uint32_t i = 1; i < count; i++)
        x[i] = phi * x[i - 1] + normal_at(seed, 1, i);
}

/* The standard error behind the interval, squared and averaged over 100 series, is that of theory within 10 %; Student's over single values is 19 times too small. */
START_TEST(batches_have_the_variance_of_an_autoregression)
{
    enum { COUNT = 20000, SERIES = 100 };
    static double x[COUNT];
    const double phi = 0.9;
    double variance = 0, reliable = 0;
    for (uint64_t s = 0; s < SERIES; s++) {
        orr_batch_estimate e;
        fill_ar1(x, COUNT, phi, 100 + s);
        ck_assert(orr_batch_means(x, COUNT, 0.95, &e));
        if (!e.reliable)
            continue;
        ck_assert(e.mean.count >= ORR_BATCH_MEANS_LEAST && e.ratio_p >= 0.1);
        reliable++;
        double half = (e.mean.high - e.mean.low) / 2 / gsl_cdf_tdist_Pinv(0.975, (double)e.mean.count - 1);
        variance += half * half;
    }
    ck_assert_double_ge(reliable, 95); /* the test calls some correlated that are not */
    ck_assert_double_eq_tol(variance / reliable * COUNT * (1 - phi) * (1 - phi), 1, 0.1);
}
END_TEST

START_TEST(white_noise_needs_no_long_batches)
{
    static double x[4000];
    orr_batch_estimate e;
    fill_ar1(x, 4000, 0, 3);
    ck_assert(orr_batch_means(x, 4000, 0.95, &e));
    ck_assert(e.reliable);
    ck_assert_uint_eq(e.size, 4);
    ck_assert_uint_eq(e.mean.count, 1000);
}
END_TEST

START_TEST(a_series_too_short_for_its_correlation_fails)
{
    static double x[400];
    orr_batch_estimate e;
    for (int i = 0; i < 400; i++)
        x[i] = sin(i / 400.0 * 6.283185307179586); /* one swell: whatever the batch, neighbours agree */
    ck_assert(orr_batch_means(x, 400, 0.95, &e));
    ck_assert(!e.reliable && isnan(e.mean.low) && isnan(e.mean.high) && isnan(e.mean.p) && !isnan(e.mean.mean));
    ck_assert_double_lt(e.ratio_p, 0.1);
}
END_TEST

START_TEST(fewer_than_twenty_values_fail)
{
    double x[20] = {1, -1, 2, -2, 1, -1, 2, -2, 1, -1, 2, -2, 1, -1, 2, -2, 1, -1, 2, -2};
    orr_batch_estimate e;
    ck_assert(orr_batch_means(x, 19, 0.95, &e));
    ck_assert(!e.reliable && isnan(e.mean.low));
    ck_assert(orr_batch_means(x, 20, 0.95, &e));
    ck_assert(e.reliable && !isnan(e.mean.low));
    ck_assert(orr_batch_means(x, 0, 0.95, &e));
    ck_assert(!e.reliable && isnan(e.mean.mean));
}
END_TEST

/* von Neumann by hand: of -1 -1 1 1, four times five, C = 1 - 4 * steps / (2 * 20), steps = the 9 changes of sign: C = 1 - 36/40 = 0.1; z = 0.1 sqrt(399/18) = 0.4708. */
START_TEST(von_neumanns_ratio_worked_out_by_hand)
{
    double x[20];
    orr_batch_estimate e;
    for (int i = 0; i < 20; i++)
        x[i] = i / 2 % 2 == 0 ? -1 : 1;
    ck_assert(orr_batch_means(x, 20, 0.95, &e));
    ck_assert_double_eq_tol(e.ratio_p, 0.318887, 1e-5); /* 1 - Phi(0.470814) */
}
END_TEST

/* Two bins: 10 s over 5 requests, 2 s over 1. r = 12/6 = 2; no bin deviates: (10 - 2*5)/3 = 0, (2 - 2*1)/3 = 0. With 3 s: r = 13/6, deviations (10 - 65/6)/3 = -5/18 and (3 - 13/6)/3 = 5/18. */
START_TEST(a_ratio_is_weighted_by_requests)
{
    double sum[] = {10, 2}, other[] = {10, 3}, weight[] = {5, 1}, none[] = {0, 0}, series[2] = {7, 7};
    ck_assert(orr_ratio_series(sum, weight, 2, series));
    ck_assert_double_eq_tol(series[0], 2, 1e-12);
    ck_assert_double_eq_tol(series[1], 2, 1e-12);
    ck_assert(orr_ratio_series(other, weight, 2, series));
    ck_assert_double_eq_tol(series[0], 13.0 / 6 - 5.0 / 18, 1e-12);
    ck_assert_double_eq_tol(series[1], 13.0 / 6 + 5.0 / 18, 1e-12);
    ck_assert(!orr_ratio_series(sum, none, 2, series));
    ck_assert_double_eq_tol(series[0], 13.0 / 6 - 5.0 / 18, 1e-12);
}
END_TEST

/* --- order statistics --- */

/* Median of ten: P(2 <= B <= 8) = 1 - 2 * 11/1024 = 0.97852 (David and Nagaraja, table of 7.1: ranks 2 and 9). Ranks 3 and 8 have 0.89063, too little. */
START_TEST(the_median_of_ten)
{
    double x[] = {9, 2, 7, 4, 5, 6, 3, 8, 1, 10};
    orr_order_interval i = orr_order_quantile(x, 10, 0.5, 0.95);
    ck_assert(i.low == 2 && i.high == 9 && i.value == 5.5 && i.count == 10);
    ck_assert_double_eq_tol(i.level, 1 - 22.0 / 1024, 1e-12);
    i = orr_order_quantile(x, 10, 0.5, 0.89);
    ck_assert(i.low == 3 && i.high == 8);
    ck_assert_double_eq_tol(i.level, 1 - 2 * 56.0 / 1024, 1e-12);
}
END_TEST

/* Five values: the extremes enclose the median with 1 - 2/32 = 0.9375 only, and say so. */
START_TEST(too_few_say_what_they_achieve)
{
    double x[] = {5, 1, 4, 2, 3};
    orr_order_interval i = orr_order_quantile(x, 5, 0.5, 0.95);
    ck_assert(i.low == 1 && i.high == 5);
    ck_assert_double_eq_tol(i.level, 0.9375, 1e-12);
    i = orr_order_quantile(x, 1, 0.5, 0.95);
    ck_assert(i.low == 5 || i.low == 1); /* the one value */
    ck_assert_double_eq_tol(i.level, 0, 1e-12);
    ck_assert(isnan(orr_order_quantile(x, 0, 0.5, 0.95).low));
}
END_TEST

/* The 0.9-quantile of 50: ranks l and u with P(B < l) and P(B >= u) at most 0.025 for binomial(50, 0.9): P(B <= 40) = 0.02454, P(B <= 41) = 0.05787, so l = 41;
 * P(B >= 49) = 0.03379, P(B >= 50) = 0.00515, so u = 50. Level 0.99485 - 0.02454 = 0.97031. */
START_TEST(a_high_quantile_is_not_symmetric)
{
    double x[50];
    for (int k = 0; k < 50; k++)
        x[k] = k + 1;
    orr_order_interval i = orr_order_quantile(x, 50, 0.9, 0.95);
    ck_assert(i.low == 41 && i.high == 50);
    ck_assert_double_eq_tol(i.level, 0.97031, 5e-5);
}
END_TEST

/* --- correlation --- */

/* a = 1 2 3 4, b = 2 2 4 4: deviations -1.5 -.5 .5 1.5 and -1 -1 1 1; r = 4 / sqrt(5 * 4) = 0.894427. a - b = -1 0 -1 0: variance 1/3; (5/3 + 4/3) / (1/3) = 9. */
START_TEST(what_pairing_was_worth)
{
    const double a[] = {1, 2, 3, 4}, b[] = {2, 2, 4, 4}, flat[] = {3, 3, 3, 3}, shifted[] = {2, 3, 4, 5};
    ck_assert_double_eq_tol(orr_estimate_correlation(a, b, 4), 0.8944271909999159, 1e-12);
    ck_assert_double_eq_tol(orr_estimate_variance_reduction(a, b, 4), 9, 1e-9);
    ck_assert(isnan(orr_estimate_correlation(a, flat, 4)) && isnan(orr_estimate_correlation(a, b, 2)));
    ck_assert_double_eq_tol(orr_estimate_variance_reduction(a, flat, 4), 1, 1e-9);
    ck_assert(isinf(orr_estimate_variance_reduction(a, shifted, 4)) && isnan(orr_estimate_variance_reduction(flat, flat, 4)));
}
END_TEST

/* --- sequential --- */

/* 1 2 3 4 5 (mean 3, s = 1.5811): half-width 1.96324. Wanted 1: t(n-1) 1.5811 / sqrt(n) <= 1 first at n = 13 (2.17881 * 1.5811 / 3.60555 = 0.95546; n = 12: 2.20099 * 1.5811 / 3.46410 = 1.00459);
 * doubling from 5 allows 10. */
START_TEST(seeds_are_added_by_the_present_variance)
{
    const double x[] = {1, 2, 3, 4, 5, 1, 2, 3, 4, 5};
    orr_sequential s = orr_sequential_next(x, 5, &(orr_precision){.absolute = 1, .level = 0.95, .least = 5});
    ck_assert(!s.reached && !s.exhausted);
    ck_assert_uint_eq(s.more, 5);
    ck_assert_double_eq_tol(s.half_width, 1.963243161477561, 1e-8);
    s = orr_sequential_next(x, 5, &(orr_precision){.absolute = 1.5, .level = 0.95, .least = 5}); /* n = 7: 2.44691 * 1.5811 / 2.64575 = 1.46228 */
    ck_assert_uint_eq(s.more, 2);
    s = orr_sequential_next(x, 5, &(orr_precision){.absolute = 2, .level = 0.95, .least = 5});
    ck_assert(s.reached && s.more == 0);
}
END_TEST

START_TEST(the_bounds_hold)
{
    const double x[] = {1, 2, 3, 4, 5};
    orr_sequential s = orr_sequential_next(x, 5, &(orr_precision){.absolute = 2, .level = 0.95, .least = 10}); /* narrow, but too early to say so */
    ck_assert(!s.reached && s.more == 5);
    s = orr_sequential_next(x, 5, &(orr_precision){.absolute = 1, .level = 0.95, .least = 5, .most = 7});
    ck_assert(!s.reached && s.more == 2);
    s = orr_sequential_next(x, 5, &(orr_precision){.absolute = 1, .level = 0.95, .least = 5, .most = 5});
    ck_assert(!s.reached && s.exhausted && s.more == 0);
    s = orr_sequential_next(x, 0, &(orr_precision){.absolute = 1, .level = 0.95});
    ck_assert(!s.reached && s.more == 2);
}
END_TEST

/* 60 % of the true mean: 0.6 / 1.6 = 0.375 of the estimated one, 1.125 of 3; 190 %: 0.655 * 3 = 1.9655 >= 1.96324. */
START_TEST(relative_is_of_the_true_mean)
{
    const double x[] = {1, 2, 3, 4, 5}, zero[] = {-1, 1, -1, 1};
    orr_sequential s = orr_sequential_next(x, 5, &(orr_precision){.relative = 0.6, .level = 0.95, .least = 5});
    ck_assert_double_eq_tol(s.wanted, 1.125, 1e-12);
    ck_assert(!s.reached);
    ck_assert(orr_sequential_next(x, 5, &(orr_precision){.relative = 1.9, .level = 0.95, .least = 5}).reached);
    s = orr_sequential_next(zero, 4, &(orr_precision){.relative = 0.1, .level = 0.95});
    ck_assert(!s.reached && s.more == 4);
}
END_TEST

int main(void)
{
    TCase *promises = tcase_create("promises");
    tcase_add_test(promises, batches_have_the_variance_of_an_autoregression);
    tcase_add_test(promises, white_noise_needs_no_long_batches);
    tcase_add_test(promises, a_series_too_short_for_its_correlation_fails);
    tcase_add_test(promises, fewer_than_twenty_values_fail);
    tcase_add_test(promises, von_neumanns_ratio_worked_out_by_hand);
    tcase_add_test(promises, a_ratio_is_weighted_by_requests);
    tcase_add_test(promises, the_median_of_ten);
    tcase_add_test(promises, too_few_say_what_they_achieve);
    tcase_add_test(promises, a_high_quantile_is_not_symmetric);
    tcase_add_test(promises, what_pairing_was_worth);
    tcase_add_test(promises, seeds_are_added_by_the_present_variance);
    tcase_add_test(promises, the_bounds_hold);
    tcase_add_test(promises, relative_is_of_the_true_mean);
    return run_as_tap("intervals", promises);
}
