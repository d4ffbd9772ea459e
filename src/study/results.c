#include "study/results.h"

#include "statistics/holm.h"
#include "study/warm_up.h"
#include "trace/comparison.h"
#include "trace/run_interval.h"
#include "trace/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_NAME = 512 };

void orr_results_clear(orr_results *r)
{
    for (size_t i = 0; i < r->name_count; i++)
        free(r->names[i]);
    void *const owned[] = {r->names, r->value, r->state, r->wall_s, r->peak_memory, r->verdict, r->shown, r->estimate, r->against, r->end, r->warm_up_ns};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    *r = (orr_results){0};
}

size_t orr_results_name(const orr_results *r, const char *name)
{
    for (size_t i = 0; i < r->name_count; i++)
        if (strcmp(r->names[i], name) == 0)
            return i;
    return SIZE_MAX;
}

static bool add_name(orr_results *r, const char *name)
{
    if (orr_results_name(r, name) != SIZE_MAX)
        return true;
    if (r->name_count == r->name_capacity) {
        char **larger = realloc(r->names, (2 * r->name_capacity + 64) * sizeof *larger);
        if (larger == NULL)
            return false;
        r->names = larger;
        r->name_capacity = 2 * r->name_capacity + 64;
    }
    return (r->names[r->name_count] = strdup(name)) != NULL && ++r->name_count;
}

/* Numbers of a summary that are no property of the machine; groups by site only where asked for, because they are many. */
static bool add_names(orr_results *r, const cJSON *node, char path[LONGEST_NAME])
{
    static const char *const left_out[] = {"by_site", "speed", "seed"};
    size_t used = strlen(path);
    const cJSON *item;
    cJSON_ArrayForEach(item, node) {
        bool out = item->string == NULL || used + strlen(item->string) + 2 > LONGEST_NAME;
        for (size_t i = 0; !out && i < sizeof left_out / sizeof *left_out; i++)
            out = strcmp(item->string, left_out[i]) == 0;
        if (out)
            continue;
        sprintf(path + used, "%s%s", used > 0 ? "." : "", item->string);
        bool ok = cJSON_IsObject(item) ? add_names(r, item, path) : cJSON_IsNumber(item) || cJSON_IsNull(item) ? add_name(r, path) : true;
        path[used] = 0;
        if (!ok)
            return false;
    }
    return true;
}

/* --- the study's own names --- */

static bool check_name(orr_results *r, const cJSON *summary, const char *name, orr_problems *problems)
{
    if (orr_results_name(r, name) != SIZE_MAX)
        return true;
    if (!isnan(orr_summary_number(summary, name)))
        return add_name(r, name);
    const char *near = orr_nearest(name, (const char *const *)r->names, r->name_count);
    orr_problem(problems, (orr_where){r->campaign->study->path, 0, 0}, "the summary has no number `%s`%s%s%s", name, near ? "; did you mean `" : "; `orrery summary --json` shows its names", near ? near : "", near ? "`?" : "");
    return false;
}

static bool take_names(orr_results *r, const cJSON *summary, orr_problems *problems)
{
    const orr_study *s = r->campaign->study;
    char path[LONGEST_NAME] = "";
    bool ok = add_names(r, summary, path);
    for (size_t i = 0; i < s->metric_count; i++)
        ok &= check_name(r, summary, s->metrics[i], problems);
    for (size_t i = 0; i < s->anchor_count; i++)
        ok &= check_name(r, summary, s->anchors[i].metric, problems);
    const char *const goals[] = {s->precision.metric, s->select.metric, s->sensitivity_metric};
    for (size_t i = 0; i < sizeof goals / sizeof *goals; i++)
        ok &= goals[i] == NULL || check_name(r, summary, goals[i], problems);
    size_t count = s->metric_count > 0 ? s->metric_count : ORR_COMPARED_METRICS;
    r->shown = calloc(count + 1, sizeof *r->shown);
    for (size_t i = 0; ok && r->shown != NULL && i < count; i++) {
        size_t name = orr_results_name(r, s->metric_count > 0 ? s->metrics[i] : orr_compared_metrics[i].key);
        if (name != SIZE_MAX)
            r->shown[r->shown_count++] = name;
    }
    return ok && r->shown != NULL;
}

