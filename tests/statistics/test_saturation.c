/* The promises of saturation.h: queues of known stability, on many seeds, and small series judged by hand. */
#include "statistics/saturation.h"

#include "statistics/queue.h"
#include "support/tap.h"
#include <math.h>
#include <stdio.h>

enum { BINS = 200 };

/* How many of `seeds` runs of M/M/1 (service takes 1 on average) get each verdict. `load_at` is the load by bin. */
static void tally(uint64_t seed, int seeds, const double *load_at, double width, int verdicts[4])
{
    static double in_system[BINS], arrived[BINS], left[BINS];
    for (int v = 0; v < 4; v++)
        verdicts[v] = 0;
    for (int i = 0; i < seeds; i++) {
        queue_bins(seed + (uint64_t)i, load_at, width, BINS, in_system, arrived, left);
        verdicts[orr_saturation_judge(in_system, arrived, left, BINS).verdict]++;
    }
}

static void tally_load(uint64_t seed, int seeds, double load, double width, int verdicts[4])
{
    double load_at[BINS];
    for (int b = 0; b < BINS; b++)
        load_at[b] = load;
    tally(seed, seeds, load_at, width, verdicts);
    fprintf(stderr, "# load %.2f over %6.0f services: %3d stable, %3d growing, %3d overloaded, of %d\n", load, width * BINS, verdicts[ORR_VERDICT_STABLE], verdicts[ORR_VERDICT_GROWING],
            verdicts[ORR_VERDICT_OVERLOADED], seeds);
}

START_TEST(stable_and_unstable_queues_are_told_apart)
{
    int v[4];
    tally_load(100, 40, 0.9, 300, v);
    ck_assert_int_eq(v[ORR_VERDICT_STABLE], 40);
    tally_load(200, 40, 1.05, 300, v);
    ck_assert_int_eq(v[ORR_VERDICT_GROWING], 40);
    tally_load(300, 40, 1.5, 5, v);
    ck_assert_int_eq(v[ORR_VERDICT_GROWING], 40);
}
END_TEST

/* False alarms of stable queues, short runs (a few relaxation times) included: at most 2 % of all. */
START_TEST(false_alarms_are_rare)
{
    static const double loads[] = {0.3, 0.7, 0.9, 0.95}, widths[] = {5, 20, 100};
    int alarms = 0, runs = 0;
    for (int l = 0; l < 4; l++)
        for (int w = 0; w < 3; w++) {
            int v[4];
            tally_load(1000 * (uint64_t)(3 * l + w + 1), 200, loads[l], widths[w], v);
            alarms += v[ORR_VERDICT_GROWING] + v[ORR_VERDICT_OVERLOADED];
            runs += 200;
        }
    fprintf(stderr, "# false alarms: %d of %d\n", alarms, runs);
    ck_assert_int_le(alarms, runs * 2 / 100);
}
END_TEST

/* A tenth of the run at load 3, else 0.5: the queue is worked off. The same at the end of the run: it is not. */
START_TEST(an_overload_is_seen_and_whether_it_is_over)
{
    double load_at[BINS];
    int v[4];
    for (int b = 0; b < BINS; b++)
        load_at[b] = b >= 80 && b < 100 ? 3 : 0.5;
    tally(50, 40, load_at, 20, v);
    ck_assert_int_eq(v[ORR_VERDICT_OVERLOADED], 40);
    for (int b = 0; b < BINS; b++)
        load_at[b] = b >= 180 ? 3 : 0.5;
    tally(60, 40, load_at, 20, v);
    ck_assert_int_eq(v[ORR_VERDICT_GROWING], 40);
}
END_TEST

/* Twice as many at work at the end as at the beginning, all within one bin's time: not a queue that grows. */
START_TEST(a_rising_load_that_is_served_is_stable)
{
    double in_system[BINS], offered[BINS], ended[BINS];
    for (int b = 0; b < BINS; b++) {
        offered[b] = 10000 + 50 * b;
        in_system[b] = 0.1 * offered[b];
        ended[b] = offered[b] - (b == 0 ? in_system[0] : in_system[b] - in_system[b - 1]);
    }
    orr_saturation s = orr_saturation_judge(in_system, offered, ended, BINS);
    ck_assert_int_eq(s.verdict, ORR_VERDICT_STABLE);
    ck_assert(s.drift > 0 && s.p < 0.01); /* it does rise */
    ck_assert_double_eq_tol(s.typical, 0.1, 0.001);
}
END_TEST

