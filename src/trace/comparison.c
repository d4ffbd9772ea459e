#include "trace/comparison.h"

#include "statistics/holm.h"
#include "trace/report_json.h"
#include "trace/run_interval.h"
#include "trace/summary.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const orr_metric_kind orr_compared_metrics[ORR_COMPARED_METRICS] = {
    {"latency.ttft.p99", "TTFT p99", "s", "lower"},
    {"latency.ttft.mean", "TTFT mean", "s", "lower"},
    {"latency.e2e.p99", "E2E p99", "s", "lower"},
    {"latency.e2e.mean", "E2E mean", "s", "lower"},
    {"latency.tpot.mean", "TPOT mean", "s", "lower"},
    {"latency.itl.p99", "Between tokens p99", "s", "lower"},
    {"slo_attainment", "SLO attainment", "ratio", "higher"},
    {"cost.per_million_tokens_yuan", "Price per million tokens", "yuan", "lower"},
    {"provider.per_million_tokens.total_yuan", "Provider's cost per million tokens", "yuan", "lower"},
    {"requests.refused", "Requests refused", "requests", "lower"},
    {"requests.abandoned", "Requests abandoned", "requests", "lower"},
    {"requests.failed", "Requests failed", "requests", "lower"},
    {"utilisation.accelerators", "Accelerator utilisation", "ratio", NULL},
    {"batch.mean", "Mean batch", "", NULL},
    {"energy.kwh", "Energy", "kWh", "lower"},
    {"electricity.yuan", "Electricity", "yuan", "lower"},
    {"carbon.kg", "Carbon", "kg", "lower"},
};

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

bool orr_is_percentile(const char *key)
{
    const char *last = strrchr(key, '.');
    return last != NULL && last[1] == 'p' && strspn(last + 2, "0123456789") == strlen(last + 2);
}

static bool has_verdict(const cJSON *summary, const char *verdict)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(summary, "saturation"), "verdict");
    return cJSON_IsString(item) && strcmp(item->valuestring, verdict) == 0;
}

/* --- one run per policy --- */

/* Every policy has one run, in whose bins the steady state may be looked for. */
static bool is_single(const orr_compared_run *runs, size_t count, size_t policy_count)
{
    bool single = count == policy_count;
    for (size_t i = 0; single && i < count; i++)
        single = runs[i].series != NULL && has_verdict(runs[i].summary, "stable");
    return single;
}

static bool estimate_by_batches(orr_compared *c, const orr_compared_run *runs, size_t count, size_t policy, size_t baseline, const char *key, double level)
{
    const orr_compared_run *own = NULL, *other = NULL;
    for (size_t i = 0; i < count; i++) {
        own = runs[i].policy == policy ? &runs[i] : own;
        other = runs[i].policy == baseline ? &runs[i] : other;
    }
    bool paired = own != other && own->seed == other->seed;
    return orr_run_interval(own->series, paired ? other->series : NULL, key, 0, level, &c->own, paired ? &c->difference : NULL);
}

/* --- the object --- */

