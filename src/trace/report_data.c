#include "trace/report_data.h"

#include "base/version.h"
#include "scenario/document.h"
#include "trace/comparison.h"
#include "trace/report_json.h"
#include "trace/report_series.h"
#include "trace/resolved.h"
#include "trace/schema.h"
#include "trace/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One file. Its summary is kept, the rest of it is added to its policy's series and forgotten. */
typedef struct run {
    const char *path;
    char       *policy, *status, *text;
    uint64_t    seed, fingerprint;
    bool        oracle;
    int64_t     until_ns;
    size_t      policy_index;
    cJSON      *summary;
    orr_run_series series; /* where every policy has this run alone */
} run;

typedef struct page {
    run          *runs;
    size_t        count;
    const char  **policies; /* borrowed from the runs, in the order in which they come */
    orr_series   *series;   /* per policy */
    size_t        policy_count, baseline;
    orr_shape     shape;
    orr_problems *problems;
} page;

static void refuse(page *p, const char *path, const char *what) { orr_problem(p->problems, (orr_where){path, 0, 0}, "%s", what); }

/* --- first pass: do the runs belong together? --- */

static bool look_at(page *p, run *r)
{
    hid_t file = orr_result_open(r->path, p->problems);
    if (file < 0)
        return false;
    r->policy = orr_read_attribute_text(file, "policy");
    r->status = orr_read_attribute_text(file, "status");
    r->text = orr_read_text(file, "/scenario/text");
    r->seed = (uint64_t)orr_read_attribute_integer(file, "seed", 0);
    r->oracle = orr_read_attribute_integer(file, "oracle", 0) != 0;
    r->until_ns = orr_read_attribute_integer(file, "simulated_until", 0);
    r->fingerprint = orr_shape_fingerprint(file);
    H5Fclose(file);
    if (r->policy != NULL && r->status != NULL && r->text != NULL)
        return true;
    refuse(p, r->path, "is not a whole run: it has no policy, status or scenario");
    return false;
}

static int cut(size_t length) { return length > 100 ? 100 : (int)length; }

/* Notes the first thing that keeps the run out. */
static void check_belongs(page *p, const run *r)
{
    const run *first = &p->runs[0];
    const run *twin = first;
    orr_parting at;
    while (twin < r && (twin->seed != r->seed || strcmp(twin->policy, r->policy) != 0))
        twin++;
    if (!orr_resolved_same(first->text, r->text, &at))
        orr_problem(p->problems, (orr_where){r->path, 0, 0}, "is a run of another scenario than %s: `%.*s` there is `%.*s` here (only seed and policy may differ)", first->path,
                    cut(at.a_length), at.a, cut(at.b_length), at.b);
    else if (r->fingerprint != first->fingerprint)
        orr_problem(p->problems, (orr_where){r->path, 0, 0}, "ran on other catalogues than %s: they hold other sites, links, pools, classes or services now; run both again", first->path);
    else if (twin < r)
        orr_problem(p->problems, (orr_where){r->path, 0, 0}, "has the same policy `%s` and seed %llu as %s; a run counts once", r->policy, (unsigned long long)r->seed, twin->path);
}

static bool look_at_all(page *p)
{
    bool ok = true;
    for (size_t i = 0; i < p->count; i++)
        ok &= look_at(p, &p->runs[i]);
    for (size_t i = 1; ok && i < p->count; i++)
        check_belongs(p, &p->runs[i]);
    return ok && !orr_problems_any(p->problems);
}

static bool name_policies(page *p, const char *baseline)
{
    p->policies = calloc(p->count + 1, sizeof *p->policies);
    p->series = calloc(p->count + 1, sizeof *p->series);
    if (p->policies == NULL || p->series == NULL) {
        p->problems->out_of_memory = true;
        return false;
    }
    for (size_t i = 0; i < p->count; i++) {
        size_t k = 0;
        while (k < p->policy_count && strcmp(p->policies[k], p->runs[i].policy) != 0)
            k++;
        if (k == p->policy_count)
            p->policies[p->policy_count++] = p->runs[i].policy;
        p->runs[i].policy_index = k;
    }
    if (baseline == NULL)
        return true;
    while (p->baseline < p->policy_count && strcmp(p->policies[p->baseline], baseline) != 0)
        p->baseline++;
    if (p->baseline < p->policy_count)
        return true;
    const char *near = orr_nearest(baseline, p->policies, p->policy_count);
    orr_problem(p->problems, (orr_where){0}, "none of the runs has the policy `%s` that is to be the baseline%s%s%s", baseline, near ? ", did you mean `" : "", near ? near : "", near ? "`?" : "");
    return false;
}

