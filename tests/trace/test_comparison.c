/* The promises of comparison.h: what is said of each policy and metric, in numbers and in words. */
#include "trace/comparison.h"

#include "support/tap.h"
#include "trace/summary.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 16 };
static const char *const policies[] = {"old", "new"};

static cJSON *summary_with(const char *verdict, double mean_s, double p99_s, double slo)
{
    cJSON *s = cJSON_CreateObject(), *ttft = cJSON_AddObjectToObject(cJSON_AddObjectToObject(s, "latency"), "ttft");
    cJSON_AddNumberToObject(ttft, "mean", mean_s);
    cJSON_AddNumberToObject(ttft, "p99", p99_s);
    cJSON_AddNumberToObject(s, "slo_attainment", slo);
    cJSON_AddStringToObject(cJSON_AddObjectToObject(s, "saturation"), "verdict", verdict);
    return s;
}

static const cJSON *row_of(const cJSON *comparison, const char *policy, const char *metric)
{
    const cJSON *row;
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(comparison, "rows"))
        if (strcmp(cJSON_GetObjectItem(row, "policy")->valuestring, policy) == 0 && strcmp(cJSON_GetObjectItem(row, "metric")->valuestring, metric) == 0)
            return row;
    ck_abort_msg("no row");
    return NULL;
}

static const char *text_of(const cJSON *comparison, const char *policy, const char *metric) { return cJSON_GetObjectItem(row_of(comparison, policy, metric), "text")->valuestring; }

/* Six seeds. TTFT mean: old 1 2 3 4 5 6 s, new 20 ms less but for 1 ms: clear. p99: noise. SLO: equal. */
static cJSON *six_seeds(size_t growing)
{
    static const double noise[] = {0.3, -0.2, 0.1, -0.3, 0.2, -0.05};
    orr_compared_run runs[12] = {0};
    cJSON *summaries[12];
    for (size_t i = 0; i < 6; i++) {
        double mean = (double)i + 1;
        summaries[i] = summary_with("stable", mean, 10 + noise[5 - i], 0.9);
        summaries[6 + i] = summary_with(i < growing ? "growing" : "stable", mean - 0.020 + (i % 2 == 0 ? 0.001 : -0.001), 10 + noise[i], 0.9);
        runs[i] = (orr_compared_run){.policy = 0, .seed = i, .summary = summaries[i]};
        runs[6 + i] = (orr_compared_run){.policy = 1, .seed = i, .summary = summaries[6 + i]};
    }
    cJSON *c = orr_comparison(runs, 12, policies, 2, 0, 0.95);
    ck_assert_ptr_nonnull(c);
    for (size_t i = 0; i < 12; i++)
        cJSON_Delete(summaries[i]);
    return c;
}

/* Differences -19 and -21 ms, three times each: mean -20, s = sqrt(6/5) = 1.0954, half-width t(0.975, 5) = 2.570582 * 1.0954 / sqrt(6) = 1.1496 ms. */
START_TEST(each_outcome_in_words)
{
    cJSON *c = six_seeds(0);
    ck_assert_str_eq(text_of(c, "new", "latency.ttft.mean"), "significantly lower, by 20 ms (18.9 to 21.1)");
    ck_assert_str_eq(text_of(c, "new", "latency.ttft.p99"), "difference not significant");
    ck_assert_str_eq(text_of(c, "new", "slo_attainment"), "no difference in any pair");
    ck_assert_str_eq(text_of(c, "new", "energy.kwh"), "not tested: there is no such number");
    ck_assert_str_eq(text_of(c, "old", "latency.ttft.mean"), "baseline");
    cJSON_Delete(c);
}
END_TEST

/* Common seeds: var(old) = 3.5, the new one's nearly so, and the difference's 1.2e-6: six million times less. */
START_TEST(what_common_seeds_were_worth)
{
    cJSON *c = six_seeds(0);
    const cJSON *row = row_of(c, "new", "latency.ttft.mean");
    ck_assert_double_gt(orr_summary_number(row, "correlation"), 0.999);
    ck_assert_double_eq_tol(orr_summary_number(row, "variance_reduction") / (7.0 / 1.2e-6), 1, 0.01);
    ck_assert(isnan(orr_summary_number(row_of(c, "old", "latency.ttft.mean"), "correlation")));
    cJSON_Delete(c);
}
END_TEST

/* Six p99: the extremes enclose their median with 1 - 2/64 = 0.96875. Means of the runs' percentiles stay. */
START_TEST(percentiles_have_order_statistics)
{
    cJSON *c = six_seeds(0);
    const cJSON *row = row_of(c, "new", "latency.ttft.p99");
    ck_assert_double_eq_tol(orr_summary_number(row, "median"), 10.025, 1e-9);
    ck_assert_double_eq_tol(orr_summary_number(row, "median_low"), 9.7, 1e-9);
    ck_assert_double_eq_tol(orr_summary_number(row, "median_high"), 10.3, 1e-9);
    ck_assert_double_eq_tol(orr_summary_number(row, "median_level"), 0.96875, 1e-9);
    ck_assert_double_eq_tol(orr_summary_number(row, "mean"), 10 + 0.05 / 6, 1e-9);
    ck_assert_ptr_null(cJSON_GetObjectItem(row_of(c, "new", "latency.ttft.mean"), "median"));
    cJSON_Delete(c);
}
END_TEST