static void add_metrics(cJSON *to, const orr_metric_kind *kinds, size_t count)
{
    cJSON *metrics = cJSON_AddArrayToObject(to, "metrics");
    for (size_t m = 0; m < count; m++) {
        const orr_metric_kind *kind = &kinds[m];
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

/* A difference without its sign, in a unit that gives short numbers. */
static void print_amount(FILE *out, double value, double largest, const char *unit, bool with_unit)
{
    bool ratio = strcmp(unit, "ratio") == 0, short_time = strcmp(unit, "s") == 0 && largest < 1;
    double shown = fabs(value) * (ratio ? 100 : short_time ? 1000 : 1);
    fprintf(out, shown >= 1000 ? "%.0f" : "%.3g", shown);
    if (with_unit && *unit != 0)
        fprintf(out, " %s", ratio ? "percentage points" : short_time ? "ms" : unit);
}

/* The outcome in words; malloced, NULL when out of memory. */
static char *outcome(const orr_compared *c, const char *unit, bool compared)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return NULL;
    const orr_estimate *d = &c->difference;
    double largest = fmax(fabs(d->low), fabs(d->high));
    if (!compared)
        fprintf(out, "baseline");
    else if (c->own.count == 0)
        fprintf(out, "not tested: there is no such number");
    else if (d->count == 0)
        fprintf(out, "not tested: no common seed");
    else if (isnan(d->p) && d->count < 2)
        fprintf(out, "not tested: only one pair of runs");
    else if (isnan(d->p) && c->growing > 0)
        fprintf(out, "not tested: queues grow in %zu run%s; means depend on the duration", c->growing, c->growing == 1 ? "" : "s");
    else if (isnan(d->p))
        fprintf(out, "not tested: queues grow under the baseline");
    else if (d->low == 0 && d->high == 0)
        fprintf(out, "no difference in any pair");
    else if (!c->significant)
        fprintf(out, "difference not significant");
    else {
        fprintf(out, "significantly %s, by ", d->mean < 0 ? "lower" : "higher");
        print_amount(out, d->mean, largest, unit, true);
        fprintf(out, " (");
        print_amount(out, d->mean < 0 ? d->high : d->low, largest, unit, false);
        fprintf(out, " to ");
        print_amount(out, d->mean < 0 ? d->low : d->high, largest, unit, false);
        fprintf(out, ")");
    }
    if (c->growing > 0 && !compared)
        fprintf(out, "; queues grow in %zu run%s, whose means depend on the duration", c->growing, c->growing == 1 ? "" : "s");
    if (c->unjudged > 0)
        fprintf(out, "; in %zu run%s too few bins (output.bin) to tell whether queues grow", c->unjudged, c->unjudged == 1 ? "" : "s");
    return fclose(out) == 0 ? text : NULL;
}

static bool add_row(cJSON *rows, const char *policy, const orr_metric_kind *metric, const orr_compared *c, bool compared)
{
    cJSON *row = cJSON_CreateObject();
    char *text = outcome(c, metric->unit, compared);
    cJSON_AddStringToObject(row, "policy", policy);
    cJSON_AddStringToObject(row, "metric", metric->key);
    add_number(row, "mean", c->own.mean);
    add_number(row, "low", c->own.low);
    add_number(row, "high", c->own.high);
    add_number(row, "difference", compared ? c->difference.mean : NAN);
    add_number(row, "difference_low", compared ? c->difference.low : NAN);
    add_number(row, "difference_high", compared ? c->difference.high : NAN);
    add_number(row, "pairs", compared ? (double)c->difference.count : NAN);
    cJSON_AddBoolToObject(row, "significant", c->significant);
    add_number(row, "correlation", compared ? c->correlation : NAN);
    add_number(row, "variance_reduction", compared ? c->reduction : NAN);
    if (orr_is_percentile(metric->key)) {
        add_number(row, "median", c->median.value);
        add_number(row, "median_low", c->median.low);
        add_number(row, "median_high", c->median.high);
        add_number(row, "median_level", c->median.level);
    }
    add_number(row, "growing", (double)c->growing);
    add_number(row, "unjudged", (double)c->unjudged);
    bool ok = text != NULL && cJSON_AddStringToObject(row, "text", text) != NULL;
    free(text);
    return cJSON_AddItemToArray(rows, row) && ok;
}

cJSON *orr_comparison_json(const char *const *policies, size_t policy_count, size_t baseline, const orr_metric_kind *metrics, size_t metric_count, const orr_compared *compared, double level, const char *method)
{
    cJSON *to = cJSON_CreateObject();
    cJSON_AddStringToObject(to, "baseline", policies[baseline]);
    add_number(to, "level", level);
    cJSON_AddStringToObject(to, "method", method);
    add_metrics(to, metrics, metric_count);
    cJSON *rows = cJSON_AddArrayToObject(to, "rows");
    bool ok = rows != NULL;
    for (size_t i = 0; ok && i < policy_count * metric_count; i++)
        ok = add_row(rows, policies[i / metric_count], &metrics[i % metric_count], &compared[i], i / metric_count != baseline);
    if (ok)
        return to;
    cJSON_Delete(to);
    return NULL;
}

/* --- of runs --- */

static void describe_method(char *text, size_t size, size_t claims, double level, bool single)
{
    if (claims == 0)
        snprintf(text, size, "Nothing was tested: a test needs two pairs of runs with common seeds at least%s.",
                 single ? ", or single runs with a common seed that are long enough for batch means" : "");
    else
        snprintf(text, size,
                 "Significance is by %s with Holm's correction over all %zu differences tested here: the chance that even one “significant” is false is at most %.3g %%. "
                 "The intervals hold one by one at %.3g %% and are not widened, so one that leaves out zero can still be “not significant”.",
                 single ? "t tests over batch means of one run per policy, all in a steady state and none without its warm-up, of means over requests alone," : "paired t tests", claims,
                 100 * (1 - level), 100 * level);
}

/* One policy and metric; `a` and `b` have room for `count` values. False when out of memory. */
static bool estimate(orr_compared *c, const orr_compared_run *runs, size_t count, size_t policy, size_t baseline, const char *key, double level, bool single, double *a, double *b)
{
    size_t n = pairs(runs, count, policy, baseline, key, a, b);
    c->difference = orr_estimate_difference(a, b, n, level);
    c->correlation = orr_estimate_correlation(a, b, n);
    c->reduction = orr_estimate_variance_reduction(a, b, n);
    n = own_values(runs, count, policy, key, a);
    c->own = orr_estimate_mean(a, n, level);
    if (orr_is_percentile(key))
        c->median = orr_order_quantile(a, n, 0.5, level);
    return !single || estimate_by_batches(c, runs, count, policy, baseline, key, level);
}

static size_t runs_with(const orr_compared_run *runs, size_t count, size_t policy, const char *verdict)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += runs[i].policy == policy && has_verdict(runs[i].summary, verdict);
    return found;
}

