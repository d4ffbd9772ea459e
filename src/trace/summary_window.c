#include "trace/summary_window.h"

#include "base/time.h"
#include "trace/columns.h"
#include "trace/run_series.h"
#include "trace/schema.h"
#include "trace/summary_cost.h"
#include "trace/summary_power.h"
#include "trace/summary_saturation.h"
#include "trace/summary_servers.h"
#include "trace/summary_times.h"

#include <math.h>
#include <stdlib.h>

enum { METRICS = 3, ITL = METRICS };

/* Histograms of the window; times between tokens are the last. */
typedef struct times {
    orr_shelf     shelf;
    orr_histogram histogram[METRICS + 1];
    int64_t       count[METRICS + 1];
    double        sum_s[METRICS + 1];
} times;

/* `columns` are bin, bucket, count and perhaps metric. */
static bool add_times(times *t, const orr_column_values *c, bool by_metric, int64_t first_bin)
{
    bool ok = true;
    for (size_t r = 0; ok && r < c->rows; r++) {
        size_t metric = by_metric ? (size_t)c->value[3][r] : ITL;
        if (c->value[0][r] < first_bin)
            continue;
        if (metric > ITL || c->value[2][r] > UINT32_MAX)
            return false;
        ok = orr_histogram_add(&t->histogram[metric], &t->shelf, c->value[1][r], (uint32_t)c->value[2][r]);
        t->count[metric] += c->value[2][r];
        t->sum_s[metric] += (double)c->value[2][r] * orr_summary_middle_s(c->value[1][r]);
    }
    return ok;
}

static bool describe_times(cJSON *to, hid_t file, int64_t first_bin)
{
    static const char *const names[] = {"bin", "bucket", "count", "metric"};
    times t = {0};
    orr_column_values latency, gaps;
    orr_shelf_init(&t.shelf);
    bool ok = orr_column_values_read(&latency, file, "/latency", names, 4);
    ok &= orr_column_values_read(&gaps, file, "/latency/gaps", names, 3);
    ok = ok && add_times(&t, &latency, true, first_bin) && add_times(&t, &gaps, false, first_bin);
    cJSON *object = cJSON_AddObjectToObject(to, "latency");
    for (int m = 0; ok && m <= ITL; m++)
        orr_summary_times(cJSON_AddObjectToObject(object, m == ITL ? "itl" : orr_metric_names[m]), &t.histogram[m], &t.shelf, t.count[m], t.sum_s[m], INT64_MAX);
    orr_column_values_free(&latency);
    orr_column_values_free(&gaps);
    orr_array_clear(&t.shelf.chunks);
    return ok;
}

static double sum_from(const double *value, size_t first, size_t count)
{
    double sum = 0;
    for (size_t i = first; i < count; i++)
        sum += value[i];
    return sum;
}

static void describe_requests(cJSON *to, const orr_run_series *s, size_t first, double seconds)
{
    static const char *const names[] = {"offered", "served", "refused", "abandoned", "failed"};
    cJSON *requests = cJSON_AddObjectToObject(to, "requests");
    for (int k = 0; k < ORR_FLOW_SLO_MET; k++)
        orr_summary_put(requests, names[k], sum_from(s->flow[k], first, s->bins));
    orr_summary_put(requests, "in_flight", s->in_system[s->bins - 1]);
    double met = sum_from(s->flow[ORR_FLOW_SLO_MET], first, s->bins), ended = sum_from(s->ended, first, s->bins);
    orr_summary_put(to, "goodput_per_s", met / seconds);
    orr_summary_put(to, "slo_attainment", ended > 0 ? met / ended : NAN);
}

static void describe_run(cJSON *to, hid_t file, double from_s, double seconds)
{
    char *policy = orr_read_attribute_text(file, "policy"), *status = orr_read_attribute_text(file, "status");
    cJSON_AddStringToObject(to, "policy", policy ? policy : "");
    cJSON_AddStringToObject(to, "status", status ? status : "");
    orr_summary_put(to, "seed", (double)orr_read_attribute_integer(file, "seed", 0));
    orr_summary_put(to, "from_s", from_s);
    orr_summary_put(to, "simulated_s", seconds);
    free(policy);
    free(status);
}

cJSON *orr_summary_window(hid_t file, const char *path, int64_t from_ns, bool *empty, orr_problems *problems)
{
    orr_run_series series;
    cJSON *to = NULL;
    bool ok = orr_run_series_read(&series, file, path, problems);
    int64_t wide = ok ? series.latency_bin_ns : 1, first = from_ns <= 0 ? 0 : (from_ns - 1) / wide + 1;
    *empty = ok && first >= (int64_t)series.latency_bins;
    if (ok && !*empty) {
        int64_t from = first * wide;
        double seconds = (double)(series.until_ns - from) / ORR_SECOND;
        to = cJSON_CreateObject();
        describe_run(to, file, (double)from / ORR_SECOND, seconds);
        describe_requests(to, &series, (size_t)(from / series.bin_ns), seconds);
        ok = to != NULL && describe_times(to, file, first) && orr_summary_servers(to, file, from, series.until_ns) && orr_summary_power(to, file, from) && orr_summary_cost(to, file, from) &&
             orr_summary_saturation(to, file, path, problems);
        if (!ok)
            orr_problem(problems, (orr_where){path, 0, 0}, "lacks tables, or memory ran out");
    }
    orr_run_series_clear(&series);
    if (ok)
        return to;
    cJSON_Delete(to);
    return NULL;
}