/* --- second pass: add them up --- */

/* Of a class the page shows the ends of requests; its latencies and costs are in the series. */
static void drop_what_is_not_shown(cJSON *summary)
{
    static const char *const whole[] = {"by_site", "by_vendor", "by_model"}, *const of_class[] = {"latency", "tokens", "cost"};
    cJSON *class;
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        cJSON_DeleteItemFromObjectCaseSensitive(summary, whole[i]);
    cJSON_ArrayForEach(class, cJSON_GetObjectItemCaseSensitive(summary, "by_class"))
        for (size_t i = 0; i < sizeof of_class / sizeof *of_class; i++)
            cJSON_DeleteItemFromObjectCaseSensitive(class, of_class[i]);
}

static bool take(page *p, run *r)
{
    hid_t file = orr_result_open(r->path, p->problems);
    if (file < 0)
        return false;
    r->summary = orr_summary(file, r->path, p->problems);
    orr_status status = r->summary == NULL ? ORR_BAD_INPUT : orr_series_add(&p->series[r->policy_index], file, r->path, r->summary, p->problems);
    drop_what_is_not_shown(r->summary);
    if (status == ORR_OK && p->policy_count == p->count && !orr_run_series_read(&r->series, file, r->path, p->problems))
        status = ORR_BAD_INPUT;
    H5Fclose(file);
    p->problems->out_of_memory |= status == ORR_NO_MEMORY;
    return status == ORR_OK;
}

static bool take_all(page *p)
{
    int64_t until = 0;
    for (size_t i = 0; i < p->count; i++)
        until = p->runs[i].until_ns > until ? p->runs[i].until_ns : until;
    hid_t file = orr_result_open(p->runs[0].path, p->problems);
    if (file < 0)
        return false;
    orr_status status = orr_shape_read(&p->shape, file, p->runs[0].path, until, p->problems);
    H5Fclose(file);
    for (size_t k = 0; status == ORR_OK && k < p->policy_count; k++)
        status = orr_series_init(&p->series[k], &p->shape);
    p->problems->out_of_memory |= status == ORR_NO_MEMORY;
    bool ok = status == ORR_OK;
    for (size_t i = 0; ok && i < p->count; i++)
        ok = take(p, &p->runs[i]);
    return ok;
}

/* --- the object --- */

static int by_number(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The seeds of a policy, or of all runs (policy_count), ascending and each once. */
static bool add_seeds(cJSON *to, const page *p, size_t policy)
{
    double *seed = calloc(p->count + 1, sizeof *seed);
    size_t n = 0;
    for (size_t i = 0; seed != NULL && i < p->count; i++)
        if (policy == p->policy_count || p->runs[i].policy_index == policy)
            seed[n++] = (double)p->runs[i].seed;
    cJSON *list = cJSON_AddArrayToObject(to, "seeds");
    if (seed != NULL)
        qsort(seed, n, sizeof *seed, by_number);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || seed[i] > seed[i - 1])
            cJSON_AddItemToArray(list, cJSON_CreateNumber(seed[i]));
    bool ok = seed != NULL;
    free(seed);
    return ok;
}

static bool is_oracle(const page *p, size_t policy)
{
    bool oracle = false;
    for (size_t i = 0; i < p->count; i++)
        oracle = oracle || (p->runs[i].policy_index == policy && p->runs[i].oracle);
    return oracle;
}

static bool add_policies(cJSON *to, const page *p, const bool *link_shown)
{
    cJSON *list = cJSON_AddArrayToObject(to, "policies");
    bool ok = true;
    for (size_t k = 0; k < p->policy_count; k++) {
        cJSON *policy = cJSON_CreateObject();
        cJSON_AddStringToObject(policy, "name", p->policies[k]);
        ok &= add_seeds(policy, p, k);
        cJSON_AddBoolToObject(policy, "oracle", is_oracle(p, k));
        ok &= orr_series_describe(policy, &p->series[k], link_shown);
        cJSON_AddItemToArray(list, policy);
    }
    return ok;
}