void orr_results_check_names(const orr_campaign *campaign, const cJSON *summary, orr_problems *problems)
{
    orr_results r = {.campaign = campaign};
    take_names(&r, summary, problems);
    orr_results_clear(&r);
}

/* --- reading --- */

static bool take_run(orr_results *r, size_t run, const orr_manifest_row *row)
{
    cJSON *summary = cJSON_Parse(row->summary);
    if (summary == NULL)
        return false;
    for (size_t n = 0; n < r->name_count; n++)
        r->value[run * r->name_count + n] = orr_summary_number(summary, r->names[n]);
    const cJSON *verdict = cJSON_GetObjectItem(cJSON_GetObjectItem(summary, "saturation"), "verdict");
    for (int v = 0; v < 4; v++)
        if (cJSON_IsString(verdict) && strcmp(verdict->valuestring, orr_verdict_names[v]) == 0)
            r->verdict[run] = (orr_verdict)v;
    cJSON_Delete(summary);
    return true;
}

/* The names are those of the first run that is done. */
static orr_status read_names(orr_results *r, orr_problems *problems)
{
    const orr_campaign *c = r->campaign;
    orr_manifest_row row;
    size_t run = 0;
    while (run < c->plan.run_count && !(orr_manifest_get(c->manifest, c->plan.runs[run].address, &row) && row.state == ORR_RUN_DONE && row.summary != NULL))
        run++;
    if (run == c->plan.run_count) {
        orr_problem(problems, (orr_where){c->folder, 0, 0}, "no run of the study is done yet");
        return ORR_BAD_INPUT;
    }
    cJSON *summary = cJSON_Parse(row.summary);
    bool ok = summary != NULL && take_names(r, summary, problems);
    cJSON_Delete(summary);
    return ok ? ORR_OK : orr_problems_any(problems) ? ORR_BAD_INPUT : ORR_NO_MEMORY;
}

static void find_references(orr_results *r)
{
    static const char *const names[ORR_MOST_REFERENCES] = {"oracle", "random", "nearest"};
    const orr_study *s = r->campaign->study;
    for (size_t n = 0; n < ORR_MOST_REFERENCES; n++) {
        size_t p = 0;
        while (p < s->policy_count && strcmp(s->policies[p].name, names[n]) != 0)
            p++;
        if (p < s->policy_count && p != s->baseline)
            r->reference[r->reference_count++] = p;
    }
}

static bool allocate(orr_results *r)
{
    size_t runs = r->campaign->plan.run_count, variants = r->campaign->plan.variant_count;
    r->value = malloc((runs * r->name_count + 1) * sizeof *r->value);
    r->state = calloc(runs + 1, sizeof *r->state);
    r->wall_s = calloc(runs + 1, sizeof *r->wall_s);
    r->peak_memory = calloc(runs + 1, sizeof *r->peak_memory);
    r->verdict = calloc(runs + 1, sizeof *r->verdict);
    r->estimate = calloc(variants * r->shown_count + 1, sizeof *r->estimate);
    find_references(r);
    r->against = calloc(r->reference_count * variants * r->shown_count + 1, sizeof *r->against);
    r->end = calloc(2 * r->campaign->study->parameter_count + 1, sizeof *r->end);
    r->warm_up_ns = calloc(orr_study_cells(r->campaign->study) + 1, sizeof *r->warm_up_ns);
    for (size_t i = 0; r->value != NULL && i < runs * r->name_count; i++)
        r->value[i] = NAN;
    return r->value && r->state && r->wall_s && r->peak_memory && r->verdict && r->estimate && r->against && r->end && r->warm_up_ns;
}

static bool read_runs(orr_results *r)
{
    const orr_campaign *c = r->campaign;
    for (size_t i = 0; i < c->plan.run_count; i++) {
        orr_manifest_row row;
        if (!orr_manifest_get(c->manifest, c->plan.runs[i].address, &row))
            row = (orr_manifest_row){0};
        r->state[i] = row.state;
        r->wall_s[i] = row.wall_s;
        r->peak_memory[i] = row.peak_memory;
        r->done += row.state == ORR_RUN_DONE;
        r->failed += row.state == ORR_RUN_FAILED;
        r->missing += row.state == ORR_RUN_MISSING;
        if (row.state == ORR_RUN_DONE && (row.summary == NULL || !take_run(r, i, &row)))
            return false;
    }
    return true;
}