/* By hand: of 110 offered per bin 100 end. The backlog grows by 10 a bin, to 400 in 40 bins. */
START_TEST(the_numbers_are_those_of_the_series)
{
    double in_system[40], offered[40], ended[40];
    for (int b = 0; b < 40; b++) {
        offered[b] = 110;
        ended[b] = 100;
        in_system[b] = 10.0 * (b + 1);
    }
    orr_saturation s = orr_saturation_judge(in_system, offered, ended, 40);
    ck_assert_int_eq(s.verdict, ORR_VERDICT_GROWING);
    ck_assert_uint_eq(s.bins, 40);
    ck_assert_double_eq_tol(s.drift, 10, 1e-9);
    ck_assert_double_eq_tol(s.backlog, 400, 1e-9);
    ck_assert_double_eq_tol(s.worst, 3.95, 1e-9); /* (390 + 400) / 2 over 100 a bin */
    ck_assert_double_eq_tol(s.typical, 1.15, 1e-9); /* the sixth of twenty batches of two: 15, 35, …, 395 over 100 */
    ck_assert(s.worst_first == 38 && s.worst_end == 40);
}
END_TEST

/* Once nobody asks any more, every queue comes down: those bins, and the one in which it began, do not count. */
START_TEST(the_end_of_arrivals_is_not_a_recovery)
{
    double in_system[40], offered[40], ended[40];
    for (int b = 0; b < 40; b++) {
        offered[b] = b < 30 ? 110 : b == 30 ? 20 : 0;
        ended[b] = 100;
        in_system[b] = b < 30 ? 10.0 * (b + 1) : fmax(0, 220 - 100.0 * (b - 30));
    }
    orr_saturation s = orr_saturation_judge(in_system, offered, ended, 40);
    ck_assert_int_eq(s.verdict, ORR_VERDICT_GROWING);
    ck_assert_uint_eq(s.bins, 30);
    ck_assert_double_eq_tol(s.backlog, 300, 1e-9);
}
END_TEST

START_TEST(too_few_bins_and_empty_runs)
{
    double zero[BINS] = {0}, one[BINS];
    for (int b = 0; b < BINS; b++)
        one[b] = 1;
    ck_assert_int_eq(orr_saturation_judge(one, one, one, ORR_SATURATION_LEAST - 1).verdict, ORR_VERDICT_UNKNOWN);
    ck_assert_int_eq(orr_saturation_judge(one, one, one, ORR_SATURATION_LEAST).verdict, ORR_VERDICT_STABLE);
    ck_assert_int_eq(orr_saturation_judge(zero, zero, zero, BINS).verdict, ORR_VERDICT_UNKNOWN);
    ck_assert_int_eq(orr_saturation_judge(zero, one, one, BINS).verdict, ORR_VERDICT_STABLE);
    double pile[BINS];
    for (int b = 0; b < BINS; b++)
        pile[b] = b + 1;
    ck_assert_int_eq(orr_saturation_judge(pile, one, zero, BINS).verdict, ORR_VERDICT_GROWING); /* nothing ever ends */
}
END_TEST

int main(void)
{
    TCase *promises = tcase_create("promises");
    tcase_set_timeout(promises, 120);
    tcase_add_test(promises, stable_and_unstable_queues_are_told_apart);
    tcase_add_test(promises, false_alarms_are_rare);
    tcase_add_test(promises, an_overload_is_seen_and_whether_it_is_over);
    tcase_add_test(promises, a_rising_load_that_is_served_is_stable);
    tcase_add_test(promises, the_numbers_are_those_of_the_series);
    tcase_add_test(promises, the_end_of_arrivals_is_not_a_recovery);
    tcase_add_test(promises, too_few_bins_and_empty_runs);
    return run_as_tap("saturation", promises);
}
