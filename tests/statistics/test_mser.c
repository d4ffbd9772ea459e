/* The promises of mser.h, against cases worked out by hand. */
#include "statistics/mser.h"

#include "statistics/queue.h"
#include "support/tap.h"
#include <math.h>

enum { BATCHES = 20, COUNT = BATCHES * ORR_MSER_BATCH };

/* Each batch mean five times. */
static void spread(const double *batch, size_t batches, double *value)
{
    for (size_t i = 0; i < batches * ORR_MSER_BATCH; i++)
        value[i] = batch[i / ORR_MSER_BATCH];
}

/*
 * Ten batches 8 4 0 1 0 1 0 1 0 1. MSER(d) = sum of squares about the mean of the last m = 10 - d, over m^2:
 *   d = 0: mean 1.6, sum of squares 64 + 16 + 0 + 1 + 0 + 1 + 0 + 1 + 0 + 1 = 84, less 10 * 2.56 = 58.4, over 100: 0.584
 *   d = 1: mean 8/9, 20 - 64/9 = 12.889, over 81: 0.1591
 *   d = 2: mean 1/2, 4 - 8/4 = 2, over 64: 0.03125
 *   d = 3: mean 4/7, 4 - 16/7 = 1.714, over 49: 0.03499
 *   d = 4: mean 1/2, 3 - 6/4 = 1.5, over 36: 0.04167
 * d = 5 and beyond are no candidates (the last five batches). So two batches go: ten observations.
 */
START_TEST(the_minimum_worked_out_by_hand)
{
    const double batch[] = {8, 4, 0, 1, 0, 1, 0, 1, 0, 1};
    double value[50];
    spread(batch, 10, value);
    orr_truncation t = orr_mser(value, 50);
    ck_assert(t.settled);
    ck_assert_uint_eq(t.first, 10);
}
END_TEST

/*
 * Batches are means of five: -4 -2 0 2 4 is a batch of mean 0 however wild. Ten such, the first raised by 1: MSER(0) = (1 - 1/10)/100 = 0.009, MSER(1) = 0.
 */
START_TEST(batches_are_means_of_five)
{
    double value[50];
    for (int i = 0; i < 50; i++)
        value[i] = 2.0 * (i % 5 - 2) + (i < 5);
    orr_truncation t = orr_mser(value, 50);
    ck_assert(t.settled);
    ck_assert_uint_eq(t.first, 5);
}
END_TEST

START_TEST(what_does_not_move_loses_nothing)
{
    double value[57];
    for (int i = 0; i < 57; i++)
        value[i] = 0.1;
    orr_truncation t = orr_mser(value, 57);
    ck_assert(t.settled);
    ck_assert_uint_eq(t.first, 0);
}
END_TEST

/* A ramp of n batches has MSER ~ n / 12: the fewer are kept, the better. */
START_TEST(a_ramp_has_not_settled)
{
    double value[COUNT];
    for (int i = 0; i < COUNT; i++)
        value[i] = i;
    orr_truncation t = orr_mser(value, COUNT);
    ck_assert(!t.settled);
    ck_assert_uint_eq(t.first, 0);
}
END_TEST

/* A step: before it 5, from it on 0 exactly, so MSER is 0 from the step on. At half of the series it may lie, beyond it not. */
START_TEST(the_guard_is_half_of_the_series)
{
    double value[COUNT];
    for (size_t step = BATCHES / 2; step <= BATCHES / 2 + 1; step++) {
        for (size_t i = 0; i < COUNT; i++)
            value[i] = i < step * ORR_MSER_BATCH ? 5 : 0;
        orr_truncation t = orr_mser(value, COUNT);
        ck_assert(t.settled == (step == BATCHES / 2));
        ck_assert_uint_eq(t.first, t.settled ? COUNT / 2 : 0);
    }
}
END_TEST

START_TEST(less_than_ten_batches_say_nothing)
{
    double value[ORR_MSER_LEAST] = {0};
    ck_assert(!orr_mser(value, ORR_MSER_LEAST - 1).settled && orr_mser(value, ORR_MSER_LEAST).settled);
    ck_assert(!orr_mser(value, 0).settled);
}
END_TEST

/* Policy 0 warms up for 10 observations and policy 1 for 20: both lose 20. A bin without observation takes the other replication's. */
START_TEST(the_longest_warm_up_holds_for_all)
{
    double a[COUNT], b[COUNT], c[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        a[i] = i < 10 ? 9 : 0;
        b[i] = i < 20 ? 9 : 0;
        c[i] = i < 20 ? 7 : 0;
    }
    b[50] = NAN;
    const orr_replication r[] = {{0, a, COUNT}, {1, b, COUNT}, {1, c, COUNT}};
    orr_truncation t;
    ck_assert(orr_mser_shared(r, 3, 2, &t));
    ck_assert(t.settled);
    ck_assert_uint_eq(t.first, 20);
    ck_assert(orr_mser_shared(r, 1, 1, &t));
    ck_assert_uint_eq(t.first, 10);
    const orr_replication other_way[] = {{1, a, COUNT}, {0, b, COUNT}, {0, c, COUNT}};
    ck_assert(orr_mser_shared(other_way, 3, 2, &t));
    ck_assert_uint_eq(t.first, 20);
}
END_TEST

START_TEST(one_policy_that_grows_leaves_all_unsettled)
{
    double a[COUNT], b[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        a[i] = 1;
        b[i] = (double)i;
    }
    const orr_replication r[] = {{0, a, COUNT}, {1, b, COUNT}};
    orr_truncation t;
    ck_assert(orr_mser_shared(r, 2, 2, &t));
    ck_assert(!t.settled && t.first == 0);
}
END_TEST

/* A decaying transient in noise: the truncation lies where the transient has sunk into what twenty replications leave of the noise. */
START_TEST(a_transient_in_noise_is_found)
{
    enum { LONG = 600, REPLICATIONS = 20 };
    static double value[REPLICATIONS][LONG];
    orr_replication r[REPLICATIONS];
    for (uint32_t k = 0; k < REPLICATIONS; k++) {
        for (uint32_t i = 0; i < LONG; i++)
            value[k][i] = 10 * exp((double)i / -20) + normal_at(7, k, i);
        r[k] = (orr_replication){0, value[k], LONG};
    }
    orr_truncation t;
    ck_assert(orr_mser_shared(r, REPLICATIONS, 1, &t));
    ck_assert(t.settled);
    ck_assert_uint_ge(t.first, 40); /* 10 exp(-2) = 1.35, six standard errors of the average */
    ck_assert_uint_le(t.first, 150);
}
END_TEST

int main(void)
{
    TCase *promises = tcase_create("promises");
    tcase_add_test(promises, the_minimum_worked_out_by_hand);
    tcase_add_test(promises, batches_are_means_of_five);
    tcase_add_test(promises, what_does_not_move_loses_nothing);
    tcase_add_test(promises, a_ramp_has_not_settled);
    tcase_add_test(promises, the_guard_is_half_of_the_series);
    tcase_add_test(promises, less_than_ten_batches_say_nothing);
    tcase_add_test(promises, the_longest_warm_up_holds_for_all);
    tcase_add_test(promises, one_policy_that_grows_leaves_all_unsettled);
    tcase_add_test(promises, a_transient_in_noise_is_found);
    return run_as_tap("mser", promises);
}
