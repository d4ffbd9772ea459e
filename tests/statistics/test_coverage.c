/*
 * Do the intervals hold what they promise? Hundreds of studies are simulated whose truth is known, and it is counted how often intervals of nominal 95 %
 * hold it: between 90 % and 98 % of the studies. All seeds are fixed.
 */
#include "statistics/batch_means.h"
#include "statistics/holm.h"
#include "statistics/mser.h"
#include "statistics/order_statistic.h"
#include "statistics/selection.h"
#include "statistics/sequential.h"

#include "statistics/queue.h"
#include "support/tap.h"
#include <gsl/gsl_sort_double.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdio.h>

enum { STUDIES = 400 };
static const double LEVEL = 0.95, LEAST = 0.90, MOST = 0.98;

static bool holds(double low, double high, double truth) { return low <= truth && truth <= high; }

static void expect_coverage(const char *what, int hits, int studies)
{
    double coverage = (double)hits / studies;
    fprintf(stderr, "# %-72s %.1f %% of %d\n", what, 100 * coverage, studies);
    ck_assert_double_ge(coverage, LEAST);
    ck_assert_double_le(coverage, MOST);
}

static queue queue_of(uint64_t study, uint64_t replication, double load) { return (queue){.seed = study, .arrivals = 2 * replication, .services = 2 * replication + 1, .load = load}; }

/* M/M/1 at load 0.8: mean time in the system 1 / (1 - 0.8) = 5. Ten replications, each begun with a backlog of 200 services so that there is a warm-up to delete. */
START_TEST(replication_and_deletion)
{
    enum { REPLICATIONS = 10, CUSTOMERS = 12000, BIN = 20, BINS = CUSTOMERS / BIN };
    static double time[CUSTOMERS], bins[REPLICATIONS][BINS];
    int hits = 0, without = 0, settled = 0;
    double deleted = 0;
    for (uint64_t study = 0; study < STUDIES; study++) {
        orr_replication r[REPLICATIONS];
        double mean[REPLICATIONS], whole[REPLICATIONS];
        for (uint64_t k = 0; k < REPLICATIONS; k++) {
            queue q = queue_of(1000 + study, k, 0.8);
            q.wait = 200;
            queue_fill(&q, time, CUSTOMERS);
            for (size_t b = 0; b < BINS; b++)
                bins[k][b] = gsl_stats_mean(time + b * BIN, 1, BIN);
            r[k] = (orr_replication){0, bins[k], BINS};
        }
        orr_truncation t;
        ck_assert(orr_mser_shared(r, REPLICATIONS, 1, &t));
        if (!t.settled)
            continue;
        settled++;
        deleted += (double)t.first * BIN;
        for (size_t k = 0; k < REPLICATIONS; k++) {
            mean[k] = gsl_stats_mean(bins[k] + t.first, 1, BINS - t.first);
            whole[k] = gsl_stats_mean(bins[k], 1, BINS);
        }
        orr_estimate e = orr_estimate_mean(mean, REPLICATIONS, LEVEL), w = orr_estimate_mean(whole, REPLICATIONS, LEVEL);
        hits += holds(e.low, e.high, 5);
        without += holds(w.low, w.high, 5);
    }
    fprintf(stderr, "# settled: %d; customers deleted, mean: %.0f; intervals that hold the truth without deletion: %d of %d\n", settled, deleted / settled, without, settled);
    ck_assert_int_ge(settled, STUDIES * 95 / 100);
    ck_assert_int_lt(without, settled / 2); /* the warm-up matters */
    expect_coverage("replication and deletion, mean of M/M/1 at 0.8", hits, settled);
}
END_TEST

/* One run each, and the same truth. What the procedure calls too short has no interval; few are. */
START_TEST(batch_means_of_one_run)
{
    enum { CUSTOMERS = 100000 };
    static double time[CUSTOMERS];
    int hits = 0, naive = 0, reliable = 0;
    for (uint64_t study = 0; study < STUDIES; study++) {
        queue q = queue_of(2000 + study, 0, 0.8);
        queue_fill(&q, time, CUSTOMERS);
        orr_batch_estimate e;
        ck_assert(orr_batch_means(time + 1000, CUSTOMERS - 1000, LEVEL, &e));
        orr_estimate n = orr_estimate_mean(time + 1000, CUSTOMERS - 1000, LEVEL);
        reliable += e.reliable;
        hits += holds(e.mean.low, e.mean.high, 5);
        naive += holds(n.low, n.high, 5);
    }
    fprintf(stderr, "# runs long enough: %d of %d; intervals that hold the truth if customers were independent: %d\n", reliable, STUDIES, naive);
    ck_assert_int_ge(reliable, STUDIES * 95 / 100);
    ck_assert_int_lt(naive, STUDIES / 2);
    expect_coverage("batch means, mean of M/M/1 at 0.8", hits, reliable);
}
END_TEST