START_TEST(growing_queues_are_said)
{
    cJSON *c = six_seeds(2);
    ck_assert_str_eq(text_of(c, "new", "latency.ttft.p99"), "not tested: queues grow in 2 runs; means depend on the duration");
    ck_assert_double_eq_tol(orr_summary_number(row_of(c, "new", "latency.ttft.p99"), "growing"), 2, 1e-9);
    cJSON_Delete(c);
}
END_TEST

/* --- one run per policy --- */

enum { BINS = 100 };
static double widths[BINS], ones[BINS], met[2][BINS], counts[BINS], sums[2][BINS];

/* Independent bins of 10 requests: TTFT of the old policy 1 s -+ 0.1, of the new one 0.5 s more or less with it. */
static orr_run_series series_of(int policy, double shift)
{
    orr_run_series s = {.bins = BINS, .latency_bins = BINS, .bin_ns = 1000000000, .latency_bin_ns = 1000000000, .until_ns = BINS * 1000000000LL, .width_s = widths, .ended = ones, .in_system = ones, .busy = ones, .waiting = ones};
    for (int i = 0; i < BINS; i++) {
        widths[i] = 1;
        ones[i] = counts[i] = 10;
        met[policy][i] = 9;
        sums[policy][i] = 10 * (1 + shift + 0.1 * sin(1000.0 * i * i) + 0.01 * policy * sin(77.0 * i * i));
    }
    for (int k = 0; k < ORR_FLOWS; k++)
        s.flow[k] = k == ORR_FLOW_SLO_MET ? met[policy] : ones;
    for (int m = 0; m < 3; m++) {
        s.latency_count[m] = counts;
        s.latency_sum_s[m] = sums[policy];
    }
    return s;
}

static cJSON *single(const char *verdict, uint64_t seed)
{
    orr_run_series a = series_of(0, 0), b = series_of(1, 0.05);
    cJSON *x = summary_with("stable", 1, 3, 0.9), *y = summary_with(verdict, 1.05, 3, 0.9);
    const orr_compared_run runs[] = {{.policy = 0, .seed = 1, .summary = x, .series = &a}, {.policy = 1, .seed = seed, .summary = y, .series = &b}};
    cJSON *c = orr_comparison(runs, 2, policies, 2, 0, 0.95);
    ck_assert_ptr_nonnull(c);
    cJSON_Delete(x);
    cJSON_Delete(y);
    return c;
}

/* Each mean is known to about 0.1 / sqrt(2) / sqrt(100) * 2 = 14 ms, their difference, bin by bin, to a tenth of that. */
START_TEST(single_runs_are_judged_by_batch_means)
{
    cJSON *c = single("stable", 1);
    const cJSON *row = row_of(c, "new", "latency.ttft.mean");
    double half = (orr_summary_number(row, "high") - orr_summary_number(row, "low")) / 2, paired = (orr_summary_number(row, "difference_high") - orr_summary_number(row, "difference_low")) / 2;
    ck_assert_double_eq_tol(half, 0.014, 0.007);
    ck_assert_double_eq_tol(paired, 0.0014, 0.0007);
    ck_assert_double_eq_tol(orr_summary_number(row, "difference"), 0.05, 1e-9);
    ck_assert(cJSON_IsTrue(cJSON_GetObjectItem(row, "significant")));
    ck_assert_ptr_nonnull(strstr(cJSON_GetObjectItem(c, "method")->valuestring, "batch means"));
    ck_assert_str_eq(text_of(c, "new", "latency.ttft.p99"), "not tested: only one pair of runs");
    cJSON_Delete(c);
}
END_TEST

START_TEST(a_growing_run_has_no_batch_means)
{
    cJSON *c = single("growing", 1);
    ck_assert(isnan(orr_summary_number(row_of(c, "new", "latency.ttft.mean"), "low")));
    ck_assert_ptr_null(strstr(cJSON_GetObjectItem(c, "method")->valuestring, "batch means"));
    cJSON_Delete(c);
}
END_TEST

START_TEST(different_seeds_are_no_pair)
{
    cJSON *c = single("stable", 2);
    const cJSON *row = row_of(c, "new", "latency.ttft.mean");
    ck_assert(!isnan(orr_summary_number(row, "low")) && isnan(orr_summary_number(row, "difference")));
    ck_assert_str_eq(text_of(c, "new", "latency.ttft.mean"), "not tested: no common seed");
    cJSON_Delete(c);
}
END_TEST

int main(void)
{
    TCase *promises = tcase_create("promises");
    tcase_add_test(promises, each_outcome_in_words);
    tcase_add_test(promises, what_common_seeds_were_worth);
    tcase_add_test(promises, percentiles_have_order_statistics);
    tcase_add_test(promises, growing_queues_are_said);
    tcase_add_test(promises, single_runs_are_judged_by_batch_means);
    tcase_add_test(promises, a_growing_run_has_no_batch_means);
    tcase_add_test(promises, different_seeds_are_no_pair);
    return run_as_tap("comparison", promises);
}