cJSON *orr_comparison(const orr_compared_run *runs, size_t count, const char *const *policies, size_t policy_count, size_t baseline, double level)
{
    size_t cells = policy_count * ORR_COMPARED_METRICS, claims = 0;
    cJSON *to = NULL;
    char method[1024];
    orr_compared *c = calloc(cells + 1, sizeof *c);
    double *p = calloc(cells + 1, sizeof *p), *a = calloc(count + 1, sizeof *a), *b = calloc(count + 1, sizeof *b);
    bool *significant = calloc(cells + 1, sizeof *significant), ok = c && p && a && b && significant, single = is_single(runs, count, policy_count);
    for (size_t i = 0; ok && i < cells; i++) {
        size_t policy = i / ORR_COMPARED_METRICS;
        ok = estimate(&c[i], runs, count, policy, baseline, orr_compared_metrics[i % ORR_COMPARED_METRICS].key, level, single, a, b);
        c[i].growing = runs_with(runs, count, policy, "growing");
        c[i].unjudged = runs_with(runs, count, policy, "unknown");
        if (c[i].growing + runs_with(runs, count, baseline, "growing") > 0)
            c[i].difference.p = NAN; /* a mean of the duration is no claim */
        p[i] = policy == baseline ? NAN : c[i].difference.p;
        claims += !isnan(p[i]);
    }
    ok = ok && orr_holm(p, cells, 1 - level, significant);
    for (size_t i = 0; ok && i < cells; i++)
        c[i].significant = significant[i];
    if (ok) {
        describe_method(method, sizeof method, claims, level, single);
        to = orr_comparison_json(policies, policy_count, baseline, orr_compared_metrics, ORR_COMPARED_METRICS, c, level, method);
    }
    free(c);
    free(p);
    free(a);
    free(b);
    free(significant);
    return to;
}