/* --- values --- */

/* The runs of a variant follow each other. */
static size_t first_run(const orr_results *r, size_t variant) { return variant * r->campaign->study->seed_count; }

size_t orr_results_values(const orr_results *r, size_t variant, size_t name, double *value, uint64_t *seed)
{
    size_t n = 0, first = first_run(r, variant);
    for (size_t i = 0; i < r->campaign->study->seed_count; i++) {
        double x = r->value[(first + i) * r->name_count + name];
        if (!isfinite(x))
            continue;
        if (seed != NULL)
            seed[n] = r->campaign->plan.runs[first + i].seed;
        value[n++] = x;
    }
    return n;
}

size_t orr_results_pairs(const orr_results *r, size_t variant, size_t other, size_t name, double *a, double *b)
{
    size_t n = 0;
    for (size_t i = 0; i < r->campaign->study->seed_count; i++) {
        a[n] = r->value[(first_run(r, variant) + i) * r->name_count + name];
        b[n] = r->value[(first_run(r, other) + i) * r->name_count + name];
        n += isfinite(a[n]) && isfinite(b[n]);
    }
    return n;
}

orr_result_runs orr_results_runs(const orr_results *r, size_t variant)
{
    orr_result_runs n = {0};
    for (size_t i = first_run(r, variant); i < first_run(r, variant + 1); i++) {
        bool done = r->state[i] == ORR_RUN_DONE;
        n.done += done;
        n.growing += done && r->verdict[i] == ORR_VERDICT_GROWING;
        n.unjudged += done && r->verdict[i] == ORR_VERDICT_UNKNOWN;
    }
    return n;
}

/* --- estimates --- */

static bool estimate_over_seeds(orr_results *r)
{
    const orr_campaign *c = r->campaign;
    const orr_study *s = c->study;
    size_t estimates = orr_study_cells(s) * s->policy_count * r->shown_count;
    double *a = calloc(s->seed_count + 1, sizeof *a), *b = calloc(s->seed_count + 1, sizeof *b);
    bool ok = a != NULL && b != NULL;
    for (size_t i = 0; ok && i < estimates; i++) {
        size_t variant = i / r->shown_count, name = r->shown[i % r->shown_count], policy = variant % s->policy_count, base = variant - policy + s->baseline;
        orr_result_estimate *e = &r->estimate[i];
        e->own = orr_estimate_mean(a, orr_results_values(r, variant, name, a, NULL), s->level);
        size_t pairs = policy == s->baseline ? 0 : orr_results_pairs(r, variant, base, name, a, b);
        e->difference = orr_estimate_difference(a, b, pairs, s->level);
        e->correlation = orr_estimate_correlation(a, b, pairs);
        for (size_t k = 0; k < r->reference_count; k++) {
            orr_result_difference *d = &r->against[k * estimates + i];
            pairs = policy == r->reference[k] ? 0 : orr_results_pairs(r, variant, variant - policy + r->reference[k], name, a, b);
            d->difference = orr_estimate_difference(a, b, pairs, s->level);
            d->correlation = orr_estimate_correlation(a, b, pairs);
        }
    }
    free(a);
    free(b);
    return ok;
}

/* The p-value of a difference to another policy; means of growing queues are no claims. */
static double claim(const orr_results *r, size_t variant, size_t reference, const orr_estimate *difference)
{
    size_t policy = variant % r->campaign->study->policy_count;
    bool growing = orr_results_runs(r, variant).growing + orr_results_runs(r, variant - policy + reference).growing > 0;
    return policy == reference || growing ? NAN : difference->p;
}

/* Whom the differences of block `block` are to: the baseline, then the references. */
static size_t reference_of(const orr_results *r, size_t block) { return block == 0 ? r->campaign->study->baseline : r->reference[block - 1]; }