/* The time of one customer in steady state is exponential with mean 2 at load 0.5: its quantiles over 40 replications. The levels achieved are 96.2 % and 96.6 %. */
START_TEST(quantiles_over_replications)
{
    enum { REPLICATIONS = 40, WARM_UP = 300 };
    static double warm[WARM_UP];
    int median = 0, upper = 0;
    for (uint64_t study = 0; study < STUDIES; study++) {
        double value[REPLICATIONS];
        for (uint64_t k = 0; k < REPLICATIONS; k++) {
            queue q = queue_of(3000 + study, k, 0.5);
            queue_fill(&q, warm, WARM_UP);
            value[k] = queue_next(&q);
        }
        orr_order_interval i = orr_order_quantile(value, REPLICATIONS, 0.5, LEVEL);
        ck_assert_double_ge(i.level, LEVEL);
        median += holds(i.low, i.high, 2 * log(2));
        i = orr_order_quantile(value, REPLICATIONS, 0.8, LEVEL);
        ck_assert_double_ge(i.level, LEVEL);
        upper += holds(i.low, i.high, 2 * log(5));
    }
    expect_coverage("order statistics, median of a time in M/M/1 at 0.5", median, STUDIES);
    expect_coverage("order statistics, 0.8-quantile of a time in M/M/1 at 0.5", upper, STUDIES);
}
END_TEST

/* p99 of each run: 2 ln 100 = 9.2103 in steady state. Mean with Student's and median with the order statistics' interval over twenty runs. */
START_TEST(the_p99_of_runs)
{
    enum { REPLICATIONS = 20, WARM_UP = 200, CUSTOMERS = 20000 };
    static double time[CUSTOMERS];
    int mean = 0, median = 0, studies = STUDIES / 2;
    for (int study = 0; study < studies; study++) {
        double p99[REPLICATIONS];
        for (uint64_t k = 0; k < REPLICATIONS; k++) {
            queue q = queue_of(4000 + (uint64_t)study, k, 0.5);
            queue_fill(&q, time, WARM_UP);
            queue_fill(&q, time, CUSTOMERS);
            gsl_sort(time, 1, CUSTOMERS);
            p99[k] = time[CUSTOMERS * 99 / 100 - 1];
        }
        orr_across a = orr_across_replications(p99, REPLICATIONS, LEVEL);
        mean += holds(a.mean.low, a.mean.high, 2 * log(100));
        median += holds(a.median.low, a.median.high, 2 * log(100));
    }
    expect_coverage("mean of the p99 of runs", mean, studies);
    expect_coverage("median of the p99 of runs", median, studies);
}
END_TEST

/* Seeds added until the half-width is 5 %: the interval at the stop holds the truth as often as another, and is as narrow as asked. */
START_TEST(a_sequential_study_keeps_its_level)
{
    enum { MOST_SEEDS = 400, CUSTOMERS = 1500, WARM_UP = 300 };
    static double time[CUSTOMERS];
    const orr_precision precision = {.relative = 0.05, .level = LEVEL, .least = 10, .most = MOST_SEEDS};
    int hits = 0, studies = STUDIES / 2;
    double seeds = 0;
    for (int study = 0; study < studies; study++) {
        double value[MOST_SEEDS];
        size_t count = 0;
        orr_sequential s = orr_sequential_next(value, 0, &precision);
        for (; s.more > 0; s = orr_sequential_next(value, count, &precision))
            for (size_t k = s.more; k > 0; k--, count++) {
                queue q = queue_of(5000 + (uint64_t)study, count, 0.6);
                queue_fill(&q, time, WARM_UP);
                queue_fill(&q, time, CUSTOMERS);
                value[count] = gsl_stats_mean(time, 1, CUSTOMERS);
            }
        ck_assert(s.reached && s.half_width <= 0.05 / 1.05 * s.estimate.mean);
        hits += holds(s.estimate.low, s.estimate.high, 2.5);
        seeds += (double)count / studies;
    }
    fprintf(stderr, "# seeds until 5 %%, mean: %.1f\n", seeds);
    expect_coverage("sequential, mean of M/M/1 at 0.6", hits, studies);
}
END_TEST

