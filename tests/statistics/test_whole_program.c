/*
 * The chain as a user's study has it: a scenario is run, its warm-up found by MSER-5 over all seeds, what is left summed up, and an interval given; 200 small studies of five
 * seeds each of M/M/1 at load 0.6, whose mean time in the system is 1 / (1 - 0.6) = 2.5 s. The intervals of nominal 95 % must hold it in 90 to 98 % of the studies.
 * And no run of theirs is called saturated. Usage: test_whole_program STATION.yaml
 */
#include "statistics/estimate.h"
#include "statistics/mser.h"
#include "trace/run.h"
#include "trace/run_series.h"
#include "trace/summary.h"
#include "trace/summary_window.h"

#include "support/tap.h"
#include "support/temporary.h"
#include <stdio.h>
#include <string.h>

enum { STUDIES = 200, SEEDS = 5 };
static const char *station;

static void run_to(const char *path, uint64_t seed, const char *load)
{
    char seed_text[32], load_text[32];
    const char *const overrides[] = {seed_text, load_text, "duration=6000 s", "output.bin=20 s", "output.latency_bin=1000 s", "output.warmup=0"};
    orr_problems problems = {0};
    orr_run_result result;
    snprintf(seed_text, sizeof seed_text, "seed=%llu", (unsigned long long)seed);
    snprintf(load_text, sizeof load_text, "params.load=%s", load);
    orr_world *world = orr_world_load(station, overrides, sizeof overrides / sizeof *overrides, &problems);
    ck_assert_ptr_nonnull(world);
    ck_assert_int_eq(orr_run(world, &(orr_run_options){.output = path}, &result, &problems), ORR_OK);
    orr_world_destroy(world);
    orr_problems_clear(&problems);
}

static hid_t open_run(const char *path)
{
    orr_problems problems = {0};
    hid_t file = orr_result_open(path, &problems);
    ck_assert_int_ge(file, 0);
    return file;
}

static bool has_verdict(const cJSON *summary, const char *verdict)
{
    return strcmp(cJSON_GetObjectItem(cJSON_GetObjectItem(summary, "saturation"), "verdict")->valuestring, verdict) == 0;
}

/* 1 if the study's interval holds `truth`, 0 if not, -1 if it has not settled. */
static int study(uint64_t number, double truth, int *saturated, double *deleted_s)
{
    char path[SEEDS][32];
    orr_problems problems = {0};
    orr_run_series series[SEEDS];
    orr_replication r[SEEDS];
    orr_truncation t;
    double mean[SEEDS];
    for (uint64_t k = 0; k < SEEDS; k++) {
        snprintf(path[k], sizeof path[k], "%d.h5", (int)k);
        run_to(path[k], 10000 + number * SEEDS + k, "0.6");
        hid_t file = open_run(path[k]);
        ck_assert(orr_run_series_read(&series[k], file, path[k], &problems));
        r[k] = (orr_replication){0, series[k].in_system, series[k].bins};
        H5Fclose(file);
    }
    ck_assert(orr_mser_shared(r, SEEDS, 1, &t));
    for (size_t k = 0; k < SEEDS; k++) {
        hid_t file = open_run(path[k]);
        bool empty;
        cJSON *window = orr_summary_window(file, path[k], (int64_t)t.first * series[k].bin_ns, &empty, &problems);
        ck_assert_ptr_nonnull(window);
        mean[k] = orr_summary_number(window, "latency.e2e.mean");
        *saturated += !has_verdict(window, "stable");
        *deleted_s += orr_summary_number(window, "from_s") / SEEDS / STUDIES;
        cJSON_Delete(window);
        H5Fclose(file);
        orr_run_series_clear(&series[k]);
    }
    orr_estimate e = orr_estimate_mean(mean, SEEDS, 0.95);
    return !t.settled ? -1 : e.low <= truth && truth <= e.high;
}

START_TEST(intervals_of_whole_studies_hold_the_truth)
{
    int hits = 0, settled = 0, saturated = 0;
    double deleted_s = 0;
    for (uint64_t i = 0; i < STUDIES; i++) {
        int held = study(i, 2.5, &saturated, &deleted_s);
        settled += held >= 0;
        hits += held > 0;
    }
    double coverage = (double)hits / settled;
    fprintf(stderr, "# whole program, mean of M/M/1 at 0.6: %.1f %% of %d; deleted %.0f s of 6000 on average; %d of %d runs called saturated\n", 100 * coverage, settled, deleted_s, saturated,
            STUDIES * SEEDS);
    ck_assert_int_ge(settled, STUDIES * 95 / 100);
    ck_assert_double_ge(coverage, 0.90);
    ck_assert_double_le(coverage, 0.98);
    ck_assert_int_le(saturated, STUDIES * SEEDS / 100);
}
END_TEST

START_TEST(an_unstable_station_is_called_so)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        orr_problems problems = {0};
        run_to("unstable.h5", seed, "1.2");
        hid_t file = open_run("unstable.h5");
        cJSON *summary = orr_summary(file, "unstable.h5", &problems);
        ck_assert_ptr_nonnull(summary);
        ck_assert(has_verdict(summary, "growing"));
        cJSON_Delete(summary);
        H5Fclose(file);
    }
}
END_TEST

int main(int argc, char **argv)
{
    station = argc > 1 ? argv[1] : NULL;
    TCase *promises = tcase_create("promises");
    tcase_set_timeout(promises, 1800);
    tcase_add_checked_fixture(promises, temporary_enter, temporary_leave);
    tcase_add_test(promises, intervals_of_whole_studies_hold_the_truth);
    tcase_add_test(promises, an_unstable_station_is_called_so);
    return run_as_tap("whole_program", promises);
}
