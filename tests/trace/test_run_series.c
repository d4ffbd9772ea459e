/*
 * The promises of run_series.h, summary_window.h and summary_saturation.h: a small run with everything in it is summed up from a moment on, and counted once more from its rows, of
 * which there is one per request. Usage: test_run_series GRID.yaml
 */
#include "trace/columns.h"
#include "trace/run.h"
#include "trace/run_series.h"
#include "trace/summary.h"
#include "trace/summary_window.h"

#include "support/tap.h"
#include "support/temporary.h"
#include <gsl/gsl_sort_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *grid;
static hid_t file;
static const int64_t FROM = 100000000000; /* 100 s, a whole latency bin, of 240 */

static void run_it(void)
{
    const char *const overrides[] = {"output.sample=1", "output.bin=10 s", "output.latency_bin=20 s"};
    orr_problems problems = {0};
    orr_run_result result;
    temporary_enter();
    orr_world *world = orr_world_load(grid, overrides, 3, &problems);
    ck_assert_ptr_nonnull(world);
    ck_assert_int_eq(orr_run(world, &(orr_run_options){.output = "run.h5"}, &result, &problems), ORR_OK);
    orr_world_destroy(world);
    orr_problems_clear(&problems);
    file = orr_result_open("run.h5", &problems);
    ck_assert_int_ge(file, 1e-9);
}

static void forget_it(void)
{
    H5Fclose(file);
    temporary_leave();
}

static cJSON *window(int64_t from_ns)
{
    orr_problems problems = {0};
    bool empty;
    cJSON *w = orr_summary_window(file, "run.h5", from_ns, &empty, &problems);
    ck_assert_ptr_nonnull(w);
    return w;
}

static cJSON *whole(void)
{
    orr_problems problems = {0};
    cJSON *s = orr_summary(file, "run.h5", &problems);
    ck_assert_ptr_nonnull(s);
    return s;
}

static void agree(const cJSON *a, const cJSON *b, const char *const *names, size_t count, double tolerance)
{
    for (size_t i = 0; i < count; i++) {
        double x = orr_summary_number(a, names[i]), y = orr_summary_number(b, names[i]);
        ck_assert_msg(fabs(x - y) <= tolerance * fabs(y), "%s: %.12g, not %.12g", names[i], x, y);
    }
}

START_TEST(from_the_beginning_it_is_the_summary)
{
    static const char *const exact[] = {"requests.offered", "requests.served", "requests.refused", "requests.abandoned", "requests.failed", "requests.in_flight", "slo_attainment", "goodput_per_s",
                                        "latency.ttft.count", "latency.e2e.count", "latency.itl.count", "utilisation.accelerators", "batch.mean", "busy_hour.utilisation", "energy.kwh",
                                        "carbon.kg", "electricity.yuan", "seed", "simulated_s", "latency.ttft.p50", "latency.e2e.p90", "latency.tpot.p99", "latency.itl.p99"};
    static const char *const near[] = {"latency.ttft.mean", "latency.tpot.mean", "latency.e2e.mean", "latency.itl.mean"};
    cJSON *a = window(0), *b = whole();
    ck_assert_double_gt(orr_summary_number(b, "requests.refused"), 1e-9); /* there is something to agree on */
    ck_assert_double_gt(orr_summary_number(b, "requests.abandoned"), 1e-9);
    agree(a, b, exact, sizeof exact / sizeof *exact, 1e-12);
    agree(a, b, near, sizeof near / sizeof *near, 0.004);
    cJSON_Delete(a);
    cJSON_Delete(b);
}
END_TEST

/* Every request that ended from then on, by its row: those that ended, those of them within their SLO, and the quantiles of what was served. */
START_TEST(a_window_has_the_rows_that_ended_in_it)
{
    static const char *const names[] = {"ended", "end", "slo_met", "ttft", "e2e", "began"};
    orr_column_values rows;
    ck_assert(orr_column_values_read(&rows, file, "/requests", names, 6));
    double *e2e = calloc(rows.rows + 1, sizeof *e2e), sum = 0, ended[4] = {0}, met = 0, offered = 0;
    size_t served = 0;
    for (size_t r = 0; r < rows.rows; r++) {
        offered += rows.value[5][r] >= FROM;
        if (rows.value[0][r] < FROM)
            continue;
        ended[rows.value[1][r]]++;
        met += (double)rows.value[2][r];
        if (rows.value[1][r] == 0) {
            sum += (double)rows.value[3][r] / 1e9;
            e2e[served++] = (double)rows.value[4][r] / 1e9;
        }
    }
    orr_column_values_free(&rows);
    gsl_sort(e2e, 1, served);
    cJSON *w = window(FROM);
    double all = ended[0] + ended[1] + ended[2] + ended[3];
    ck_assert_uint_gt(served, 100);
    ck_assert_double_eq_tol(orr_summary_number(w, "requests.served"), ended[0], 1e-9);
    ck_assert_double_eq_tol(orr_summary_number(w, "requests.refused"), ended[1], 1e-9);
    ck_assert_double_eq_tol(orr_summary_number(w, "requests.abandoned"), ended[2], 1e-9);
    ck_assert_double_eq_tol(orr_summary_number(w, "requests.failed"), ended[3], 1e-9);
    ck_assert_double_eq_tol(orr_summary_number(w, "slo_attainment"), met / all, 1e-12); /* who was refused, gave up or failed did not meet it */
    ck_assert_double_lt(met / all, met / ended[0]);
    ck_assert_double_eq_tol(orr_summary_number(w, "goodput_per_s"), met / 140, 1e-9);
    ck_assert_double_eq_tol(orr_summary_number(w, "latency.ttft.mean") / (sum / (double)served), 1, 0.004);
    ck_assert_double_eq_tol(orr_summary_number(w, "latency.e2e.p90") / e2e[(size_t)ceil(0.9 * (double)served) - 1], 1, 0.008);
    ck_assert_double_eq_tol(orr_summary_number(w, "from_s"), 100, 1e-9);
    ck_assert_double_le(offered, orr_summary_number(w, "requests.offered")); /* rows of requests still in flight are not written */
    cJSON_Delete(w);
    free(e2e);
}
END_TEST