static bool add_sharing(cJSON *to, const page *p)
{
    double *carried = calloc(p->shape.link_count + 1, sizeof *carried);
    bool *shown = calloc(p->shape.link_count + 1, sizeof *shown), ok = carried != NULL && shown != NULL;
    for (size_t k = 0; ok && k < p->policy_count; k++)
        for (size_t l = 0; l < p->shape.link_count; l++)
            carried[l] += p->series[k].link_bytes[l];
    ok = ok && orr_shape_describe(to, &p->shape, carried, shown) && add_policies(to, p, shown);
    free(carried);
    free(shown);
    return ok;
}

/* Hands the summaries over to the page with few digits, fewer yet where there are many parts, so that a page of a hundred runs stays small. */
static void add_runs(cJSON *to, page *p)
{
    enum { DIGITS = 6, DIGITS_OF_PARTS = 4 };
    cJSON *list = cJSON_AddArrayToObject(to, "runs");
    for (size_t i = 0; i < p->count; i++) {
        run *r = &p->runs[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "file", r->path);
        cJSON_AddStringToObject(item, "policy", r->policy);
        orr_json_add_exact(item, "seed", (double)r->seed);
        cJSON_AddStringToObject(item, "status", r->status);
        orr_json_round(r->summary, DIGITS);
        orr_json_round(cJSON_GetObjectItemCaseSensitive(r->summary, "serving"), DIGITS_OF_PARTS);
        if (cJSON_AddItemToObject(item, "summary", r->summary))
            r->summary = NULL;
        cJSON_AddItemToArray(list, item);
    }
}

static bool add_comparison(cJSON *to, const page *p, double level)
{
    orr_compared_run *runs = calloc(p->count + 1, sizeof *runs);
    for (size_t i = 0; runs != NULL && i < p->count; i++)
        runs[i] = (orr_compared_run){p->runs[i].policy_index, p->runs[i].seed, p->runs[i].summary, p->policy_count == p->count ? &p->runs[i].series : NULL};
    cJSON *comparison = runs == NULL ? NULL : orr_comparison(runs, p->count, p->policies, p->policy_count, p->baseline, level);
    free(runs);
    return comparison != NULL && cJSON_AddItemToObject(to, "comparison", comparison);
}

/* --- how it was made --- */

/* The run whose audit is shown: the one that fails worst, else the first. */
static const run *audited(const page *p)
{
    const run *worst = &p->runs[0];
    for (size_t i = 1; i < p->count; i++)
        if (orr_summary_number(p->runs[i].summary, "audit.failed") > orr_summary_number(worst->summary, "audit.failed"))
            worst = &p->runs[i];
    return worst;
}

/* Adds to `list` an object per row of a table, of texts; only rows whose `key` column says `value`, if there is one. */
static void add_text_rows(cJSON *list, hid_t file, const char *table, const char *const *columns, size_t count, const char *key, const char *value)
{
    char *text[8] = {0}, *keys;
    size_t rows = SIZE_MAX, n;
    keys = key == NULL ? NULL : orr_read_texts(file, table, key, &n);
    if (key != NULL)
        rows = keys == NULL ? 0 : n;
    for (size_t c = 0; c < count; c++) {
        text[c] = orr_read_texts(file, table, columns[c], &n);
        n = text[c] == NULL ? 0 : n;
        rows = n < rows ? n : rows;
    }
    for (size_t r = 0; r < rows; r++) {
        if (keys != NULL && strcmp(keys + r * ORR_TEXT_BYTES, value) != 0)
            continue;
        cJSON *item = cJSON_CreateObject();
        for (size_t c = 0; c < count; c++)
            cJSON_AddStringToObject(item, columns[c], text[c] + r * ORR_TEXT_BYTES);
        cJSON_AddItemToArray(list, item);
    }
    free(keys);
    for (size_t c = 0; c < count; c++)
        free(text[c]);
}

