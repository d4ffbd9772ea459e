#include "trace/comparison.h"

#include "statistics/estimate.h"
#include "statistics/holm.h"
#include "trace/report_json.h"
#include "trace/summary.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

const orr_metric_kind orr_compared_metrics[ORR_COMPARED_METRICS] = {
    {"latency.ttft.p99", "TTFT p99", "s", "lower"},
    {"latency.ttft.mean", "TTFT mean", "s", "lower"},
    {"latency.e2e.p99", "E2E p99", "s", "lower"},
    {"latency.e2e.mean", "E2E mean", "s", "lower"},
    {"latency.tpot.mean", "TPOT mean", "s", "lower"},
    {"latency.itl.p99", "Between tokens p99", "s", "lower"},
    {"slo_attainment", "SLO attainment", "ratio", "higher"},
    {"cost.per_million_tokens_yuan", "Cost per million tokens", "yuan", "lower"},
    {"requests.refused", "Requests refused", "requests", "lower"},
    {"requests.abandoned", "Requests abandoned", "requests", "lower"},
    {"requests.failed", "Requests failed", "requests", "lower"},
    {"utilisation.accelerators", "Accelerator utilisation", "ratio", NULL},
    {"batch.mean", "Mean batch", "", NULL},
    {"energy.kwh", "Energy", "kWh", "lower"},
    {"electricity.yuan", "Electricity", "yuan", "lower"},
    {"carbon.kg", "Carbon", "kg", "lower"},
};

/* What is estimated for one policy and metric. */
typedef struct cell {
    orr_estimate own, difference;
} cell;

/* Values of a policy, and of the runs of the baseline with the same seeds; `a`, `b` have room for `count`. */
static size_t own_values(const orr_compared_run *runs, size_t count, size_t policy, const char *key, double *a)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        double value = runs[i].policy == policy ? orr_summary_number(runs[i].summary, key) : NAN;
        if (isfinite(value))
            a[n++] = value;
    }
    return n;
}

static size_t pairs(const orr_compared_run *runs, size_t count, size_t policy, size_t baseline, const char *key, double *a, double *b)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (runs[i].policy != policy)
            continue;
        for (size_t k = 0; k < count; k++) {
            if (runs[k].policy != baseline || runs[k].seed != runs[i].seed)
                continue;
            a[n] = orr_summary_number(runs[i].summary, key);
            b[n] = orr_summary_number(runs[k].summary, key);
            n += isfinite(a[n]) && isfinite(b[n]);
        }
    }
    return n;
}

static void add_metrics(cJSON *to)
{
    cJSON *metrics = cJSON_AddArrayToObject(to, "metrics");
    for (size_t m = 0; m < ORR_COMPARED_METRICS; m++) {
        const orr_metric_kind *kind = &orr_compared_metrics[m];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "key", kind->key);
        cJSON_AddStringToObject(item, "title", kind->title);
        cJSON_AddStringToObject(item, "unit", kind->unit);
        if (kind->better != NULL)
            cJSON_AddStringToObject(item, "better", kind->better);
        else
            cJSON_AddNullToObject(item, "better");
        cJSON_AddItemToArray(metrics, item);
    }
}

/* Twelve digits: enough that a difference agrees with the means that it came from. */
static void add_number(cJSON *to, const char *name, double value)
{
    char digits[32];
    snprintf(digits, sizeof digits, "%.12g", value);
    orr_json_add_exact(to, name, strtod(digits, NULL));
}

static void add_row(cJSON *rows, const char *policy, const char *metric, const cell *c, bool compared, bool significant)
{
    cJSON *row = cJSON_CreateObject();
    cJSON_AddStringToObject(row, "policy", policy);
    cJSON_AddStringToObject(row, "metric", metric);
    add_number(row, "mean", c->own.mean);
    add_number(row, "low", c->own.low);
    add_number(row, "high", c->own.high);
    add_number(row, "difference", compared ? c->difference.mean : NAN);
    add_number(row, "difference_low", compared ? c->difference.low : NAN);
    add_number(row, "difference_high", compared ? c->difference.high : NAN);
    add_number(row, "pairs", compared ? (double)c->difference.count : NAN);
    cJSON_AddBoolToObject(row, "significant", significant);
    cJSON_AddItemToArray(rows, row);
}

static void add_method(cJSON *to, size_t claims, double level)
{
    char text[512];
    if (claims == 0)
        snprintf(text, sizeof text, "Nothing was tested: a test needs two pairs of runs with common seeds at least.");
    else
        snprintf(text, sizeof text,
                 "Significance is by paired t tests with Holm's correction over all %zu differences tested here: the chance that even one “significant” is false is at most %.3g %%. "
                 "The intervals hold one by one at %.3g %% and are not widened, so one that leaves out zero can still be “not significant”.",
                 claims, 100 * (1 - level), 100 * level);
    cJSON_AddStringToObject(to, "method", text);
}

cJSON *orr_comparison(const orr_compared_run *runs, size_t count, const char *const *policies, size_t policy_count, size_t baseline, double level)
{
    size_t cells = policy_count * ORR_COMPARED_METRICS, claims = 0;
    cJSON *to = cJSON_CreateObject();
    cell *c = calloc(cells + 1, sizeof *c);
    double *p = calloc(cells + 1, sizeof *p), *a = calloc(count + 1, sizeof *a), *b = calloc(count + 1, sizeof *b);
    bool *significant = calloc(cells + 1, sizeof *significant), ok = to && c && p && a && b && significant;
    for (size_t i = 0; ok && i < cells; i++) {
        size_t policy = i / ORR_COMPARED_METRICS;
        const char *key = orr_compared_metrics[i % ORR_COMPARED_METRICS].key;
        c[i].own = orr_estimate_mean(a, own_values(runs, count, policy, key, a), level);
        c[i].difference = orr_estimate_difference(a, b, pairs(runs, count, policy, baseline, key, a, b), level);
        p[i] = policy == baseline ? NAN : c[i].difference.p;
        claims += !isnan(p[i]);
    }
    if (ok) {
        orr_holm(p, cells, 1 - level, significant);
        cJSON_AddStringToObject(to, "baseline", policies[baseline]);
        add_number(to, "level", level);
        add_method(to, claims, level);
        add_metrics(to);
        cJSON *rows = cJSON_AddArrayToObject(to, "rows");
        for (size_t i = 0; i < cells; i++)
            add_row(rows, policies[i / ORR_COMPARED_METRICS], orr_compared_metrics[i % ORR_COMPARED_METRICS].key, &c[i], i / ORR_COMPARED_METRICS != baseline, significant[i]);
    } else {
        cJSON_Delete(to);
        to = NULL;
    }
    free(c);
    free(p);
    free(a);
    free(b);
    free(significant);
    return to;
}