START_TEST(a_window_begins_with_a_latency_bin)
{
    cJSON *early = window(FROM - 19000000000), *exact = window(FROM), *late = window(FROM + 1);
    ck_assert(cJSON_Compare(early, exact, true) && !cJSON_Compare(late, exact, true));
    ck_assert_double_eq_tol(orr_summary_number(late, "from_s"), 120, 1e-9);
    cJSON_Delete(early);
    cJSON_Delete(exact);
    cJSON_Delete(late);
}
END_TEST

/* What is before the window and what is in it make the whole. */
START_TEST(energy_and_flow_divide)
{
    static const char *const names[] = {"energy.kwh", "carbon.kg", "electricity.yuan"};
    static const char *const columns[] = {"energy", "carbon", "electricity_yuan"};
    cJSON *w = window(FROM), *s = whole();
    size_t rows;
    int64_t *time = orr_read_integers(file, "/sites", "time", &rows);
    for (int i = 0; i < 3; i++) {
        double *value = orr_read_doubles(file, "/sites", columns[i], &rows), before = 0;
        for (size_t r = 0; r < rows; r++)
            before += time[r] < FROM ? value[r] : 0;
        ck_assert_double_gt(before, 1e-9);
        ck_assert_double_eq_tol((orr_summary_number(w, names[i]) + before) / orr_summary_number(s, names[i]), 1, 1e-12);
        free(value);
    }
    free(time);
    cJSON_Delete(w);
    cJSON_Delete(s);
}
END_TEST

START_TEST(an_empty_window_is_no_summary)
{
    orr_problems problems = {0};
    bool empty = false;
    ck_assert_ptr_null(orr_summary_window(file, "run.h5", 239000000000, &empty, &problems));
    ck_assert(empty && !orr_problems_any(&problems));
}
END_TEST

START_TEST(the_series_add_up)
{
    orr_problems problems = {0};
    orr_run_series s;
    cJSON *sum = whole();
    double offered = 0, ended = 0, width = 0, measured = 0, busy = 0;
    ck_assert(orr_run_series_read(&s, file, "run.h5", &problems));
    ck_assert(s.bins == 24 && s.latency_bins == 12 && orr_run_series_whole_bins(&s) == 24);
    for (size_t b = 0; b < s.bins; b++) {
        offered += s.flow[ORR_FLOW_OFFERED][b];
        ended += s.ended[b];
        width += s.width_s[b];
        busy += s.busy[b] + s.waiting[b];
        ck_assert_double_eq_tol(s.in_system[b], offered - ended, 1e-9);
    }
    for (size_t b = 0; b < s.latency_bins; b++)
        measured += s.latency_count[2][b];
    ck_assert_double_eq_tol(offered, orr_summary_number(sum, "requests.offered"), 1e-9);
    ck_assert_double_eq_tol(s.in_system[s.bins - 1], orr_summary_number(sum, "requests.in_flight"), 1e-9);
    ck_assert_double_eq_tol(width, 240, 1e-9);
    ck_assert_double_eq_tol(measured, orr_summary_number(sum, "latency.e2e.count"), 1e-9);
    ck_assert_double_gt(busy, 1e-9);
    orr_run_series_clear(&s);
    cJSON_Delete(sum);
}
END_TEST

START_TEST(the_summary_has_a_verdict)
{
    cJSON *s = whole();
    const cJSON *saturation = cJSON_GetObjectItem(s, "saturation");
    ck_assert_str_eq(cJSON_GetObjectItem(saturation, "verdict")->valuestring, "stable");
    ck_assert_double_gt(orr_summary_number(s, "saturation.typical_s"), 1e-9);
    cJSON_Delete(s);
}
END_TEST

int main(int argc, char **argv)
{
    grid = argc > 1 ? argv[1] : NULL;
    TCase *promises = tcase_create("promises");
    tcase_add_unchecked_fixture(promises, run_it, forget_it);
    tcase_add_test(promises, from_the_beginning_it_is_the_summary);
    tcase_add_test(promises, a_window_has_the_rows_that_ended_in_it);
    tcase_add_test(promises, a_window_begins_with_a_latency_bin);
    tcase_add_test(promises, energy_and_flow_divide);
    tcase_add_test(promises, an_empty_window_is_no_summary);
    tcase_add_test(promises, the_series_add_up);
    tcase_add_test(promises, the_summary_has_a_verdict);
    return run_as_tap("run_series", promises);
}
