#include "trace/run_series.h"

#include "base/time.h"
#include "trace/columns.h"
#include "trace/summary_times.h"

#include <math.h>
#include <stdlib.h>

enum { METRICS = 3 };

/* The tables that are read. */
typedef struct tables {
    orr_column_values flow, sites, latency;
    double     *slot_time;
} tables;

static bool read_tables(tables *t, hid_t file)
{
    static const char *const flow[] = {"time", "offered", "served", "refused", "abandoned", "failed", "slo_met"};
    static const char *const sites[] = {"time", "width", "waiting"};
    static const char *const latency[] = {"bin", "metric", "bucket", "count"};
    size_t n;
    bool ok = orr_column_values_read(&t->flow, file, "/sites/flow", flow, 1 + ORR_FLOWS);
    ok &= orr_column_values_read(&t->sites, file, "/sites", sites, 3);
    ok &= orr_column_values_read(&t->latency, file, "/latency", latency, 4);
    t->slot_time = orr_read_doubles(file, "/sites", "slot_time", &n);
    return ok && t->slot_time != NULL && n == t->sites.rows;
}

static void free_tables(tables *t)
{
    orr_column_values_free(&t->flow);
    orr_column_values_free(&t->sites);
    orr_column_values_free(&t->latency);
    free(t->slot_time);
}

static int64_t largest(const int64_t *value, size_t count)
{
    int64_t most = -1;
    for (size_t i = 0; i < count; i++)
        most = value[i] > most ? value[i] : most;
    return most;
}

/* How far the rows reach: a killed run has more of them than its attribute tells. */
static bool measure(orr_run_series *s, const tables *t, hid_t file)
{
    s->bin_ns = orr_read_attribute_integer(file, "bin_width", 0);
    s->latency_bin_ns = orr_read_attribute_integer(file, "latency_bin_width", 0);
    s->until_ns = orr_read_attribute_integer(file, "simulated_until", 0);
    if (s->bin_ns <= 0 || s->latency_bin_ns <= 0)
        return false;
    for (size_t r = 0; r < t->sites.rows; r++) {
        int64_t end = t->sites.value[0][r] + t->sites.value[1][r];
        s->until_ns = end > s->until_ns ? end : s->until_ns;
    }
    int64_t bins = (s->until_ns + s->bin_ns - 1) / s->bin_ns, latency_bins = (s->until_ns + s->latency_bin_ns - 1) / s->latency_bin_ns;
    int64_t flow = largest(t->flow.value[0], t->flow.rows), latency = largest(t->latency.value[0], t->latency.rows);
    bins += flow >= 0 && flow / s->bin_ns == bins; /* what happened at the very moment of a stop stands in a bin that begins then */
    latency_bins += latency == latency_bins;
    s->bins = (size_t)bins;
    s->latency_bins = (size_t)latency_bins;
    return flow / s->bin_ns < bins && latency < latency_bins;
}

static bool allocate(orr_run_series *s)
{
    double **const by_bin[] = {&s->width_s, &s->ended, &s->in_system, &s->busy, &s->waiting};
    bool ok = true;
    for (size_t i = 0; i < sizeof by_bin / sizeof *by_bin; i++)
        ok &= (*by_bin[i] = calloc(s->bins + 1, sizeof(double))) != NULL;
    for (int k = 0; k < ORR_FLOWS; k++)
        ok &= (s->flow[k] = calloc(s->bins + 1, sizeof(double))) != NULL;
    for (int m = 0; m < METRICS; m++) {
        ok &= (s->latency_count[m] = calloc(s->latency_bins + 1, sizeof(double))) != NULL;
        ok &= (s->latency_sum_s[m] = calloc(s->latency_bins + 1, sizeof(double))) != NULL;
    }
    return ok;
}

static bool add_up(orr_run_series *s, const tables *t)
{
    for (size_t r = 0; r < t->flow.rows; r++)
        for (int k = 0; k < ORR_FLOWS; k++)
            s->flow[k][t->flow.value[0][r] / s->bin_ns] += (double)t->flow.value[1 + k][r];
    for (size_t r = 0; r < t->sites.rows; r++) {
        size_t bin = (size_t)(t->sites.value[0][r] / s->bin_ns);
        s->busy[bin] += t->sites.value[1][r] > 0 ? t->slot_time[r] * ORR_SECOND / (double)t->sites.value[1][r] : 0;
        s->waiting[bin] += (double)t->sites.value[2][r];
    }
    for (size_t r = 0; r < t->latency.rows; r++) {
        size_t bin = (size_t)t->latency.value[0][r], metric = (size_t)t->latency.value[1][r];
        if (metric >= METRICS)
            return false;
        double count = (double)t->latency.value[3][r];
        s->latency_count[metric][bin] += count;
        s->latency_sum_s[metric][bin] += count * orr_summary_middle_s(t->latency.value[2][r]);
    }
    double present = 0;
    for (size_t b = 0; b < s->bins; b++) {
        int64_t left = s->until_ns - (int64_t)b * s->bin_ns;
        s->width_s[b] = (double)(left < s->bin_ns ? (left > 0 ? left : 0) : s->bin_ns) / ORR_SECOND;
        s->ended[b] = s->flow[ORR_FLOW_SERVED][b] + s->flow[ORR_FLOW_REFUSED][b] + s->flow[ORR_FLOW_ABANDONED][b] + s->flow[ORR_FLOW_FAILED][b];
        present += s->flow[ORR_FLOW_OFFERED][b] - s->ended[b];
        s->in_system[b] = present;
    }
    return true;
}

bool orr_run_series_read(orr_run_series *s, hid_t file, const char *path, orr_problems *problems)
{
    tables t = {0};
    *s = (orr_run_series){0};
    bool whole = read_tables(&t, file) && measure(s, &t, file), memory = !whole || allocate(s);
    whole = whole && memory && add_up(s, &t);
    free_tables(&t);
    if (!memory)
        problems->out_of_memory = true;
    else if (!whole)
        orr_problem(problems, (orr_where){path, 0, 0}, "has time series that are not whole, or memory ran out");
    return whole;
}

void orr_run_series_clear(orr_run_series *s)
{
    free(s->width_s);
    free(s->ended);
    free(s->in_system);
    free(s->busy);
    free(s->waiting);
    for (int k = 0; k < ORR_FLOWS; k++)
        free(s->flow[k]);
    for (int m = 0; m < METRICS; m++) {
        free(s->latency_count[m]);
        free(s->latency_sum_s[m]);
    }
    *s = (orr_run_series){0};
}

double orr_run_series_latency(const orr_run_series *s, int metric, size_t bin)
{
    return s->latency_count[metric][bin] > 0 ? s->latency_sum_s[metric][bin] / s->latency_count[metric][bin] : NAN;
}

size_t orr_run_series_whole_bins(const orr_run_series *s) { return s->bins - (s->bins > 0 && s->until_ns % s->bin_ns != 0); }