/* Two policies that are one: the same arrivals, services of their own. Six metrics make six claims; that any of them stands is a false alarm of the study. */
START_TEST(equal_policies_are_seldom_told_apart)
{
    enum { SEEDS = 10, CUSTOMERS = 800, METRICS = 6, TRIALS = 1000 };
    static double time[2][CUSTOMERS];
    int alarms = 0, uncorrected = 0;
    for (uint64_t study = 0; study < TRIALS; study++) {
        double value[METRICS][2][SEEDS], p[METRICS];
        for (uint64_t k = 0; k < SEEDS; k++)
            for (uint64_t policy = 0; policy < 2; policy++) {
                queue q = {.seed = 6000 + study, .arrivals = 3 * k, .services = 3 * k + 1 + policy, .load = 0.7};
                double *t = time[policy];
                queue_fill(&q, t, CUSTOMERS);
                value[0][policy][k] = gsl_stats_mean(t, 1, CUSTOMERS);
                value[1][policy][k] = gsl_stats_sd(t, 1, CUSTOMERS);
                value[2][policy][k] = gsl_stats_mean(t + CUSTOMERS / 2, 1, CUSTOMERS / 2);
                value[3][policy][k] = t[CUSTOMERS - 1];
                value[4][policy][k] = t[CUSTOMERS / 3];
                gsl_sort(t, 1, CUSTOMERS);
                value[5][policy][k] = t[CUSTOMERS * 99 / 100 - 1];
            }
        bool significant[METRICS], any = false, plain = false;
        for (int m = 0; m < METRICS; m++) {
            p[m] = orr_estimate_difference(value[m][0], value[m][1], SEEDS, LEVEL).p;
            plain |= p[m] <= 1 - LEVEL;
        }
        ck_assert(orr_holm(p, METRICS, 1 - LEVEL, significant));
        for (int m = 0; m < METRICS; m++)
            any |= significant[m];
        alarms += any;
        uncorrected += plain;
    }
    fprintf(stderr, "# %-72s %.1f %% of %d (without Holm %.1f %%)\n", "two equal policies called different in some of six metrics", 100.0 * alarms / TRIALS, TRIALS, 100.0 * uncorrected / TRIALS);
    ck_assert_int_le(alarms, TRIALS * 5 / 100);
    ck_assert_int_gt(uncorrected, TRIALS * 8 / 100); /* there was something to correct */
}
END_TEST

/* Five policies, the best ahead of all others by just the indifference zone (the least favourable case); correlation between them through what their seeds share. */
static void expect_selection(double shared, double *seeds)
{
    enum { POLICIES = 5, MOST_SEEDS = 400 };
    static double value[POLICIES * MOST_SEEDS];
    const orr_selection_rule rule = {.probability = 0.95, .indifference = 0.5, .lower = true, .first_stage = 10};
    int right = 0;
    *seeds = 0;
    for (uint64_t study = 0; study < STUDIES; study++) {
        size_t best = study % POLICIES, out[POLICIES];
        for (size_t p = 0; p < POLICIES; p++)
            for (uint32_t i = 0; i < MOST_SEEDS; i++)
                value[p * MOST_SEEDS + i] = (p == best ? 0 : 0.5) + sqrt(shared) * normal_at(7000 + study, 99, i) + sqrt(1 - shared) * normal_at(7000 + study, p, i);
        orr_selection s;
        ck_assert(orr_select(value, POLICIES, MOST_SEEDS, MOST_SEEDS, &rule, out, &s));
        ck_assert(s.decided && s.left == 1 && out[s.best] == 0 && s.expected == 0 && s.at_most == 0);
        right += s.best == best;
        *seeds += (double)s.used / STUDIES;
    }
    fprintf(stderr, "# best of five selected, probability 0.95, correlation %.1f: %*s %.1f %% of %d, after %.1f seeds\n", shared, 18, "", 100.0 * right / STUDIES, STUDIES, *seeds);
    ck_assert_int_ge(right, STUDIES * 95 / 100);
}

START_TEST(the_best_is_selected)
{
    double alone, common;
    expect_selection(0, &alone);
    expect_selection(0.8, &common);
    ck_assert_double_lt(common, alone / 2); /* what common seeds are for */
}
END_TEST

int main(void)
{
    TCase *promises = tcase_create("promises");
    tcase_set_timeout(promises, 120);
    tcase_add_test(promises, replication_and_deletion);
    tcase_add_test(promises, batch_means_of_one_run);
    tcase_add_test(promises, quantiles_over_replications);
    tcase_add_test(promises, the_p99_of_runs);
    tcase_add_test(promises, a_sequential_study_keeps_its_level);
    tcase_add_test(promises, equal_policies_are_seldom_told_apart);
    tcase_add_test(promises, the_best_is_selected);
    return run_as_tap("coverage", promises);
}