static void add_audit(cJSON *made, const page *p)
{
    static const char *const columns[] = {"name", "left", "right", "difference"};
    const run *r = audited(p);
    cJSON *audit = cJSON_AddObjectToObject(made, "audit");
    orr_json_add_exact(audit, "checks", orr_summary_number(r->summary, "audit.checks"));
    orr_json_add_exact(audit, "failed", orr_summary_number(r->summary, "audit.failed"));
    cJSON *rows = cJSON_AddArrayToObject(audit, "rows");
    hid_t file = orr_result_open(r->path, p->problems);
    if (file < 0)
        return;
    add_text_rows(rows, file, "/audit", columns, 4, NULL, NULL);
    H5Fclose(file);
}

static double mean_of(const page *p, const char *key)
{
    double sum = 0, n = 0;
    for (size_t i = 0; i < p->count; i++) {
        double value = orr_summary_number(p->runs[i].summary, key);
        if (isfinite(value))
            sum += value, n++;
    }
    return n > 0 ? sum / n : NAN;
}

static void add_attribute(cJSON *to, hid_t file, const char *attribute, const char *name)
{
    char *text = orr_read_attribute_text(file, attribute);
    if (text != NULL)
        cJSON_AddStringToObject(to, name, text);
    free(text);
}

/* Everything is that of the first run, the audit and the speed apart. */
static bool add_made(cJSON *to, const page *p, hid_t first)
{
    static const char *const columns[] = {"catalogue", "row", "range", "source"};
    cJSON *made = cJSON_AddObjectToObject(to, "made");
    add_attribute(made, first, "orrery_version", "version");
    add_attribute(made, first, "scenario_file", "scenario_file");
    add_attribute(made, first, "scenario_hash", "scenario_hash");
    cJSON_AddStringToObject(made, "scenario_text", p->runs[0].text);
    bool ok = add_seeds(made, p, p->policy_count);
    add_audit(made, p);
    add_text_rows(cJSON_AddArrayToObject(made, "assumed"), first, "/scenario/origins", columns, 4, "confidence", "assumed");
    cJSON *host = cJSON_AddObjectToObject(made, "host");
    orr_json_add(host, "wall_s", mean_of(p, "speed.wall_s"));
    orr_json_add(host, "requests_per_s", mean_of(p, "speed.requests_per_s"));
    return ok;
}

static cJSON *describe(page *p, const orr_report_options *options)
{
    cJSON *to = cJSON_CreateObject();
    hid_t first = orr_result_open(p->runs[0].path, p->problems);
    bool ok = to != NULL && first >= 0;
    if (ok) {
        cJSON_AddStringToObject(to, "kind", options->compare ? "compare" : "run");
        add_attribute(to, first, "title", "title");
        add_attribute(to, first, "description", "question");
        cJSON_AddStringToObject(to, "generated_by", "orrery " ORR_VERSION);
        ok = add_sharing(to, p) && (!options->compare || add_comparison(to, p, options->level)) && add_made(to, p, first);
        add_runs(to, p);
    }
    if (first >= 0)
        H5Fclose(first);
    if (ok)
        return to;
    p->problems->out_of_memory |= first >= 0;
    cJSON_Delete(to);
    return NULL;
}

cJSON *orr_report_data(const char *const *paths, size_t count, const orr_report_options *options, orr_problems *problems)
{
    page p = {.count = count, .problems = problems};
    cJSON *data = NULL;
    p.runs = calloc(count + 1, sizeof *p.runs);
    if (p.runs == NULL) {
        problems->out_of_memory = true;
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        p.runs[i].path = paths[i];
    if (look_at_all(&p) && name_policies(&p, options->baseline) && take_all(&p))
        data = describe(&p, options);
    for (size_t k = 0; k < p.policy_count; k++)
        if (p.series[k].shape != NULL)
            orr_series_destroy(&p.series[k]);
    orr_shape_destroy(&p.shape);
    for (size_t i = 0; i < count; i++) {
        free(p.runs[i].policy);
        free(p.runs[i].status);
        free(p.runs[i].text);
        cJSON_Delete(p.runs[i].summary);
        orr_run_series_clear(&p.runs[i].series);
    }
    free(p.runs);
    free(p.policies);
    free(p.series);
    return data;
}