/* Which earlier claim says the same the other way round (the baseline against the oracle, say), SIZE_MAX if none does. */
static size_t mirror_of(const orr_results *r, size_t claim, size_t estimates)
{
    size_t block = claim / estimates, at = claim % estimates, policy = at / r->shown_count % r->campaign->study->policy_count;
    for (size_t earlier = 0; earlier < block; earlier++)
        if (reference_of(r, earlier) == policy)
            return earlier * estimates + at + r->shown_count * reference_of(r, block) - r->shown_count * policy;
    return SIZE_MAX;
}

/* Which differences, to the baseline and to the references, stand among all claims of the study. */
static bool judge_claims(orr_results *r)
{
    const orr_study *s = r->campaign->study;
    size_t estimates = orr_study_cells(s) * s->policy_count * r->shown_count, claims = (1 + r->reference_count) * estimates;
    double *p = calloc(claims + 1, sizeof *p);
    bool *significant = calloc(claims + 1, sizeof *significant), ok = p != NULL && significant != NULL;
    for (size_t i = 0; ok && i < claims; i++) {
        const orr_estimate *d = i < estimates ? &r->estimate[i].difference : &r->against[i - estimates].difference;
        p[i] = mirror_of(r, i, estimates) == SIZE_MAX ? claim(r, i % estimates / r->shown_count, reference_of(r, i / estimates), d) : NAN;
        r->claims += !isnan(p[i]);
    }
    ok = ok && orr_holm(p, claims, 1 - s->level, significant);
    for (size_t i = 0; ok && i < claims; i++) {
        size_t mirror = mirror_of(r, i, estimates);
        *(i < estimates ? &r->estimate[i].significant : &r->against[i - estimates].significant) = significant[mirror == SIZE_MAX ? i : mirror];
    }
    free(p);
    free(significant);
    return ok;
}

/* The ends of the parameters against the focus cell. They are no claims about policies, and judged by themselves. */
static bool estimate_ends(orr_results *r)
{
    const orr_study *s = r->campaign->study;
    size_t name = s->sensitivity_metric == NULL ? SIZE_MAX : orr_results_name(r, s->sensitivity_metric), ends = name == SIZE_MAX ? 0 : 2 * s->parameter_count;
    size_t grid = orr_study_cells(s) * s->policy_count, base = orr_study_cell_of(s, s->focus) * s->policy_count + s->sensitivity_policy;
    double *a = calloc(s->seed_count + 1, sizeof *a), *b = calloc(s->seed_count + 1, sizeof *b), *p = calloc(ends + 1, sizeof *p);
    bool *significant = calloc(ends + 1, sizeof *significant), ok = a != NULL && b != NULL && p != NULL && significant != NULL;
    for (size_t i = 0; ok && i < ends; i++) {
        r->end[i].own = orr_estimate_mean(a, orr_results_values(r, grid + i, name, a, NULL), s->level);
        r->end[i].difference = orr_estimate_difference(a, b, orr_results_pairs(r, grid + i, base, name, a, b), s->level);
        p[i] = orr_results_runs(r, grid + i).growing + orr_results_runs(r, base).growing > 0 ? NAN : r->end[i].difference.p;
    }
    ok = ok && orr_holm(p, ends, 1 - s->level, significant);
    for (size_t i = 0; ok && i < ends; i++)
        r->end[i].significant = significant[i];
    free(a);
    free(b);
    free(p);
    free(significant);
    return ok;
}

