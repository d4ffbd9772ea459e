/* The promises of estimate.h and holm.h, against values worked out by hand or taken from the literature. */
#include "statistics/estimate.h"
#include "statistics/holm.h"

#include "support/tap.h"
#include <math.h>

static const double TOLERANCE = 1e-9;

/* Five values with mean 3 and s = sqrt(2.5): the half-width is t(0.975, 4) * sqrt(2.5/5) = 2.7764451051977934 * 0.7071067811865476. */
START_TEST(the_mean_has_students_interval)
{
    const double value[] = {1, 2, 3, 4, 5};
    orr_estimate e = orr_estimate_mean(value, 5, 0.95);
    ck_assert_uint_eq(e.count, 5);
    ck_assert_double_eq_tol(e.mean, 3, TOLERANCE);
    ck_assert_double_eq_tol(e.high - e.mean, 1.963243161477561, 1e-8);
    ck_assert_double_eq_tol(e.mean - e.low, 1.963243161477561, 1e-8);
}
END_TEST

START_TEST(a_higher_level_is_wider)
{
    const double value[] = {1, 2, 3, 4, 5};
    orr_estimate e = orr_estimate_mean(value, 5, 0.99); /* t(0.995, 4) = 4.604094871349993 */
    ck_assert_double_eq_tol(e.high - e.mean, 3.255586707, 1e-8);
}
END_TEST

/*
 * Student (1908), table of Cushny and Peebles: hours of sleep gained by ten patients under two drugs. t = -4.0621 with 9 degrees of freedom,
 * p = 0.002833, 95 % interval of the difference -2.4598858 to -0.7001142 (R: t.test(extra ~ group, sleep, paired = TRUE)).
 */
START_TEST(the_paired_difference_is_students)
{
    const double first[] = {0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
    const double second[] = {1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};
    orr_estimate e = orr_estimate_difference(first, second, 10, 0.95);
    ck_assert_double_eq_tol(e.mean, -1.58, TOLERANCE);
    ck_assert_double_eq_tol(e.low, -2.4598858, 1e-7);
    ck_assert_double_eq_tol(e.high, -0.7001142, 1e-7);
    ck_assert_double_eq_tol(e.p, 0.00283289, 1e-8);
}
END_TEST

/* What pairing is for: seeds differ by hundreds, the policies by one, and it shows. */
START_TEST(what_pairs_share_does_not_widen_the_interval)
{
    const double a[] = {101, 402, 903, 204}, b[] = {100.1, 401.0, 901.9, 203.0};
    orr_estimate e = orr_estimate_difference(a, b, 4, 0.95);
    ck_assert_double_eq_tol(e.mean, 1.0, 1e-9);
    ck_assert_double_lt(e.high - e.low, 0.3);
    ck_assert_double_lt(e.p, 0.001);
}
END_TEST

START_TEST(fewer_than_two_have_no_interval)
{
    const double value[] = {7}, other[] = {5};
    orr_estimate none = orr_estimate_mean(value, 0, 0.95), one = orr_estimate_difference(value, other, 1, 0.95);
    ck_assert(isnan(none.mean) && isnan(none.low) && isnan(none.high) && isnan(none.p));
    ck_assert_double_eq_tol(one.mean, 2, TOLERANCE);
    ck_assert(isnan(one.low) && isnan(one.high) && isnan(one.p));
}
END_TEST

START_TEST(equal_runs_do_not_differ)
{
    const double a[] = {0.1 + 0.2, 5, 0}, b[] = {0.3, 5, 0}; /* rounding is no difference */
    orr_estimate e = orr_estimate_difference(a, b, 3, 0.95);
    ck_assert(e.mean == 0 && e.low == 0 && e.high == 0 && e.p == 1);
}
END_TEST

START_TEST(equal_differences_are_judged_by_their_signs)
{
    const double a[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, b[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    ck_assert_double_eq_tol(orr_estimate_difference(a, b, 2, 0.95).p, 0.5, TOLERANCE);
    ck_assert_double_eq_tol(orr_estimate_difference(a, b, 10, 0.95).p, 0.001953125, TOLERANCE);
    ck_assert_double_eq_tol(orr_estimate_difference(a, b, 10, 0.95).high, 1, TOLERANCE);
}
END_TEST

/* 0.01 <= 0.05/4 and 0.013 <= 0.05/3 stand; 0.03 > 0.05/2 falls, and takes 0.04 with it, which alone would pass. Bonferroni would keep only one. */
START_TEST(holm_steps_down_and_stops)
{
    const double p[] = {0.03, 0.01, 0.04, 0.013};
    bool significant[4];
    ck_assert(orr_holm(p, 4, 0.05, significant));
    ck_assert(!significant[0] && significant[1] && !significant[2] && significant[3]);
}
END_TEST

START_TEST(holm_does_not_jump_over_a_failure)
{
    const double p[] = {0.02, 0.021, 0.022}; /* 0.02 > 0.05/3, so none stands although 0.022 <= 0.05/1 */
    bool significant[3];
    ck_assert(orr_holm(p, 3, 0.05, significant));
    ck_assert(!significant[0] && !significant[1] && !significant[2]);
}
END_TEST

START_TEST(what_was_not_tested_is_no_claim)
{
    const double p[] = {NAN, 0.04, NAN}; /* one claim in all: 0.04 <= 0.05/1 */
    bool significant[3] = {true, false, true};
    ck_assert(orr_holm(p, 3, 0.05, significant));
    ck_assert(!significant[0] && significant[1] && !significant[2]);
    ck_assert(orr_holm(p, 0, 0.05, significant));
}
END_TEST

int main(void)
{
    TCase *promises = tcase_create("promises");
    tcase_add_test(promises, the_mean_has_students_interval);
    tcase_add_test(promises, a_higher_level_is_wider);
    tcase_add_test(promises, the_paired_difference_is_students);
    tcase_add_test(promises, what_pairs_share_does_not_widen_the_interval);
    tcase_add_test(promises, fewer_than_two_have_no_interval);
    tcase_add_test(promises, equal_runs_do_not_differ);
    tcase_add_test(promises, equal_differences_are_judged_by_their_signs);
    tcase_add_test(promises, holm_steps_down_and_stops);
    tcase_add_test(promises, holm_does_not_jump_over_a_failure);
    tcase_add_test(promises, what_was_not_tested_is_no_claim);
    return run_as_tap("estimate", promises);
}