/* One long run for each variant: intervals from its batches, where the metric allows. */
static orr_status estimate_by_batches(orr_results *r, orr_problems *problems)
{
    const orr_campaign *c = r->campaign;
    const orr_study *s = c->study;
    size_t k = s->policy_count, grid = orr_study_cells(s) * k;
    orr_run_series *series = calloc(k + 1, sizeof *series);
    orr_status status = series == NULL ? ORR_NO_MEMORY : ORR_OK;
    for (size_t first = 0; status == ORR_OK && first < grid; first += k) {
        for (size_t p = 0; status == ORR_OK && p < k; p++) {
            size_t run = first_run(r, first + p);
            char *path = orr_run_path(c->folder, c->plan.runs[run].address, ".h5");
            hid_t file = path == NULL || r->state[run] != ORR_RUN_DONE ? -1 : orr_result_open(path, problems);
            if (file >= 0) {
                status = orr_run_series_read(&series[p], file, path, problems) ? ORR_OK : ORR_IO;
                H5Fclose(file);
            }
            free(path);
        }
        for (size_t i = first * r->shown_count; status == ORR_OK && i < (first + k) * r->shown_count; i++) {
            size_t policy = i / r->shown_count - first;
            orr_result_estimate *e = &r->estimate[i];
            bool paired = policy != s->baseline && series[s->baseline].bins > 0;
            if (series[policy].bins > 0 && !orr_run_interval(&series[policy], paired ? &series[s->baseline] : NULL, r->names[r->shown[i % r->shown_count]], r->warm_up_ns[first / k] > 0 ? r->warm_up_ns[first / k] : 0, s->level, &e->own, paired ? &e->difference : NULL))
                status = ORR_NO_MEMORY;
        }
        for (size_t p = 0; p < k; p++) {
            orr_run_series_clear(&series[p]);
            series[p] = (orr_run_series){0};
        }
    }
    free(series);
    return status;
}

const char *const orr_anchor_verdict_names[3] = {"fails", "holds", "open"};

static orr_anchor_verdict judge_anchor(const orr_study_anchor *a, const orr_estimate *e)
{
    double low = isnan(e->low) ? e->mean : e->low, high = isnan(e->high) ? e->mean : e->high;
    double size = fmax(isnan(a->least) ? 0 : fabs(a->least), isnan(a->most) ? 0 : fabs(a->most)) / 5, room = isnan(a->least) || isnan(a->most) ? size : fmax(size, a->most - a->least);
    bool within = !(low < a->least) && !(high > a->most);
    if (isnan(e->mean) || high < a->least || low > a->most)
        return ORR_ANCHOR_FAILS;
    return within || high - low <= room ? ORR_ANCHOR_HOLDS : ORR_ANCHOR_OPEN;
}

orr_anchor_result orr_results_anchor(const orr_results *r, size_t anchor)
{
    const orr_study *s = r->campaign->study;
    const orr_study_anchor *a = &s->anchors[anchor];
    size_t name = orr_results_name(r, a->metric), variant = orr_study_cell_of(s, a->index) * s->policy_count + a->policy, shown = 0;
    double *value = calloc(s->seed_count + 1, sizeof *value);
    orr_anchor_result result = {.measured = {.mean = NAN, .low = NAN, .high = NAN, .p = NAN}};
    if (value == NULL || name == SIZE_MAX) {
        free(value);
        return result;
    }
    while (shown < r->shown_count && r->shown[shown] != name)
        shown++;
    result.measured = shown < r->shown_count ? r->estimate[variant * r->shown_count + shown].own : orr_estimate_mean(value, orr_results_values(r, variant, name, value, NULL), s->level);
    result.verdict = judge_anchor(a, &result.measured);
    free(value);
    return result;
}

orr_status orr_results_read(orr_results *r, const orr_campaign *campaign, orr_problems *problems)
{
    *r = (orr_results){.campaign = campaign, .method = campaign->study->method};
    orr_status status = read_names(r, problems);
    if (status == ORR_OK && !(allocate(r) && read_runs(r)))
        status = ORR_NO_MEMORY;
    if (status == ORR_OK && r->method == ORR_METHOD_AUTO)
        r->method = campaign->plan.by_the_clock || campaign->plan.warmed_up ? ORR_METHOD_TERMINATING : campaign->study->seed_count == 1 ? ORR_METHOD_BATCH_MEANS : ORR_METHOD_REPLICATIONS;
    if (status == ORR_OK && r->method != ORR_METHOD_TERMINATING && !campaign->plan.warmed_up)
        status = orr_warm_up_delete(r, problems);
    if (status == ORR_OK && !estimate_over_seeds(r))
        status = ORR_NO_MEMORY;
    if (status == ORR_OK && r->method == ORR_METHOD_BATCH_MEANS)
        status = estimate_by_batches(r, problems);
    if (status == ORR_OK && !(judge_claims(r) && estimate_ends(r)))
        status = ORR_NO_MEMORY;
    if (status != ORR_OK)
        orr_results_clear(r);
    return status;
}
